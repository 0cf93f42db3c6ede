"""The text of AWS's AccessDeniedException: principal, action, resource, and kind of policy.

Source: IAM User Guide, "Troubleshoot access denied error messages".
"""

from __future__ import annotations

from kmsmock.authorization.decision import Decision
from kmsmock.authorization.policy import PolicyKind
from kmsmock.authorization.request import Outcome, Request
from kmsmock.aws import errors
from kmsmock.aws.arns import looks_like_arn
from kmsmock.aws.principals import Principal

THIS_RESOURCE = "on this resource"
THIS_CIPHERTEXT = "on the resource associated with this ciphertext"

_HIDDEN = (
    "because the resource does not exist in this Region, no resource-based policies allow access, "
    "or a resource-based policy explicitly denies access"
)
_ARTICLES = {PolicyKind.IDENTITY: "an"}


def denied(
    request: Request, decision: Decision, *, is_unnamed: bool, from_ciphertext: bool
) -> errors.AccessDeniedException:
    """Return the AccessDeniedException of a denied request, with the decision as explanation.

    is_unnamed: whether AWS leaves the resource out for this action. from_ciphertext: whether only
    the ciphertext of the request identified the key.
    """
    where = f"on resource: {request.resource}"
    if is_unnamed:
        where = ""
    elif request.owner not in (None, request.principal.account):
        where = THIS_CIPHERTEXT if from_ciphertext else THIS_RESOURCE
    return errors.AccessDeniedException(
        refusal(request, decision, where), explanation=str(decision)
    )


def hidden(
    principal: Principal, action: str, where: str, explanation: str
) -> errors.AccessDeniedException:
    """Return the AccessDeniedException for a resource of another account that may not exist.

    where: `THIS_RESOURCE` or `THIS_CIPHERTEXT`.
    """
    return errors.AccessDeniedException(
        sentence(principal, action, where, _HIDDEN), explanation=explanation
    )


def refusal(request: Request, decision: Decision, where: str) -> str:
    """Return AWS's message for a decision. where: the part about the resource; may be empty."""
    return sentence(request.principal, request.action, where, _reason(request, decision))


def sentence(principal: Principal, action: str, where: str, reason: str = "") -> str:
    """Return AWS's message. where, reason: its last parts; each may be empty."""
    subject = f"User: {principal.arn} is not authorized to perform: {action}"
    return " ".join(part for part in (subject, where, reason) if part)


def _reason(request: Request, decision: Decision) -> str:
    if decision.is_hidden:
        return _HIDDEN
    cause = decision.cause or PolicyKind.RESOURCE
    if decision.outcome is Outcome.EXPLICIT_DENY:
        policy = decision.policy
        arn = f": {policy.name}" if policy is not None and looks_like_arn(policy.name) else ""
        return f"with an explicit deny in {_ARTICLES.get(cause, 'a')} {cause.value}{arn}"
    return f"because no {cause.value} allows the {request.action} action"
