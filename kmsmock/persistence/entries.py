"""The entries of a dict or set, of which each has a row of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any

from kmsmock.persistence.changes import DELETE_ENTRY, PUT_ENTRY, Emit
from kmsmock.persistence.persisted_types import ITSELF
from kmsmock.persistence.values import Writer
from kmsmock.timing.clock import Clock

_MUTABLE = (dict, list, set)


class _Entry:
    """An entry that is in the file."""

    __slots__ = ("is_mutable", "position", "references", "text", "value")

    def __init__(self, value: Any, position: int, text: int, references: Iterable[int]) -> None:
        self.value = value
        self.position = position
        #: The hash of its text.
        self.text = text
        self.references = tuple(references)
        self.is_mutable = is_mutable(value)


def is_mutable(value: Any) -> bool:
    """Return whether a value can change without being replaced."""
    return isinstance(value, _MUTABLE) or (
        type(value) is tuple and any(is_mutable(item) for item in value)
    )


class TrackedEntries:
    """What a file has of a dict or set.

    number: of the object that has it. name: of the attribute.
    """

    __slots__ = ("_known", "_last_position", "_name", "_number", "_obj")

    def __init__(self, number: int, obj: Any, name: str) -> None:
        self._number = number
        self._obj = obj
        self._name = name
        #: The entries in the file, in the order of the dict.
        self._known: dict[Any, _Entry] = {}
        self._last_position = 0

    def adopt(
        self, key: Any, value: Any, position: int, text: str, references: Iterable[int]
    ) -> None:
        """Add an entry that was read from the file."""
        self._known[key] = _Entry(value, position, hash(text), references)
        self._last_position = position

    @property
    def _container(self) -> Any:
        return self._obj if self._name == ITSELF else getattr(self._obj, self._name)

    def find_added(self, writer: Writer, emit: Emit) -> None:
        """Find entries that were added or removed; that others were replaced is not noticed."""
        container, known = self._container, self._known
        if not container and not known:
            return
        if isinstance(container, set):
            if len(container) != len(known):
                self.find_changes(writer, emit)
            return
        newest = next(reversed(known), None)
        added = []
        for key in reversed(container):
            if key == newest:
                break
            added.append(key)
        if len(container) != len(known) + len(added) or (
            newest is not None and container[newest] is not known[newest].value
        ):
            self.find_changes(writer, emit)
            return
        for key in reversed(added):
            self._put(key, container[key], writer, emit)

    def find_changes(self, writer: Writer, emit: Emit, *, is_thorough: bool = False) -> None:
        """Find entries that were added, removed, replaced or moved.

        is_thorough: whether the texts of all are compared.
        """
        container, known = self._container, self._known
        is_ordered = not isinstance(container, set)
        values = container if is_ordered else dict.fromkeys(container)
        for key in [key for key in known if key not in values]:
            emit((DELETE_ENTRY, (self._number, self._name, writer.dump(key))))
            del known[key]
        self._known = {}
        position, has_moved = 0, False
        for key, value in values.items():
            entry = known.get(key)
            if entry is not None and is_ordered and (has_moved or entry.position < position):
                entry = None
            if entry is not None:
                self._known[key] = entry
                position = entry.position
            if entry is None or is_thorough or entry.is_mutable or entry.value is not value:
                # What comes after something new is to have a later position.
                has_moved = has_moved or entry is None
                self._put(key, value, writer, emit)

    def _put(self, key: Any, value: Any, writer: Writer, emit: Emit) -> None:
        text = writer.dump(value)
        references = writer.references
        entry = self._known.get(key)
        if entry is not None and entry.text == hash(text):
            entry.value, entry.references = value, tuple(references)
            return
        if entry is None:
            self._last_position += 1
            position = self._last_position
        else:
            position = entry.position
        name = writer.dump(key)
        self._known[key] = _Entry(value, position, hash(text), references + writer.references)
        emit((PUT_ENTRY, (self._number, self._name, name, position, text)))

    def list_references(self) -> Iterator[int]:
        """Return the numbers of the objects that any entry refers to."""
        for entry in self._known.values():
            yield from entry.references


class ScheduledWork(TrackedEntries):
    """The scheduled work of a clock, by its number. On the clock it is a heap."""

    __slots__ = ("_last_number",)

    def __init__(self, number: int, clock: Clock, name: str) -> None:
        super().__init__(number, clock, name)
        self._last_number = 0

    def adopt(
        self, key: Any, value: Any, position: int, text: str, references: Iterable[int]
    ) -> None:
        """Add work that was read from the file."""
        super().adopt(key, value, position, text, references)
        self._last_number = key

    @property
    def _container(self) -> Any:
        return {entry[1]: entry for entry in sorted(self._obj.scheduled, key=itemgetter(1))}

    def find_added(self, writer: Writer, emit: Emit) -> None:
        """Find work that was scheduled, carried out or dropped."""
        clock: Clock = self._obj
        before, self._last_number = self._last_number, clock.scheduled_count
        if before == self._last_number and len(clock.scheduled) == len(self._known):
            return
        added = [entry for entry in clock.scheduled if entry[1] > before]
        if len(clock.scheduled) != len(self._known) + len(added):
            self.find_changes(writer, emit)
            return
        for entry in sorted(added, key=itemgetter(1)):
            self._put(entry[1], entry, writer, emit)
