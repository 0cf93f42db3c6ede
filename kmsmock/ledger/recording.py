"""Keeping records: so many of the newest, and counts of all before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from kmsmock.arns import name_in
from kmsmock.ledger.calls import Calls
from kmsmock.ledger.events import Event
from kmsmock.ledger.storage import KeyLife
from kmsmock.ledger.usage import Line, line_of


class Recorded(NamedTuple):
    """All that was recorded, for going back to it."""

    events: tuple[Event, ...]
    folded: dict[Line, int]


class CallLog(Calls):
    """The records of a mock, one for each call.

    kept: how many; older ones are dropped, and only counted. lives: of all keys that
    customers manage, the deleted ones among them.
    """

    def __init__(self, kept: int, lives: Iterable[KeyLife]) -> None:
        self._records: deque[Event] = deque()
        self._counts: dict[Line, int] = {}
        super().__init__(self._records, self._counts)
        self._kept = kept
        self._lives = lives
        self._latest: dict[str, tuple[Any, ...]] = {}

    def append(self, event: Event) -> None:
        """Take in a record; the oldest is dropped when too many are kept."""
        records = self._records
        records.append(event)
        if len(records) > self._kept:
            line = line_of(records.popleft())
            self._counts[line] = self._counts.get(line, 0) + 1

    def shared(self, operation: str, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
        """Give the parameters of the call before where they are the same, to keep them once.

        Only what is equal is shared, and only to be shown: nothing is decided by it.
        """
        latest = self._latest.get(operation)
        if latest is not None and latest == parameters:
            return latest
        self._latest[operation] = parameters
        return parameters

    def clear(self) -> None:
        """Forget all records and counts."""
        self._records.clear()
        self._counts.clear()
        self._latest.clear()

    def state(self) -> Recorded:
        """Give what `restore` needs."""
        return Recorded(tuple(self._records), dict(self._counts))

    def restore(self, recorded: Recorded) -> None:
        """Go back, also to records that have been dropped since."""
        self.clear()
        self._records.extend(recorded.events)
        self._counts.update(recorded.folded)

    def assert_all_keys_used(self, *, except_: Any = ()) -> None:
        """Assert that each customer managed key was used for cryptography, and successfully.

        Keys that have been deleted since count, too. except_: a key, or several, which need not
        be: by key id, key ARN, alias name, or anything with an ``arn``. Raises AssertionError that
        lists the others, ValueError for one in except_ that was never made.
        """
        __tracebackhide__ = True
        given = [except_] if isinstance(except_, str) or hasattr(except_, "arn") else list(except_)
        excepted = {getattr(key, "arn", key) for key in given}
        lives = list(self._lives)
        unknown = excepted - {name for life in lives for name in _names(life)}
        if unknown:
            raise ValueError(f"no key was made that is {min(unknown)!r}, as except_ says")
        unused = [life for life in lives if not life.was_used and not excepted & set(_names(life))]
        if not unused:
            return
        makers = {event.key_arn: event.test_id for event in self if event.operation == "CreateKey"}
        lines = [
            f"{len(unused)} of {len(lives)} keys were not used for any cryptographic operation:"
        ]
        for life in unused:
            aliases = f" ({', '.join(life.aliases)})" if life.aliases else ""
            maker = f", made by {makers[life.arn]}" if makers.get(life.arn) else ""
            lines.append(f"  {life.arn}{aliases}{maker}")
        raise AssertionError("\n".join(lines))


def _names(life: KeyLife) -> tuple[str, ...]:
    return (life.arn, name_in(life.arn), *life.aliases)
