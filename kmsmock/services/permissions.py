"""Whether a caller is authorized to perform an operation of a service beside KMS."""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.access.context import ConditionContext, ContextKeys
from kmsmock.access.denial import format_denial
from kmsmock.access.facts import Facts
from kmsmock.access.policies import authorize
from kmsmock.authorization.request import Request
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.regions import region_of_endpoint
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
    template: str = "{}",
) -> None:
    """Raise `error` when the policies of the caller do not allow an action.

    action: such as ``iam:CreateRole``. resource: its ARN, or ``*``. members, context: see
    `context_of`. error: the service's class for it. template: its message, with ``{}`` for AWS's
    usual message.
    """
    backend = call.backend
    if call.is_answered or not backend.enforces_policies:
        return
    request = Request(
        call.principal, action, resource, None, lambda: context_of(call, action, members, context)
    )
    decision = authorize(call.identities, backend.allowances, request, None)
    if not decision.allowed:
        message = format_denial(request, decision, f"on resource: {resource}")
        raise error(template.format(message), explanation=str(decision))


def context_of(
    call: ServiceCall,
    action: str,
    members: Mapping[str, str] = _NO_MEMBERS,
    context: ContextKeys = _NO_KEYS,
) -> ConditionContext:
    """Return the condition context of a call.

    members: condition key of the service -> the request parameter that has its value. context:
    further condition keys with their values.
    """
    parameters = call.parameters
    of_request = {
        key: parameters[member] for key, member in members.items() if member in parameters
    }
    return ConditionContext(
        Facts(
            action=action,
            principal=call.principal,
            identities=call.identities,
            parameters=parameters,
            region=region_of_endpoint(call.region),
            now=call.now,
            overrides={**of_request, **call.backend.request_context, **context},
        )
    )
