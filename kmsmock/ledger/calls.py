"""Sequences of call records that tests can filter and assert on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, overload

from kmsmock.ledger.assertion_messages import count_by_operation, explain_mismatch
from kmsmock.ledger.call_filter import CallFilter
from kmsmock.ledger.call_record import Call
from kmsmock.ledger.known_names import KnownNames
from kmsmock.ledger.usage import Usage, count_usage
from kmsmock.misuse.caller_warnings import warn_caller
from kmsmock.misuse.public_object import PublicObject
from kmsmock.misuse.values import require_type

#: How many calls the repr lists.
_IN_REPR = 3


class Calls(PublicObject, Sequence[Call], internal=("read_filter",), own_checks=("operation",)):
    """Records of calls, oldest first: all of a mock, or some of them.

    Items and indexes are those of the records that are kept; assertions also count dropped ones.

    dropped_counts: counts of older calls whose records were dropped. is_exact: whether all of these
    calls are among the selected ones; otherwise only some may be. names: those that calls can
    have; None if that is not known.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        events: Sequence[Call] = (),
        dropped_counts: Usage | None = None,
        *,
        is_exact: bool = True,
        names: KnownNames | None = None,
    ) -> None:
        self._events = events
        self._names = names
        self._dropped_counts: Usage = {} if dropped_counts is None else dropped_counts
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
        dropped_counts = self._dropped_counts if start == 0 and step == 1 else None
        if self.dropped and (index.start or 0) > 0:
            warn_caller(f"indexes have moved: {self.note}")
        selected = list(self._events)[index]
        return Calls(selected, dropped_counts, is_exact=self.is_exact, names=self._names)

    def __iter__(self) -> Iterator[Call]:
        # A copy, since other threads may make calls during the iteration.
        return iter(list(self._events))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (Calls, list, tuple)):
            return list(self) == list(other)
        return NotImplemented

    def __repr__(self) -> str:
        # One line, since pytest prints it within other lines, such as that of `len(kms.calls)`.
        newest = [str(event) for event in islice(reversed(self._events), _IN_REPR)]
        parts = [f"{len(self)} call{'' if len(self) == 1 else 's'}"]
        if self.dropped:
            parts.append(f" after {self.dropped} older that are no longer kept")
        if newest:
            parts.append(f" ({count_by_operation(self)}), newest first: {'; '.join(newest)}")
        return f"<{''.join(parts)}{'; ...' if len(self) > _IN_REPR else ''}>"

    def __str__(self) -> str:
        lines = [
            f"{len(self)} calls: {count_by_operation(self)}",
            *(f"  {event}" for event in self),
        ]
        if self.dropped:
            lines.insert(1, f"  ... {self.note}")
        return "\n".join(lines)

    # --- counts ----------------------------------------------------------------------------

    @property
    def dropped(self) -> int:
        """How many older calls were dropped that belong here, or may do so if not `is_exact`."""
        return sum(self._dropped_counts.values())

    @property
    def is_exact(self) -> bool:
        """Whether all dropped calls are known to belong here."""
        return self._is_exact

    @property
    def made(self) -> int:
        """How many calls were made, including dropped ones."""
        return len(self._events) + (
            sum(self._dropped_counts.values()) if self._dropped_counts else 0
        )

    @property
    def note(self) -> str:
        """A sentence about dropped calls; empty if there are none."""
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
        """The counts of calls, including dropped ones."""
        return count_usage(self, self._dropped_counts)

    def filter(self, operation: str | None = None, **members: Any) -> Calls:
        """Return the calls of an operation whose members have these values.

        members: those of `Call`, and key: an id, ARN or alias, an object with an ``arn``, key
        metadata, or a response that names a key. caller: an ARN or a principal; of a role it means
        all of its sessions. account: 12 digits, or an `Account`. via_service: such as ``s3``, or
        the value of ``kms:ViaService``. Raises TypeError for a member that records do not have,
        TypeError and ValueError for a value that no call can have, such as an alias that never
        existed and that no call has named.
        """
        return self._select(self.read_filter(operation, members))

    def read_filter(self, operation: str | None, members: Mapping[str, Any]) -> CallFilter:
        """Return a filter with these values; raises the errors of `filter`."""
        call_filter = CallFilter(operation, members)
        if self._names is not None:
            self._names.require(call_filter, self)
        return call_filter

    def _select(self, call_filter: CallFilter) -> Calls:
        dropped_counts = {
            line: count
            for line, count in self._dropped_counts.items()
            if call_filter.can_match_line(line)
        }
        is_exact = self.is_exact and all(map(call_filter.matches_whole_line, dropped_counts))
        selected = [event for event in self if call_filter.matches(event)]
        return Calls(selected, dropped_counts, is_exact=is_exact, names=self._names)

    # --- assertions ------------------------------------------------------------------------

    def assert_called(
        self, operation: str | None = None, *, times: int | None = None, **members: Any
    ) -> None:
        """Assert that an operation was called with these members.

        operation: None for any. times: how many times; None for at least once. members: see
        `filter`. Raises AssertionError with the most similar call and its differences; also if
        dropped calls may match, so that the number is not known.
        """
        __tracebackhide__ = True
        if times is not None:
            _require_count(times, "times")
        self._require(self.read_filter(operation, members), times)

    def assert_not_called(self, operation: str | None = None, **members: Any) -> None:
        """Assert that an operation was not called with these members; None for any operation."""
        __tracebackhide__ = True
        self._require(self.read_filter(operation, members), 0)

    def assert_call_count(self, count: int, operation: str | None = None, **members: Any) -> None:
        """Assert the number of calls: of all, or of those of an operation or with these members."""
        __tracebackhide__ = True
        _require_count(count, "count")
        self._require(self.read_filter(operation, members), count)

    def _require(self, call_filter: CallFilter, times: int | None) -> None:
        __tracebackhide__ = True
        matching = self._select(call_filter)
        most = len(matching) + matching.dropped
        least = most if matching.is_exact else len(matching)
        if least >= 1 if times is None else least == most == times:
            return
        lines = explain_mismatch(call_filter, times, matching, self, (least, most))
        if matching.dropped:
            lines.append(f"({matching.note})")
        raise AssertionError("\n".join(lines))


def _require_count(value: object, name: str) -> None:
    """Require a number of calls. name: of the argument. Raises TypeError, ValueError."""
    hint = "" if name == "times" else ": assert_call_count(5, 'Encrypt')"
    require_type(value, int, name, f"a whole number{hint}")
    if isinstance(value, int) and value < 0:
        raise ValueError(f"{name} must be 0 or more, not {value}")
