"""How long keys are charged, in hours of each calendar month.

Source: AWS KMS pricing page, "Key storage": prorated by the hour, on each key and on its first two
rotations, until the key is scheduled for deletion.
"""

from __future__ import annotations

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from kmsmock.keys.key import Key, KeyManager
from kmsmock.keys.region import KmsRegion
from kmsmock.ledger.usage import month_number, month_start

_HOUR = timedelta(hours=1)

#: Account id and Region name.
AccountRegion = tuple[str, str]


class KeyLifetime(NamedTuple):
    """What the bill needs of a key, which may have been deleted."""

    arn: str
    #: The alias names of the key.
    aliases: tuple[str, ...]
    account: str
    region: str
    created: datetime
    #: The times of rotations, oldest first; a replica key is charged for earlier ones from its
    #: creation on.
    rotations: tuple[datetime, ...]
    #: When charges ended because the key was scheduled for deletion; None while it is charged.
    until: datetime | None
    #: Whether a cryptographic operation has succeeded.
    was_used: bool
    #: When the key was deleted; None while it exists.
    deleted: datetime | None = None

    @classmethod
    def of(cls, key: Key, deleted: datetime | None = None) -> KeyLifetime:
        """Return the lifetime of a key as of now."""
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


class KeyLifetimes(Iterable[KeyLifetime]):
    """The lifetimes of all customer managed keys of a mock, including deleted ones.

    regions: (account, Region) -> the keys that exist. deleted: lifetimes of deleted keys, oldest
    first.
    """

    def __init__(self) -> None:
        self.regions: Mapping[AccountRegion, KmsRegion] = {}
        self.deleted: list[KeyLifetime] = []

    def add_deleted(self, key: Key, now: datetime) -> None:
        """Keep the lifetime of a key that is about to be deleted."""
        if key.manager is KeyManager.CUSTOMER:
            self.deleted.append(KeyLifetime.of(key, now))

    def __iter__(self) -> Iterator[KeyLifetime]:
        yield from self.deleted
        for region in list(self.regions.values()):
            for key in list(region.keys.values()):
                if key.manager is KeyManager.CUSTOMER:
                    yield KeyLifetime.of(key)


def count_key_hours(
    lifetimes: Iterable[KeyLifetime], now: datetime, surcharged_rotations: int | None
) -> defaultdict[int, Counter[AccountRegion]]:
    """Count the hours that keys and rotations are charged, up to now.

    Returns month -> (account, Region) -> hours. Part of an hour counts as a whole hour.
    surcharged_rotations: how many rotations of a key are charged; None for all.
    """
    hours: defaultdict[int, Counter[AccountRegion]] = defaultdict(Counter)
    # Of whole months only the first and the one after the last are stored, since there may be many
    # keys and many years.
    changes: defaultdict[int, Counter[AccountRegion]] = defaultdict(Counter)
    for lifetime in lifetimes:
        until = now if lifetime.until is None else min(now, lifetime.until)
        account_region = (lifetime.account, lifetime.region)
        for start in (lifetime.created, *lifetime.rotations[:surcharged_rotations]):
            if start < until:
                _add(hours, changes, account_region, start, until)
    running: Counter[AccountRegion] = Counter()
    for month in range(min(changes, default=0), max(changes, default=0)):
        running += changes[month]
        for account_region, count in running.items():
            hours[month][account_region] += count * hours_in(month)
    return hours


def hours_in(month: int) -> int:
    """Count the hours of a calendar month."""
    return monthrange(month // 12, month % 12 + 1)[1] * 24


def _add(
    hours: defaultdict[int, Counter[AccountRegion]],
    changes: defaultdict[int, Counter[AccountRegion]],
    account_region: AccountRegion,
    start: datetime,
    until: datetime,
) -> None:
    """Add the time from start to until: its first and last month by the hour."""
    first, last = month_number(start), month_number(until)
    if first == last:
        hours[first][account_region] += _whole_hours(until - start)
        return
    hours[first][account_region] += _whole_hours(month_start(first + 1) - start)
    if until > month_start(last):
        hours[last][account_region] += _whole_hours(until - month_start(last))
    if first + 1 < last:
        changes[first + 1][account_region] += 1
        changes[last][account_region] -= 1


def _whole_hours(time: timedelta) -> int:
    return -(-time // _HOUR)
