"""The sequence of records that tests look at, filter, and assert on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, overload

from kmsmock.ledger.events import MEMBERS, Event

#: How many records are kept; older ones are dropped, and counted.
CALLS_KEPT = 100_000


class Calls(Sequence[Event]):
    """The records of a mock, oldest first.

    dropped: how many older ones are no longer kept.
    """

    def __init__(self, events: Sequence[Event] = ()) -> None:
        self._events: deque[Event] = deque(events, maxlen=CALLS_KEPT)
        self.dropped = 0
        self._latest: dict[str, tuple[Any, ...]] = {}
        #: The pytest test that runs now; set by the plugin.
        self.test_id: Callable[[], str | None] = _no_test

    def append(self, event: Event) -> None:
        """Take in a record; the oldest is dropped when too many are kept."""
        if len(self._events) == CALLS_KEPT:
            self.dropped += 1
        self._events.append(event)

    def shared(self, operation: str, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
        """Give the parameters of the call before where they are the same, to keep them once."""
        latest = self._latest.get(operation)
        if latest is not None and latest == parameters:
            return latest
        self._latest[operation] = parameters
        return parameters

    def clear(self) -> None:
        """Forget all records."""
        self._events.clear()
        self._latest.clear()
        self.dropped = 0

    def truncate(self, length: int) -> None:
        """Forget the records behind the first so many."""
        while len(self._events) > length:
            self._events.pop()

    def __len__(self) -> int:
        return len(self._events)

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> Calls: ...
    def __getitem__(self, index: int | slice) -> Event | Calls:
        if isinstance(index, slice):
            return Calls(list(self._events)[index])
        return self._events[index]

    def __iter__(self) -> Iterator[Event]:
        return iter(self._events)

    def __repr__(self) -> str:
        shown = "\n".join(f"  {event}" for event in islice(reversed(self._events), 10))
        more = f" (newest 10 of {len(self)})" if len(self) > 10 else ""
        return f"<{len(self)} calls{more}:\n{shown}\n>" if shown else "<no calls>"

    def filter(self, operation: str | None = None, /, **members: Any) -> Calls:
        """Give the calls of an operation, and those whose members have the given values.

        key: a key id, key ARN or alias name, instead of key_arn. Raises TypeError for a member
        that records do not have.
        """
        key = members.pop("key", None)
        unknown = members.keys() - set(MEMBERS)
        if unknown:
            raise TypeError(
                f"records of calls have no {min(unknown)!r}; they have {', '.join(MEMBERS)}"
            )
        return Calls(
            [
                event
                for event in self._events
                if operation in (None, event.operation)
                and (key is None or _concerns(event, key))
                and all(getattr(event, name) == value for name, value in members.items())
            ]
        )

    def assert_called(self, operation: str, /, *, times: int | None = None, **members: Any) -> None:
        """Assert that an operation was called, so many times if given, with these members.

        Raises AssertionError that lists the nearest calls.
        """
        found = len(self.filter(operation, **members))
        if (found == times) if times is not None else found:
            return
        wanted = "at least once" if times is None else f"{times} times"
        what = ", ".join([operation, *(f"{name}={value!r}" for name, value in members.items())])
        nearest = self.filter(operation)[-5:] or self[-5:]
        lines = "\n".join(f"  {event}" for event in nearest) or "  (no calls at all)"
        raise AssertionError(f"expected {what} {wanted}, found {found}; nearest calls:\n{lines}")

    def assert_not_called(self, operation: str, /, **members: Any) -> None:
        """Assert that an operation was not called with these members."""
        self.assert_called(operation, times=0, **members)


def _concerns(event: Event, key: str) -> bool:
    arn = event.key_arn or ""
    return key in (arn, arn.rpartition("/")[2], event.alias) if key else False


def _no_test() -> None:
    return None
