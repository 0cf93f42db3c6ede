"""A call in progress, with what its record will need."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kmsmock.aws.operations import OperationFacts
from kmsmock.aws.principals import Principal
from kmsmock.keys.key import Key
from kmsmock.keys.region import KmsRegion

if TYPE_CHECKING:
    from kmsmock.authorization.decision import Decision

#: Action, resource and encryption context of a decision.
Authorized = tuple[str, str, "Mapping[str, str] | None"]


class PendingCall:
    """A call in progress: principal, operation, parameters, and what is known of it so far."""

    __slots__ = (
        *("access_key", "additional_event_data", "alias", "authorized", "decision", "grant_id"),
        *("keys", "material_ids", "note", "now", "operation", "parameters", "principal", "region"),
        *("request_id", "user_agent", "was_authorized"),
    )

    operation: OperationFacts
    principal: Principal
    region: KmsRegion
    request_id: str
    now: datetime
    access_key: str | None
    user_agent: str | None
    parameters: dict[str, Any]
    #: The keys of the call, as far as they are located.
    keys: list[Key]
    #: The ids of the key materials that were used.
    material_ids: list[bytes]
    #: The ARN of the alias that the request named, if it named one.
    alias: str | None
    #: The grant that allowed the call, or that it created or deleted.
    grant_id: str | None
    #: The decision that denied the call.
    decision: Decision | None
    #: Members of additionalEventData -> value, with their names in the API.
    additional_event_data: dict[str, Any] | None
    #: The decisions that allowed the call, for operations that need more than one permission.
    authorized: list[Authorized]
    #: Whether all decisions allowed the call.
    was_authorized: bool
    #: What a successful answer does not show, for the record; None for most.
    note: str | None
