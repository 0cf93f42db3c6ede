"""The table of CloudTrail's operations, and who may perform them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.aws.errors import AccessDeniedException
from kmsmock.services.permissions import require_allowed
from kmsmock.services.registry import Handler, ServiceCall

OPERATIONS: dict[str, Handler] = {}

Function = Callable[[ServiceCall], "dict[str, Any] | None"]


def any_resource(call: ServiceCall) -> str:  # noqa: ARG001 - one of a kind
    """Let policies decide about the operation alone."""
    return "*"


def operation(
    name: str, resource: Callable[[ServiceCall], str] = any_resource
) -> Callable[[Function], Function]:
    """Register what answers an operation. resource: gives the ARN that policies decide about."""

    def register(function: Function) -> Function:
        def handle(call: ServiceCall) -> dict[str, Any]:
            where = resource(call)
            require_allowed(call, f"cloudtrail:{name}", where, error=AccessDeniedException)
            return function(call) or {}

        OPERATIONS[name] = handle
        return function

    return register
