"""The table of RDS's operations, and what all of them require first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from kmsmock.access.context import ContextKeys
from kmsmock.aws.arns import Arn
from kmsmock.services.permissions import require_allowed
from kmsmock.services.rds import errors
from kmsmock.services.rds.answered.storage import AccountRegion, Storage
from kmsmock.services.rds.kinds import KINDS, Kind
from kmsmock.services.rds.kms_use.lost_keys import check_keys
from kmsmock.services.registry import Handler, ServiceCall
from kmsmock.timing.passing_states import Shows

OPERATIONS: dict[str, Handler] = {}
#: Operation name -> the states that its answer shows.
SHOWN_STATES: dict[str, Shows] = {}
_NO_KEYS: ContextKeys = {}
HandlerOfKind = Callable[[Kind, ServiceCall], "dict[str, Any]"]


def operation(name: str, *, shows: Shows | None = None) -> Callable[[Handler], Handler]:
    """Register the handler of an operation. shows: the states that the answer shows."""

    def register(function: Handler) -> Handler:
        def handle(call: ServiceCall) -> dict[str, Any]:
            check_keys(call.backend, call.now)
            return function(call)

        OPERATIONS[name] = handle
        if shows is not None:
            SHOWN_STATES[name] = shows
        return function

    return register


def of_each_kind(
    name: str, *, shows: Callable[[Kind], Shows] | None = None
) -> Callable[[HandlerOfKind], HandlerOfKind]:
    """Register the handler of an operation on instances, and of the same on clusters.

    name: in which ``{0.name}`` and the like stand for names of the kind. shows: returns, of a kind,
    the states that the answer shows.
    """

    def register(function: HandlerOfKind) -> HandlerOfKind:
        for kind in KINDS:
            shown = None if shows is None else shows(kind)
            operation(name.format(kind), shows=shown)(partial(function, kind))
        return function

    return register


def require_permission(
    call: ServiceCall, action: str, resource: str, *, context: ContextKeys = _NO_KEYS
) -> None:
    """Refuse what the caller's policies do not allow.

    action: without ``rds:``. resource: its ARN. context: further condition keys.
    """
    tags = account_region(call).tags.get(resource, {})
    arn = Arn.parse(resource)
    resource_type = "" if arn is None else arn.resource_type
    facts: ContextKeys = {}
    for name, value in tags.items():
        facts[f"aws:ResourceTag/{name}"] = facts[f"rds:{resource_type}-tag/{name}"] = value
    for tag in call.parameters.get("Tags", ()):
        facts[f"rds:req-tag/{tag.get('Key', '')}"] = tag.get("Value", "")
    require_allowed(call, f"rds:{action}", resource, context={**facts, **context})


def require_create_permission(
    call: ServiceCall, action: str, arn: str, *, context: ContextKeys = _NO_KEYS
) -> None:
    """Require that the caller may create something, and tag it if the request has tags."""
    require_permission(call, action, arn, context=context)
    if call.parameters.get("Tags"):
        require_permission(call, "AddTagsToResource", arn)


def storage(call: ServiceCall) -> Storage:
    """Return all that RDS stores."""
    return call.backend.service_state(Storage)


def account_region(call: ServiceCall) -> AccountRegion:
    """Return what the caller's account has in the Region of the call."""
    return storage(call).account_region(call.account, call.region)


def require_parameter(call: ServiceCall, member: str) -> Any:
    """Return a parameter that a call must have."""
    value = call.parameters.get(member)
    if value is None or value == "":
        raise errors.InvalidParameterValue(
            f"The parameter {member} must be provided and must not be blank."
        )
    return value
