"""The table of IAM's operations, and who may perform them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.authorization.decision import Request
from kmsmock.authorizing import authorize
from kmsmock.denials import refusal
from kmsmock.services.contexts import context_of
from kmsmock.services.errors import AccessDenied
from kmsmock.services.registry import Handler, ServiceCall

OPERATIONS: dict[str, Handler] = {}
#: Condition key -> the parameter that it tells.
_MEMBERS = {"iam:PolicyARN": "PolicyArn", "iam:PermissionsBoundary": "PermissionsBoundary"}

Function = Callable[[ServiceCall], "dict[str, Any] | None"]


def operation(name: str, resource: Callable[[ServiceCall], str]) -> Callable[[Function], Function]:
    """Register what answers an operation. resource: gives the ARN that policies decide about."""

    def register(function: Function) -> Function:
        def handle(call: ServiceCall) -> dict[str, Any]:
            _require_allowed(call, f"iam:{name}", resource(call))
            return function(call) or {}

        OPERATIONS[name] = handle
        return function

    return register


def _require_allowed(call: ServiceCall, action: str, resource: str) -> None:
    backend = call.backend
    if call.is_answered or not backend.enforces_policies:
        return
    request = Request(call.principal, action, resource, None, lambda: context_of(call, _MEMBERS))
    decision = authorize(call.identities, backend.allowances, request, None)
    if not decision.allowed:
        raise AccessDenied(
            refusal(request, decision, f"on resource: {resource} "), explanation=str(decision)
        )
