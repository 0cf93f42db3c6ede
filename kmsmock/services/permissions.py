"""Whether a caller may perform an operation of a service beside KMS."""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.access.context import ConditionContext, ContextKeys
from kmsmock.access.denial import refusal
from kmsmock.access.facts import Facts
from kmsmock.access.policies import authorize
from kmsmock.authorization.request import Request
from kmsmock.aws.arns import region_of_endpoint
from kmsmock.aws.errors import ServiceError
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

    action: such as ``iam:CreateRole``. resource: its ARN, or ``*``. members, context: see
    `context_of`. error: what the service refuses with; words: its text around AWS's usual sentence.
    """
    backend = call.backend
    if call.is_answered or not backend.enforces_policies:
        return
    request = Request(
        call.principal, action, resource, None, lambda: context_of(call, action, members, context)
    )
    decision = authorize(call.identities, backend.allowances, request, None)
    if not decision.allowed:
        sentence = refusal(request, decision, f"on resource: {resource}")
        raise error(words.format(sentence), explanation=str(decision))


def context_of(
    call: ServiceCall,
    action: str,
    members: Mapping[str, str] = _NO_MEMBERS,
    context: ContextKeys = _NO_KEYS,
) -> ConditionContext:
    """Give the condition keys of a call.

    members: condition key of the service -> the parameter that it tells. context: further ones.
    """
    parameters = call.parameters
    told = {key: parameters[member] for key, member in members.items() if member in parameters}
    return ConditionContext(
        Facts(
            action=action,
            principal=call.principal,
            identities=call.identities,
            parameters=parameters,
            region=region_of_endpoint(call.region),
            now=call.now,
            overrides={**told, **call.backend.request_context, **context},
        )
    )
