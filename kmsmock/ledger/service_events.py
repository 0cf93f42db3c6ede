"""Service events: what KMS does without a request, such as automatic rotation and deletion."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from kmsmock.keys.key import Key
from kmsmock.ledger.calls import Calls

ROTATE_KEY = "RotateKey"
DELETE_KEY = "DeleteKey"
DELETE_EXPIRED = "DeleteExpiredKeyMaterial"
SYNCHRONIZE = "SynchronizeMultiRegionKey"
#: The event names of all service events.
SERVICE_EVENT_NAMES = (ROTATE_KEY, DELETE_KEY, DELETE_EXPIRED, SYNCHRONIZE)


class ServiceEvent(NamedTuple):
    """One service event.

    calls_before: how many calls were made before it. kind: of a rotation, AUTOMATIC or ON_DEMAND.
    previous, current: ids of key materials, 32 bytes, before and after a rotation; current is also
    that of deleted material.
    """

    name: str
    key: Key
    at: datetime
    calls_before: int
    kind: str | None = None
    previous: bytes | None = None
    current: bytes | None = None

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
    During a call, events are noted with ``after=1``, since the record of the call comes first but
    is not there yet.
    """

    def __init__(self, calls: Calls, kept: int) -> None:
        self._calls = calls
        self._events: deque[ServiceEvent] = deque(maxlen=kept)

    def note(self, name: str, key: Key, at: datetime, *details: Any, after: int = 0) -> None:
        """Note an event. details: the last members of `ServiceEvent`."""
        calls_before = self._calls.made + after
        self._events.append(ServiceEvent(name, key, at, calls_before, *details))

    def note_rotation(
        self, key: Key, at: datetime, kind: str, previous: bytes, current: bytes, *, after: int = 0
    ) -> None:
        """Note a rotation. kind: AUTOMATIC or ON_DEMAND."""
        self.note(ROTATE_KEY, key, at, kind, previous, current, after=after)
        if key.multi_region is not None:
            self.note_synchronization(key, at, after=after)

    def note_synchronization(self, key: Key, at: datetime, *, after: int = 0) -> None:
        """Note a synchronization of related multi-Region keys, if the key has any."""
        family = key.multi_region
        if family is not None and len(family.members) > 1:
            self.note(SYNCHRONIZE, family.primary, at, after=after)

    def clear(self) -> None:
        """Remove all events."""
        self._events.clear()

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
