"""The table of EC2's operations, and what all of them require first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kmsmock.access.context import ContextKeys
from kmsmock.services.ec2.answered.storage import AccountRegion, Storage
from kmsmock.services.ec2.errors import DryRunOperation, UnauthorizedOperation, UnsupportedOperation
from kmsmock.services.permissions import require_allowed
from kmsmock.services.registry import Handler, ServiceCall
from kmsmock.timing.passing_states import Shows

OPERATIONS: dict[str, Handler] = {}
#: Operation name -> the states that its answer shows.
SHOWN_STATES: dict[str, Shows] = {}

Function = Callable[[ServiceCall], "dict[str, Any] | None"]
_NONE: Mapping[str, str] = {}
_NO_KEYS: ContextKeys = {}
OUTPOSTS = "Outposts and Local Zones are not emulated"


def operation(
    name: str, not_emulated: Mapping[str, str] = _NONE, *, shows: Shows | None = None
) -> Callable[[Function], Function]:
    """Register the function that answers an operation.

    not_emulated: parameter -> why it is refused. shows: the states that the answer shows.
    """

    def register(function: Function) -> Function:
        def handle(call: ServiceCall) -> dict[str, Any]:
            for member, why in not_emulated.items():
                if member in call.parameters:
                    raise UnsupportedOperation(
                        f"The parameter {member} is not supported", explanation=f"{why}."
                    )
            return function(call) or {}

        OPERATIONS[name] = handle
        if shows is not None:
            SHOWN_STATES[name] = shows
        return function

    return register


def require_permission(
    call: ServiceCall,
    action: str,
    *resources: str,
    context: ContextKeys = _NO_KEYS,
    dry_run_ends: bool = True,
) -> None:
    """Refuse what the caller's policies do not allow on each of the resources; ends a dry run.

    action: without ``ec2:``. resources: ARNs, or ``*``. dry_run_ends: whether this is the last
    authorization of the call.
    """
    for resource in resources:
        require_allowed(
            call,
            f"ec2:{action}",
            resource,
            context={"ec2:Region": call.region, **context},
            error=UnauthorizedOperation,
            template="You are not authorized to perform this operation. {}",
        )
    if dry_run_ends and call.parameters.get("DryRun"):
        raise DryRunOperation("Request would have succeeded, but DryRun flag is set.")


def storage(call: ServiceCall) -> Storage:
    """Return what EC2 stores in a mock, for all accounts and Regions."""
    return call.backend.service_state(Storage)


def account_region(call: ServiceCall) -> AccountRegion:
    """Return what the caller's account has in the Region of the call."""
    return storage(call).account_region(call.account, call.region)


def arn(call: ServiceCall, resource: str, *, region: str | None = None) -> str:
    """Return the ARN of a resource; only that of a volume has an account."""
    account = call.account if resource.startswith("volume/") else ""
    return call.arn("ec2", resource, region=region, account=account)
