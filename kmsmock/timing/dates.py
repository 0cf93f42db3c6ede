"""Dates of the calendar that Python has, from year 1 to 9999, also while freezegun is active.

freezegun replaces the class ``datetime`` in the modules that use it: a frozen `datetime` is a
subclass, whose ``now`` adds a ``tz_offset`` that is not part of the frozen time. Dates of this
package are always of Python's own class.
"""

from __future__ import annotations

from datetime import MAXYEAR, datetime, timedelta, timezone

UTC = timezone.utc
#: The last time of the calendar, in whole milliseconds: of Python's own class, also if this module
#: is imported while the time is frozen.
LAST: datetime = next(each for each in datetime.__mro__ if each.__module__ == "datetime")(
    MAXYEAR, 12, 31, 23, 59, 59, 999_000, UTC
)


def read_time() -> datetime:
    """Return the time of the computer in UTC, or the one that freezegun or time-machine has set.

    It is read once, since each reading moves a time that is frozen with ``auto_tick_seconds``.
    """
    # No name of this module has Python's own class, since freezegun would replace it, too.
    if datetime is type(LAST):
        return datetime.now(UTC)
    return to_real(datetime.utcnow().replace(tzinfo=UTC))  # noqa: DTZ003 - without the tz_offset


def to_real(time: datetime) -> datetime:
    """Return a time as an object of Python's own class; other libraries have subclasses."""
    real = type(LAST)
    if type(time) is real:
        return time
    clock = (time.hour, time.minute, time.second, time.microsecond)
    return real(time.year, time.month, time.day, *clock, time.tzinfo, fold=time.fold)


def to_utc(time: datetime) -> datetime:
    """Return an aware time in UTC; raises ValueError for one outside of the calendar."""
    try:
        return to_real(time).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{to_real(time)} is not in the years 1 to {MAXYEAR} in UTC") from None


def add(time: datetime, step: timedelta) -> datetime:
    """Return a later time; raises ValueError for one beyond the calendar."""
    try:
        return time + step
    except OverflowError:
        raise ValueError(
            f"the clock of a mock ends with the year {MAXYEAR}, before {step} after {time}"
        ) from None


def add_or_last(time: datetime, step: timedelta) -> datetime:
    """Return a later time, or `LAST` for one beyond the calendar."""
    return time + step if step < LAST - time else LAST


def format_time(time: datetime) -> str:
    """Format a time, which must be in UTC, as ISO 8601 in whole seconds."""
    # Unlike strftime, it writes the years before 1000 with four digits.
    return f"{time.isoformat()[:19]}Z"


def format_milliseconds(time: datetime) -> str:
    """Format a time, which must be in UTC, as ISO 8601 in whole milliseconds."""
    return f"{time.isoformat()[:19]}.{time.microsecond // 1000:03}Z"
