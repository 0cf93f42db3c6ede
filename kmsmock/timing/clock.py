"""The clock of a mock: the only source of time, and the queue of scheduled work."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import MAXYEAR, datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import Any

from kmsmock.misuse.public_object import PublicObject
from kmsmock.misuse.values import require_type
from kmsmock.timing.dates import LAST, UTC, read_time, to_utc
from kmsmock.timing.gc_pause import pause_gc

#: When an action is due, its number, the action, and whether it still has anything to do.
_Scheduled = tuple[datetime, int, Callable[[datetime], None], "Callable[..., bool] | None"]
_FEW_SCHEDULED = 1_000


class Clock(
    PublicObject,
    internal=(
        *("cancel_scheduled", "done_count", "lock", "restore", "resume", "run_due_work"),
        *("schedule", "schedule_after", "scheduled", "scheduled_count", "state"),
    ),
):
    """Time as the mock sees it: the computer's time plus a shift.

    It reads the computer's time each time, once in each call of KMS, so that it follows freezegun
    and time-machine.
    start_time: an aware datetime at which the clock starts; None for the computer's time.
    stands_still: whether only `advance` and `move_to` move it; then start_time is required. lock:
    held while scheduled work is carried out, so that no call is answered in between.
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
        #: The scheduled work, a heap.
        self.scheduled: list[_Scheduled] = []
        #: With how many scheduled actions those that are no longer needed are dropped.
        self._most = _FEW_SCHEDULED
        #: How many actions were scheduled, and how many of them were carried out.
        self.scheduled_count = self.done_count = 0
        if stands_still:
            assert start_time is not None
            self._base = _aware(start_time)
        elif start_time is not None:
            self._shift = _aware(start_time) - read_time()

    def now(self) -> datetime:
        """Return the current time: aware, UTC, in whole milliseconds like KMS's timestamps.

        Raises ValueError if that is outside of the calendar, from year 1 to 9999.
        """
        time = self._base
        if time is None:
            # As `read_time` does, without the call while nothing has replaced the class.
            time = datetime.now(UTC) if datetime is type(LAST) else read_time()
        if self._shift:
            try:
                time += self._shift
            except OverflowError:
                raise _make_beyond_error() from None
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
        """Move the clock forward; return the new time.

        Raises ValueError for a negative step, and for a time beyond the year 9999.
        """
        if not isinstance(by, (timedelta, type(None))):
            raise TypeError(
                f"advance() takes a timedelta, or days=, hours=, minutes=, seconds=, weeks=; not "
                f"{by!r}"
            )
        step = by or timedelta()
        amounts = {"weeks": weeks, "days": days, "hours": hours, "minutes": minutes}
        for unit, amount in {**amounts, "seconds": seconds}.items():
            step += _read_step(unit, amount)
        if step < timedelta():
            raise ValueError(
                "the clock of a mock only moves forward; advance() does not take a negative time"
            )
        with self.lock:
            now = self._move(step)
            self.run_due_work(now)
        return now

    def move_to(self, time: datetime) -> datetime:
        """Move the clock to an aware datetime; return it. Raises ValueError for an earlier time."""
        time = _aware(time)
        with self.lock:
            now = self.now()
            if time < now:
                raise ValueError(
                    f"the clock of a mock only moves forward; it is {now} and cannot be {time}"
                )
            # now() may be later than `time` already; only run what is due at `time`.
            self._shift += time - now
            self.run_due_work(time)
        return time

    def _move(self, step: timedelta) -> datetime:
        before = self._shift
        try:
            self._shift += step
            return self.now()
        except (OverflowError, ValueError):
            self._shift = before
            raise _make_beyond_error() from None

    def schedule(
        self,
        due: datetime,
        action: partial[None] | Callable[[datetime], None],
        is_needed: Callable[..., bool] | None = None,
    ) -> None:
        """Schedule an action; `run_due_work` calls it with the time at which it was due.

        is_needed: returns for the arguments of a partial whether it still has anything to do; once
        it has not, the action may be dropped, and so may a second one that is equal.
        """
        self.scheduled_count += 1
        heapq.heappush(self.scheduled, (due, self.scheduled_count, action, is_needed))
        if len(self.scheduled) > self._most:
            self.scheduled[:] = _list_needed(self.scheduled)
            self._most = max(_FEW_SCHEDULED, 2 * len(self.scheduled))

    def schedule_after(
        self, now: datetime, delay: timedelta, action: Callable[[datetime], None]
    ) -> None:
        """Schedule an action some time after a time; beyond the year 9999 it is never due."""
        if delay <= LAST - now:
            self.schedule(now + delay, action)

    def run_due_work(self, now: datetime) -> None:
        """Carry out scheduled work that is due, in order of its due time.

        Nothing runs in the background: each request, and each access of a test to the state, begins
        with this.
        """
        scheduled = self.scheduled
        if not scheduled or scheduled[0][0] > now:
            return
        # There may be years of scheduled work.
        with pause_gc():
            while scheduled and scheduled[0][0] <= now:
                due, _, action, _ = heapq.heappop(scheduled)
                self.done_count += 1
                action(due)

    def state(self) -> tuple[Any, ...]:
        """Return the state that `restore` takes: the shift, and the scheduled work."""
        return (self._shift, self.scheduled)

    def restore(self, state: tuple[Any, ...]) -> None:
        """Return to a saved state. Only this moves the clock backwards."""
        self._shift, self.scheduled = state

    def resume(self) -> None:
        """Make a heap of scheduled work that was read from a file."""
        heapq.heapify(self.scheduled)
        self.scheduled_count = max((entry[1] for entry in self.scheduled), default=0)

    def cancel_scheduled(self) -> None:
        """Cancel all scheduled work."""
        self.scheduled.clear()


def _list_needed(scheduled: Iterable[_Scheduled]) -> Iterator[_Scheduled]:
    """Yield the actions that are needed, in order."""
    seen = set()
    for entry in sorted(scheduled, key=itemgetter(0, 1)):
        due, _, action, is_needed = entry
        if is_needed is not None and isinstance(action, partial):
            arguments = action.args
            equal = (due, action.func, *map(id, (a for a in arguments if a != due)))
            if equal in seen or not is_needed(*arguments):
                continue
            seen.add(equal)
        yield entry


def _aware(time: datetime) -> datetime:
    if not isinstance(time, datetime):
        raise TypeError(f"the clock needs an aware datetime, not a {type(time).__name__}")
    if time.tzinfo is None:
        raise ValueError(
            f"the clock needs an aware datetime, as with tzinfo=timezone.utc; {time!r} has none"
        )
    return to_utc(time)


def _read_step(unit: str, amount: float) -> timedelta:
    require_type(amount, (int, float), unit, "a number")
    try:
        return timedelta(**{unit: amount})
    except OverflowError:
        raise _make_beyond_error() from None
    except ValueError:
        raise ValueError(f"{unit} must be a number, not {amount}") from None


def _make_beyond_error() -> ValueError:
    return ValueError(
        f"the clock of a mock begins with the year 1 and ends with the year {MAXYEAR}"
    )
