"""How long keys are charged: their lives in hours of calendar months.

Source: AWS KMS pricing page, "Key storage": prorated by the hour, on each key and on its first two
rotations, until the key is scheduled for deletion.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from kmsmock.keys.key import Key, KeyManager
from kmsmock.keys.region import KmsRegion
from kmsmock.ledger.usage import month_of, start_of

_HOUR = timedelta(hours=1)

#: Account and Region of keys.
Place = tuple[str, str]


class KeyLife(NamedTuple):
    """What the bill has to know of a key, also when it is gone.

    aliases: their names. rotations: when they were, oldest first; those before a replica count from
    its creation on. until: from when on the key is not charged, None while that is open. was_used:
    for a cryptographic operation that succeeded. deleted: when the key was, None while it is there.
    """

    arn: str
    aliases: tuple[str, ...]
    account: str
    region: str
    created: datetime
    rotations: tuple[datetime, ...]
    until: datetime | None
    was_used: bool
    deleted: datetime | None = None

    @classmethod
    def of(cls, key: Key, deleted: datetime | None = None) -> KeyLife:
        """Tell the life of a key as it is now."""
        dates = [m.rotation_date for m in key.materials if m.rotation_date is not None]
        return cls(
            key.arn,
            tuple(key.aliases),
            key.account,
            key.region_name,
            key.creation_date,
            tuple(sorted(max(date, key.creation_date) for date in dates)),
            None if key.pending_deletion is None else key.pending_deletion.since,
            key.last_usage is not None,
            deleted,
        )


class KeyLives(Iterable[KeyLife]):
    """The lives of all keys of a mock that customers manage, the deleted ones among them.

    regions: where the keys are that there are. ended: of the deleted ones, oldest first.
    """

    def __init__(self) -> None:
        self.regions: Mapping[Place, KmsRegion] = {}
        self.ended: list[KeyLife] = []

    def end(self, key: Key, now: datetime) -> None:
        """Remember a key that is about to be deleted."""
        if key.manager is KeyManager.CUSTOMER:
            self.ended.append(KeyLife.of(key, now))

    def __iter__(self) -> Iterator[KeyLife]:
        yield from self.ended
        for region in list(self.regions.values()):
            for key in list(region.keys.values()):
                if key.manager is KeyManager.CUSTOMER:
                    yield KeyLife.of(key)


def key_hours(
    lives: Iterable[KeyLife], now: datetime, surcharged_rotations: int | None
) -> defaultdict[int, Counter[Place]]:
    """Count the hours that keys and rotations are charged, up to now: month -> place -> hours.

    Part of an hour counts as a whole one. surcharged_rotations: how many of a key; None for all.
    """
    hours: defaultdict[int, Counter[Place]] = defaultdict(Counter)
    # Of whole months only beginnings and ends are noted: there may be many keys, and years.
    changes: defaultdict[int, Counter[Place]] = defaultdict(Counter)
    for life in lives:
        until = now if life.until is None else min(now, life.until)
        place = (life.account, life.region)
        for start in (life.created, *life.rotations[:surcharged_rotations]):
            if start < until:
                _add(hours, changes, place, start, until)
    running: Counter[Place] = Counter()
    for month in range(min(changes, default=0), max(changes, default=0)):
        running += changes[month]
        for place, count in running.items():
            hours[month][place] += count * hours_in(month)
    return hours


def hours_in(month: int) -> int:
    """Count the hours of a calendar month."""
    return (start_of(month + 1) - start_of(month)) // _HOUR


def _add(
    hours: defaultdict[int, Counter[Place]],
    changes: defaultdict[int, Counter[Place]],
    place: Place,
    start: datetime,
    until: datetime,
) -> None:
    """Add the time from start to until: its first and last month by the hour."""
    first, last = month_of(start), month_of(until)
    if first == last:
        hours[first][place] += _whole_hours(until - start)
        return
    hours[first][place] += _whole_hours(start_of(first + 1) - start)
    if until > start_of(last):
        hours[last][place] += _whole_hours(until - start_of(last))
    if first + 1 < last:
        changes[first + 1][place] += 1
        changes[last][place] -= 1


def _whole_hours(time: timedelta) -> int:
    return -(-time // _HOUR)
