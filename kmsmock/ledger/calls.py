"""Records of calls that tests look at, filter, and assert on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, overload

from kmsmock.ledger.differences import not_as_wanted, summary
from kmsmock.ledger.events import Call
from kmsmock.ledger.matching import Wanted
from kmsmock.ledger.usage import Usage, usage_of

_SHOWN = 3


class Calls(Sequence[Call]):
    """Records of calls, oldest first: all of a mock, or some of them.

    folded: older calls that are no longer kept one by one, counted: those that belong here, or,
    if is_exact is false, that may. Assertions take them into account; the items are those kept,
    and places are counted from the oldest of them.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self, events: Sequence[Call] = (), folded: Usage | None = None, *, is_exact: bool = True
    ) -> None:
        self._events = events
        self._folded: Usage = {} if folded is None else folded
        self._is_exact = is_exact

    # --- a sequence ------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._events)

    @overload
    def __getitem__(self, index: int) -> Call: ...
    @overload
    def __getitem__(self, index: slice) -> Calls: ...
    def __getitem__(self, index: int | slice) -> Call | Calls:
        if not isinstance(index, slice):
            return self._events[index]
        start, _, step = index.indices(len(self))
        folded = self._folded if start == 0 and step == 1 else None
        if self.dropped and (index.start or 0) > 0:
            warnings.warn(f"places have moved: {self.note}", stacklevel=2)
        return Calls(list(self._events)[index], folded, is_exact=self.is_exact)

    def __iter__(self) -> Iterator[Call]:
        # A copy, since calls of other threads may come meanwhile.
        return iter(list(self._events))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (Calls, list, tuple)):
            return list(self) == list(other)
        return NotImplemented

    def __repr__(self) -> str:
        # One line, since pytest shows it inside of others, as that of `len(kms.calls)`.
        newest = [str(event) for event in islice(reversed(self._events), _SHOWN)]
        parts = [f"{len(self)} call{'' if len(self) == 1 else 's'}"]
        if self.dropped:
            parts.append(f" after {self.dropped} older that are no longer kept")
        if newest:
            parts.append(f" ({summary(self)}), newest first: {'; '.join(newest)}")
        return f"<{''.join(parts)}{'; ...' if len(self) > _SHOWN else ''}>"

    def __str__(self) -> str:
        lines = [f"{len(self)} calls: {summary(self)}", *(f"  {event}" for event in self)]
        if self.dropped:
            lines.insert(1, f"  ... {self.note}")
        return "\n".join(lines)

    # --- what is in it ---------------------------------------------------------------------

    @property
    def dropped(self) -> int:
        """How many older calls are no longer kept that belong here, or may."""
        return sum(self._folded.values())

    @property
    def is_exact(self) -> bool:
        """Whether it is known of all calls that are no longer kept that they belong here."""
        return self._is_exact

    @property
    def made(self) -> int:
        """How many calls there were, those that are no longer kept among them."""
        return len(self._events) + (sum(self._folded.values()) if self._folded else 0)

    @property
    def note(self) -> str:
        """Say what is no longer kept; empty when all is."""
        if not self.dropped:
            return ""
        which = "of these" if self.is_exact else "that may be among these"
        return (
            f"{self.dropped} older calls {which} are no longer kept one by one; "
            "mock_kms(calls_kept=...) keeps more"
        )

    @property
    def operations(self) -> list[str]:
        """The names of the operations, in the order of the calls."""
        return [event.operation for event in self]

    @property
    def usage(self) -> Usage:
        """The calls counted, those among them that are no longer kept."""
        return usage_of(self, self._folded)

    def filter(self, operation: str | None = None, /, **members: Any) -> Calls:
        """Give the calls of an operation, and those whose members have the given values.

        members: those of a record, and key: a key id, key ARN, alias name or alias ARN, or anything
        with an ``arn``. caller: an ARN or a principal; that of a role means all of its sessions.
        via_service: such as ``s3``, with or without Region and domain. Raises TypeError for a
        member that records do not have, ValueError for an operation or error code that KMS does
        not have.
        """
        return self._select(Wanted(operation, members))

    def _select(self, wanted: Wanted) -> Calls:
        folded = {line: count for line, count in self._folded.items() if wanted.may_match(line)}
        is_exact = self.is_exact and all(map(wanted.is_sure, folded))
        return Calls([e for e in self if wanted.matches(e)], folded, is_exact=is_exact)

    # --- assertions ------------------------------------------------------------------------

    def assert_called(self, operation: str, /, *, times: int | None = None, **members: Any) -> None:
        """Assert that an operation was called, so many times if given, with these members.

        Raises AssertionError that shows the nearest call and how it differs; also when it cannot
        be told, because calls that may be meant are no longer kept.
        """
        __tracebackhide__ = True
        self._require(Wanted(operation, members), times)

    def assert_not_called(self, operation: str, /, **members: Any) -> None:
        """Assert that an operation was not called with these members."""
        __tracebackhide__ = True
        self._require(Wanted(operation, members), 0)

    def assert_call_count(
        self, count: int, operation: str | None = None, /, **members: Any
    ) -> None:
        """Assert how many calls there are: all, or those of an operation or with these members."""
        __tracebackhide__ = True
        self._require(Wanted(operation, members), count)

    def _require(self, wanted: Wanted, times: int | None) -> None:
        __tracebackhide__ = True
        found = self._select(wanted)
        most = len(found) + found.dropped
        least = most if found.is_exact else len(found)
        if least >= 1 if times is None else least == most == times:
            return
        lines = not_as_wanted(wanted, times, found, self, (least, most))
        if found.dropped:
            lines.append(f"({found.note})")
        raise AssertionError("\n".join(lines))
