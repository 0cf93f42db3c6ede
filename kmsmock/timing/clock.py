"""The clock of a mock: the only place that knows the time, and what falls due by it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import MAXYEAR, datetime, timedelta, timezone
from typing import Any

from kmsmock.timing.gc_pause import paused_collector

UTC = timezone.utc


class Clock:
    """Time as the mock sees it: the computer's time plus a shift.

    It asks ``datetime.now`` anew each time, so that it follows freezegun and time-machine.
    start_time: an aware datetime at which the clock starts; the computer's time when None.
    stands_still: whether it only moves when it is moved; then start_time is needed. lock: held
    while it is moved, so that no call comes in between what falls due.
    """

    def __init__(
        self,
        start_time: datetime | None = None,
        *,
        stands_still: bool = False,
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self.lock = lock or nullcontext()
        self._shift = timedelta()
        self._base: datetime | None = None
        self._agenda: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._order = itertools.count()
        if stands_still:
            assert start_time is not None
            self._base = _aware(start_time)
        elif start_time is not None:
            self._shift = _aware(start_time) - datetime.now(UTC)

    def now(self) -> datetime:
        """Give the current time: aware, UTC, in whole milliseconds as KMS's timestamps are."""
        time = self._base or datetime.now(UTC)
        if self._shift:
            time += self._shift
        return time.replace(microsecond=time.microsecond // 1000 * 1000)

    def advance(
        self,
        by: timedelta | None = None,
        /,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        weeks: float = 0,
    ) -> datetime:
        """Move the clock forward and give the new time; raises ValueError for going back."""
        if not isinstance(by, (timedelta, type(None))):
            raise TypeError(
                f"advance() takes a timedelta, or days=, hours=, minutes=, seconds=, weeks=; not "
                f"{by!r}"
            )
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, weeks=weeks)
        step += by or timedelta()
        if step < timedelta():
            raise ValueError(
                "the clock of a mock only moves forward; advance() takes what is to come"
            )
        with self.lock:
            now = self._move(step)
            self.settle(now)
        return now

    def move_to(self, time: datetime) -> datetime:
        """Move the clock to an aware datetime and give it; raises ValueError for going back."""
        time = _aware(time)
        with self.lock:
            now = self.now()
            if time < now:
                raise ValueError(
                    f"the clock of a mock only moves forward; it is {now} and cannot be {time}"
                )
            # The computer's time goes on meanwhile: what is due is what is due at this time.
            self._move(time - now)
            self.settle(time)
        return time

    def _move(self, step: timedelta) -> datetime:
        before = self._shift
        try:
            self._shift += step
            now = self.now()
        except OverflowError:
            self._shift = before
            raise ValueError(f"the clock of a mock ends with the year {MAXYEAR}") from None
        return now

    def at(self, due: datetime, action: Callable[[datetime], None]) -> None:
        """Note an action for a time to come; it is called with the time at which it was due."""
        heapq.heappush(self._agenda, (due, next(self._order), action))

    def settle(self, now: datetime) -> None:
        """Carry out, each at its own time and in order, all that has fallen due."""
        agenda = self._agenda
        if not agenda or agenda[0][0] > now:
            return
        # There may be years of events.
        with paused_collector():
            while agenda and agenda[0][0] <= now:
                due, _, action = heapq.heappop(agenda)
                action(due)

    def state(self) -> tuple[Any, ...]:
        """Give what `restore` needs: the shift, and what is to come."""
        return (self._shift, self._agenda)

    def restore(self, state: tuple[Any, ...]) -> None:
        """Go back to a state; this is the one way in which time runs backwards."""
        self._shift, self._agenda = state

    def forget(self) -> None:
        """Drop all that was to come."""
        self._agenda.clear()


def _aware(time: datetime) -> datetime:
    if not isinstance(time, datetime):
        raise TypeError(f"the clock needs an aware datetime, not a {type(time).__name__}")
    if time.tzinfo is None:
        raise ValueError(f"the clock needs an aware datetime, with a time zone; {time!r} has none")
    return time.astimezone(UTC)
