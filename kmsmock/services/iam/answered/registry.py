"""The table of IAM's operations, and who may perform them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.services.permissions import require_allowed
from kmsmock.services.registry import Handler, ServiceCall

OPERATIONS: dict[str, Handler] = {}
#: Condition key -> the parameter that it tells.
_MEMBERS = {"iam:PolicyARN": "PolicyArn", "iam:PermissionsBoundary": "PermissionsBoundary"}

Function = Callable[[ServiceCall], "dict[str, Any] | None"]


def operation(name: str, resource: Callable[[ServiceCall], str]) -> Callable[[Function], Function]:
    """Register what answers an operation. resource: gives the ARN that policies decide about."""

    def register(function: Function) -> Function:
        def handle(call: ServiceCall) -> dict[str, Any]:
            require_allowed(call, f"iam:{name}", resource(call), members=_MEMBERS)
            return function(call) or {}

        OPERATIONS[name] = handle
        return function

    return register
