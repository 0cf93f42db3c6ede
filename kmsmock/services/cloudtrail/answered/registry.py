"""The table of CloudTrail's operations, each with the authorization of its caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.aws.errors import AccessDeniedException
from kmsmock.services.permissions import require_allowed
from kmsmock.services.registry import Handler, ServiceCall

OPERATIONS: dict[str, Handler] = {}

Function = Callable[[ServiceCall], "dict[str, Any] | None"]


def any_resource(call: ServiceCall) -> str:  # noqa: ARG001 - the default of a parameter
    """Return ``*``, for operations without a resource."""
    return "*"


def operation(
    name: str, resource: Callable[[ServiceCall], str] = any_resource
) -> Callable[[Function], Function]:
    """Register the function that answers an operation.

    resource: returns the ARN of the resource that the caller must be authorized for.
    """

    def register(function: Function) -> Function:
        def handle(call: ServiceCall) -> dict[str, Any]:
            arn = resource(call)
            require_allowed(call, f"cloudtrail:{name}", arn, error=AccessDeniedException)
            return function(call) or {}

        OPERATIONS[name] = handle
        return function

    return register
