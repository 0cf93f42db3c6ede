"""The part of the mock's time that did not pass in reality, and what keys cost for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from kmsmock.ledger.costs import sum_up_storage
from kmsmock.ledger.key_storage import KeyLifetime
from kmsmock.process.real_time import RealTime

if TYPE_CHECKING:
    from kmsmock.state.backend import Backend

#: Shorter jumps are those of clocks that are set, or of a computer that is busy.
_SHORTEST_JUMP = timedelta(minutes=1)


class _Jump(NamedTuple):
    start: datetime
    end: datetime


class MovedTime:
    """The jumps of a mock's clock, which a test has moved, or frozen at another time.

    now: the present time of the mock. They are seen at its next call, and taken for the end of the
    time since the last one.
    """

    def __init__(self, now: datetime) -> None:
        self._jumps: list[_Jump] = []
        self._last = now
        self._last_real = RealTime.seconds()

    def note(self, now: datetime) -> None:
        """Note the present time of the mock."""
        real = RealTime.seconds()
        passed = timedelta(seconds=real - self._last_real)
        jump = now - self._last - passed
        if jump >= _SHORTEST_JUMP:
            self._jumps.append(_Jump(now - jump, now))
        self._last, self._last_real = now, real

    def sum_up_storage(self, backend: Backend, now: datetime) -> dict[str, Decimal]:
        """Return key ARN -> what it costs to store the key for the time of all jumps, in USD."""
        if not self._jumps:
            return {}
        prices, by_arn = backend.tariff.prices, attrgetter("arn")
        lifetimes = list(backend.key_lifetimes)
        whole = sum_up_storage(lifetimes, now, prices, by_arn)
        without = sum_up_storage(
            map(self._leave_out, lifetimes), self._leave_out_of(now), prices, by_arn
        )
        return {arn: cost - without[arn] for arn, cost in whole.items()}

    def _leave_out(self, lifetime: KeyLifetime) -> KeyLifetime:
        """Return a lifetime as it would be without the jumps."""
        until = lifetime.until
        return lifetime._replace(
            created=self._leave_out_of(lifetime.created),
            rotations=tuple(map(self._leave_out_of, lifetime.rotations)),
            until=None if until is None else self._leave_out_of(until),
        )

    def _leave_out_of(self, time: datetime) -> datetime:
        return time - sum(self._iterate_before(time), timedelta())

    def _iterate_before(self, time: datetime) -> Iterator[timedelta]:
        """Yield how long each jump lasted before a time."""
        for start, end in self._jumps:
            if start < time:
                yield min(time, end) - start
