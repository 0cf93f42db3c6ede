"""The text of AWS's AccessDeniedException: principal, action, resource, and kind of policy.

Source: IAM User Guide, "Troubleshoot access denied error messages".
"""

from __future__ import annotations

from kmsmock.authorization.decision import Decision
from kmsmock.authorization.policy_document import PolicyKind
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


def make_denied_error(
    request: Request, decision: Decision, *, omits_resource: bool, from_ciphertext: bool
) -> errors.AccessDeniedException:
    """Return the AccessDeniedException of a denied request, with the decision as explanation.

    omits_resource: whether AWS's message does not name the resource of this action.
    from_ciphertext: whether only the ciphertext of the request identified the key.
    """
    on_resource = f"on resource: {request.resource}"
    if omits_resource:
        on_resource = ""
    elif request.owner not in (None, request.principal.account):
        on_resource = THIS_CIPHERTEXT if from_ciphertext else THIS_RESOURCE
    return errors.AccessDeniedException(
        format_denial(request, decision, on_resource), explanation=str(decision)
    )


def make_hidden_error(
    principal: Principal, action: str, on_resource: str, explanation: str
) -> errors.AccessDeniedException:
    """Return the AccessDeniedException for a resource of another account that may not exist.

    on_resource: `THIS_RESOURCE` or `THIS_CIPHERTEXT`.
    """
    return errors.AccessDeniedException(
        format_access_denied(principal, action, on_resource, _HIDDEN), explanation=explanation
    )


def format_denial(request: Request, decision: Decision, on_resource: str) -> str:
    """Return AWS's message for a denied request.

    on_resource: the part about the resource, such as ``on resource: arn:…``; may be empty.
    """
    return format_access_denied(
        request.principal, request.action, on_resource, _format_reason(request, decision)
    )


def format_access_denied(
    principal: Principal, action: str, on_resource: str, reason: str = ""
) -> str:
    """Return AWS's message of its parts; on_resource and reason may be empty."""
    subject = f"User: {principal.arn} is not authorized to perform: {action}"
    return " ".join(part for part in (subject, on_resource, reason) if part)


def _format_reason(request: Request, decision: Decision) -> str:
    if decision.is_hidden:
        return _HIDDEN
    cause = decision.cause or PolicyKind.RESOURCE
    if decision.outcome is Outcome.EXPLICIT_DENY:
        policy = decision.policy
        arn = f": {policy.name}" if policy is not None and looks_like_arn(policy.name) else ""
        return f"with an explicit deny in {_ARTICLES.get(cause, 'a')} {cause.value}{arn}"
    return f"because no {cause.value} allows the {request.action} action"
