"""Service events: what KMS does without a request, such as automatic rotation and deletion."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from kmsmock.keys.key import Key
from kmsmock.ledger.calls import Calls

ROTATE_KEY = "RotateKey"
DELETE_KEY = "DeleteKey"
DELETE_EXPIRED = "DeleteExpiredKeyMaterial"
SYNCHRONIZE = "SynchronizeMultiRegionKey"
#: The event names of all service events.
SERVICE_EVENT_NAMES = (ROTATE_KEY, DELETE_KEY, DELETE_EXPIRED, SYNCHRONIZE)


class ServiceEvent(NamedTuple):
    """One service event."""

    #: The event name of CloudTrail.
    name: str
    key: Key
    #: The time on the mock's clock.
    at: datetime
    #: How many calls were made before it.
    calls_before: int
    #: AUTOMATIC or ON_DEMAND; None for events that are not rotations.
    rotation_type: str | None = None
    #: The id of the key material before a rotation, 32 bytes.
    previous_material_id: bytes | None = None
    #: The id of the key material after a rotation, or of deleted key material, 32 bytes.
    material_id: bytes | None = None

    @property
    def key_arn(self) -> str:
        """The ARN of the key."""
        return self.key.arn

    @property
    def account(self) -> str:
        """The account of the key."""
        return self.key.account

    @property
    def region(self) -> str:
        """The Region of the key."""
        return self.key.region_name


class ServiceEvents:
    """The service events of one mock, oldest first.

    calls: of the same mock, for the order of both. kept: how many of the newest events are kept.
    An event that a call causes is noted with ``during_call=True``: it comes after the call, whose
    record is made at the end of the call.
    """

    def __init__(self, calls: Calls, kept: int) -> None:
        self._calls = calls
        self._events: deque[ServiceEvent] = deque(maxlen=kept)

    def note(
        self,
        name: str,
        key: Key,
        at: datetime,
        *,
        material_id: bytes | None = None,
        during_call: bool = False,
    ) -> None:
        """Note an event that is not a rotation. material_id: of deleted key material."""
        calls_before = self._calls_before_event(during_call=during_call)
        self._events.append(ServiceEvent(name, key, at, calls_before, material_id=material_id))

    def note_rotation(
        self,
        key: Key,
        at: datetime,
        rotation_type: str,
        previous_material_id: bytes,
        material_id: bytes,
        *,
        during_call: bool = False,
    ) -> None:
        """Note a rotation. rotation_type: AUTOMATIC or ON_DEMAND."""
        calls_before = self._calls_before_event(during_call=during_call)
        self._events.append(
            ServiceEvent(
                ROTATE_KEY,
                key,
                at,
                calls_before,
                rotation_type,
                previous_material_id,
                material_id,
            )
        )
        self.note_synchronization(key, at, during_call=during_call)

    def note_synchronization(self, key: Key, at: datetime, *, during_call: bool = False) -> None:
        """Note a synchronization of related multi-Region keys, if the key has any."""
        family = key.multi_region
        if family is not None and len(family.members) > 1:
            self.note(SYNCHRONIZE, family.primary, at, during_call=during_call)

    def _calls_before_event(self, *, during_call: bool) -> int:
        return self._calls.made + (1 if during_call else 0)

    def clear(self) -> None:
        """Remove all events."""
        self._events.clear()

    def restore(self, events: Iterable[ServiceEvent]) -> None:
        """Have these events, oldest first; of more than are kept the newest."""
        self._events.clear()
        self._events.extend(events)

    def truncate(self, length: int) -> None:
        """Remove all events after the first `length`."""
        while len(self._events) > length:
            self._events.pop()

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[ServiceEvent]:
        return iter(self._events)

    def __reversed__(self) -> Iterator[ServiceEvent]:
        return reversed(self._events)
