"""Whether a caller may perform an operation of a service beside KMS."""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.authorization.request import Request
from kmsmock.authorizing import authorize
from kmsmock.context_keys import ContextKeys
from kmsmock.denials import refusal
from kmsmock.errors import ServiceError
from kmsmock.services.contexts import context_of
from kmsmock.services.errors import AccessDenied
from kmsmock.services.registry import ServiceCall

_NO_MEMBERS: Mapping[str, str] = {}
_NO_KEYS: ContextKeys = {}


def require_allowed(
    call: ServiceCall,
    action: str,
    resource: str,
    *,
    members: Mapping[str, str] = _NO_MEMBERS,
    context: ContextKeys = _NO_KEYS,
    error: type[ServiceError] = AccessDenied,
    words: str = "{}",
) -> None:
    """Refuse what the policies of the caller do not allow.

    action: such as ``iam:CreateRole``. resource: its ARN, or ``*``. members: condition key -> the
    parameter that it tells. context: further condition keys. error: what the service refuses with;
    words: its text around AWS's usual sentence.
    """
    backend = call.backend
    if call.is_answered or not backend.enforces_policies:
        return
    request = Request(
        call.principal, action, resource, None, lambda: context_of(call, members) | context
    )
    decision = authorize(call.identities, backend.allowances, request, None)
    if not decision.allowed:
        sentence = refusal(request, decision, f"on resource: {resource} ")
        raise error(words.format(sentence), explanation=str(decision))
