"""What is noted of a call while it is carried out, for its record."""

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
    """A call that is carried out: who asks what of which Region, and what was found out so far.

    keys, alias, grant_id, material_ids: noted by those who find them. authorized: what was allowed,
    of operations that need more than their own permission on their own key; was_authorized: whether
    all was. decision: of a refused call. noted: what CloudTrail shows beside request and answer.
    """

    __slots__ = (
        *("access_key", "alias", "authorized", "decision", "grant_id", "keys", "material_ids"),
        *("noted", "now", "operation", "parameters", "principal", "region", "request_id"),
        *("user_agent", "was_authorized"),
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
    noted: dict[str, Any] | None
    authorized: list[Authorized]
    was_authorized: bool
