"""The table of IAM's operations, each with the authorization of its caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.services.permissions import require_allowed
from kmsmock.services.registry import Handler, ServiceCall

OPERATIONS: dict[str, Handler] = {}
#: Condition key -> the request parameter that has its value.
_MEMBERS = {"iam:PolicyARN": "PolicyArn", "iam:PermissionsBoundary": "PermissionsBoundary"}

Function = Callable[[ServiceCall], "dict[str, Any] | None"]


def operation(name: str, resource: Callable[[ServiceCall], str]) -> Callable[[Function], Function]:
    """Register the function that answers an operation.

    resource: returns the ARN of the resource that the caller must be authorized for.
    """

    def register(function: Function) -> Function:
        def handle(call: ServiceCall) -> dict[str, Any]:
            require_allowed(call, f"iam:{name}", resource(call), members=_MEMBERS)
            return function(call) or {}

        OPERATIONS[name] = handle
        return function

    return register
