"""What KMS did by itself: rotations, deletions, and what related keys share being copied."""

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
#: All that KMS does by itself.
BY_ITSELF = (ROTATE_KEY, DELETE_KEY, DELETE_EXPIRED, SYNCHRONIZE)


class ServiceEvent(NamedTuple):
    """One thing that KMS did by itself.

    place: how many calls came before. kind: of a rotation. previous, current: ids of
    key materials, 32 bytes; of a deletion of material the current one.
    """

    name: str
    key: Key
    at: datetime
    place: int
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
    """What KMS did by itself in one mock, oldest first.

    calls: between which it happened. kept: how many of the newest are.
    Whoever notes something within a call says so by ``after=1``: the call itself comes first.
    """

    def __init__(self, calls: Calls, kept: int) -> None:
        self._calls = calls
        self._events: deque[ServiceEvent] = deque(maxlen=kept)

    def note(self, name: str, key: Key, at: datetime, *details: Any, after: int = 0) -> None:
        """Note one; details: the last members of `ServiceEvent`."""
        place = self._calls.made + after
        self._events.append(ServiceEvent(name, key, at, place, *details))

    def note_rotation(
        self, key: Key, at: datetime, kind: str, previous: bytes, current: bytes, *, after: int = 0
    ) -> None:
        """Note that a key has other material now. kind: AUTOMATIC or ON_DEMAND."""
        self.note(ROTATE_KEY, key, at, kind, previous, current, after=after)
        if key.multi_region is not None:
            self.note_synchronization(key, at, after=after)

    def note_synchronization(self, key: Key, at: datetime, *, after: int = 0) -> None:
        """Note that what a key shares with its replicas was copied; nothing when it has none."""
        family = key.multi_region
        if family is not None and len(family.members) > 1:
            self.note(SYNCHRONIZE, family.primary, at, after=after)

    def clear(self) -> None:
        """Forget all."""
        self._events.clear()

    def truncate(self, length: int) -> None:
        """Forget what is behind the first so many."""
        while len(self._events) > length:
            self._events.pop()

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[ServiceEvent]:
        return iter(self._events)

    def __reversed__(self) -> Iterator[ServiceEvent]:
        return reversed(self._events)
