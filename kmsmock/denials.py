"""The text of a refusal, as AWS words it: who, what, where, and which kind of policy.

Source: IAM User Guide, "Troubleshoot access denied error messages".
"""

from __future__ import annotations

from kmsmock import errors
from kmsmock.arns import looks_like_arn
from kmsmock.authorization.decision import Decision
from kmsmock.authorization.policy import PolicyKind
from kmsmock.authorization.request import Outcome, Request
from kmsmock.operations.registry import Target

_HIDDEN = (
    "because the resource does not exist in this Region, no resource-based policies allow access, "
    "or a resource-based policy explicitly denies access"
)
_ARTICLES = {PolicyKind.IDENTITY: "an"}


def denied(
    request: Request, decision: Decision, target: Target, *, from_ciphertext: bool
) -> errors.AccessDeniedException:
    """Make the error of a refused request; what people want to know is its explanation.

    from_ciphertext: whether the key was named by nothing but the ciphertext.
    """
    is_foreign = request.owner not in (None, request.principal.account)
    if target.is_unnamed:
        where = ""
    elif not is_foreign:
        where = f"on resource: {request.resource} "
    elif from_ciphertext:
        where = "on the resource associated with this ciphertext "
    else:
        where = "on this resource "
    return errors.AccessDeniedException(
        refusal(request, decision, where), explanation=str(decision)
    )


def refusal(request: Request, decision: Decision, where: str) -> str:
    """Give AWS's sentence. where: the part about the resource, with a space behind it."""
    return (
        f"User: {request.principal.arn} is not authorized to perform: {request.action} "
        f"{where}{_reason(request, decision)}"
    )


def _reason(request: Request, decision: Decision) -> str:
    if decision.is_hidden:
        return _HIDDEN
    cause = decision.cause or PolicyKind.RESOURCE
    if decision.outcome is Outcome.EXPLICIT_DENY:
        policy = decision.policy
        arn = f": {policy.name}" if policy is not None and looks_like_arn(policy.name) else ""
        return f"with an explicit deny in {_ARTICLES.get(cause, 'a')} {cause.value}{arn}"
    return f"because no {cause.value} allows the {request.action} action"
