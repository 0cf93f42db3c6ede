"""Sequences that only grow at their end and are shortened at their beginning, such as the calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Reversible, Sized
from typing import Any, NamedTuple, Protocol

from kmsmock.persistence.changes import Emit
from kmsmock.persistence.values import Writer


class Records(Reversible[Any], Sized, Protocol):
    """A sequence of records, oldest first."""


class _Kept(NamedTuple):
    """A record that is in the file: its number there, and the objects that it refers to."""

    record: Any
    number: int
    references: tuple[int, ...]


class TrackedRecords:
    """What a file has of a sequence.

    table: where its rows are. find: returns the sequence. dropped: called with each record that is
    no longer in it.
    """

    def __init__(
        self,
        table: str,
        find: Callable[[], Records],
        dropped: Callable[[Any], None] | None = None,
    ) -> None:
        self._find = find
        self._dropped = dropped
        self._kept: deque[_Kept] = deque()
        self._last = 0
        self._put = f"INSERT OR REPLACE INTO {table} VALUES (?, ?)"  # noqa: S608 - a fixed name
        self._delete = f"DELETE FROM {table} WHERE number <= ?"  # noqa: S608 - a fixed name

    def adopt(self, record: Any, number: int, references: Iterable[int]) -> None:
        """Add a record that was read from the file."""
        self._kept.append(_Kept(record, number, tuple(references)))
        self._last = number

    def find_changes(self, writer: Writer, emit: Emit) -> None:
        """Emit the statements that write new records and delete the ones that are dropped."""
        records, kept = self._find(), self._kept
        if not records and not kept:
            return
        added = []
        newest = kept[-1].record if kept else None
        for record in reversed(records):
            if record is newest:
                break
            added.append(record)
        dropped = len(kept) + len(added) - len(records)
        if dropped:
            last = 0
            for _ in range(min(dropped, len(kept))):
                record, last, _ = kept.popleft()
                if self._dropped is not None:
                    self._dropped(record)
            emit((self._delete, (last,)))
        for record in reversed(added):
            self._last += 1
            text = writer.dump(record)
            kept.append(_Kept(record, self._last, tuple(writer.references)))
            emit((self._put, (self._last, text)))

    def list_references(self) -> Iterable[int]:
        """Return the numbers of the objects that any record refers to."""
        return (number for kept in self._kept for number in kept.references)
