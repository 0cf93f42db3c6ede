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
    """A call in progress: principal, operation, parameters, and what is known of it so far.

    keys, alias, grant_id, material_ids: set once they are known. authorized: the decisions that
    allowed it, for operations that need more than one permission on one key; was_authorized:
    whether all of them allowed it. decision: the one that denied it. additional_event_data: what
    CloudTrail shows under this name, with names of the API.
    """

    __slots__ = (
        *("access_key", "additional_event_data", "alias", "authorized", "decision", "grant_id"),
        *("keys", "material_ids", "now", "operation", "parameters", "principal", "region"),
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
    keys: list[Key]
    material_ids: list[bytes]
    alias: str | None
    grant_id: str | None
    decision: Decision | None
    additional_event_data: dict[str, Any] | None
    authorized: list[Authorized]
    was_authorized: bool
