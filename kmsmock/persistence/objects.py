"""What a file has of one object: its attributes, and the entries of its dicts and sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import Enum, auto
from operator import attrgetter, is_
from typing import Any

from kmsmock.keys.material import KeyMaterial
from kmsmock.persistence.changes import PUT_OBJECT, PUT_PART, Emit
from kmsmock.persistence.entries import ScheduledWork, TrackedEntries, is_mutable
from kmsmock.persistence.persisted_types import TYPES, Persisted
from kmsmock.persistence.values import Writer, get_secret
from kmsmock.timing.clock import Clock

#: The name of the row that has all attributes but those with rows of their own.
MAIN = ""
_MUTABLE = (dict, list, set)


class Look(Enum):
    """How closely an object is looked at."""

    #: Values are compared by identity; entries that were replaced are not noticed.
    QUICK = auto()
    #: Values and entries are compared by identity.
    NORMAL = auto()
    #: All texts are compared.
    THOROUGH = auto()


def _make_getter(attributes: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if len(attributes) > 1:
        return attrgetter(*attributes)
    return lambda obj: tuple([getattr(obj, name) for name in attributes])


#: Class -> name of a row -> the attributes to compare; those that are decisive are not written.
_ROWS: Mapping[type, Mapping[str, tuple[str, ...]]] = {
    cls: {MAIN: (*each.list_fields(), *each.decisive), **{name: (name,) for name in each.apart}}
    for cls, each in TYPES.items()
}
#: Class -> name of a row -> returns the values of these attributes.
_GETTERS: Mapping[type, Mapping[str, Callable[[Any], tuple[Any, ...]]]] = {
    cls: {name: _make_getter(attributes) for name, attributes in rows.items()}
    for cls, rows in _ROWS.items()
}


class _Row:
    """A row that is in the file, or is to be."""

    __slots__ = ("_contents", "_is_deep", "_values", "references", "text")

    def __init__(self) -> None:
        #: The values of the attributes, and copies of the lists, dicts and sets among them.
        self._values: tuple[Any, ...] | None = None
        self._contents: list[tuple[int, tuple[Any, ...]]] = []
        #: Whether something that can change is deeper in them.
        self._is_deep = False
        #: The hash of the text.
        self.text: int | None = None
        self.references: list[int] = []

    def adopt(self, text: str, references: list[int]) -> None:
        """Note a text that was read from the file."""
        self.text, self.references = hash(text), references

    def is_same(self, values: tuple[Any, ...]) -> bool:
        """Return whether these are the values that were written."""
        if self._values is None or self._is_deep or not all(map(is_, values, self._values)):
            return False
        for index, before in self._contents:
            now = _list_content(values[index])
            if len(now) != len(before) or not all(map(is_, now, before)):
                return False
        return True

    def keep(self, values: tuple[Any, ...], references: list[int]) -> None:
        """Keep the values that were written, to compare later ones."""
        self._values, self.references = values, references
        self._contents = [
            (index, _list_content(value))
            for index, value in enumerate(values)
            if isinstance(value, _MUTABLE)
        ]
        self._is_deep = any(type(value) is tuple and is_mutable(value) for value in values) or any(
            is_mutable(item) for _, content in self._contents for item in content
        )


def _list_content(value: Any) -> tuple[Any, ...]:
    return (*value, *value.values()) if isinstance(value, dict) else tuple(value)


class TrackedObject:
    """What a file has of an object. number: its number there."""

    __slots__ = ("_persisted", "entries", "number", "obj", "rows")

    def __init__(self, number: int, obj: Any) -> None:
        self.number = number
        self.obj = obj
        self._persisted: Persisted = TYPES[type(obj)]
        self.rows = {name: _Row() for name in _ROWS[type(obj)]}
        kind = ScheduledWork if isinstance(obj, Clock) else TrackedEntries
        self.entries = {name: kind(number, obj, name) for name in self._persisted.entries}

    def find_changes(self, writer: Writer, emit: Emit, look: Look) -> None:
        """Emit the statements that write what has changed."""
        obj = self.obj
        for name, get_values in _GETTERS[type(obj)].items():
            values, row = get_values(obj), self.rows[name]
            if look is Look.THOROUGH or not row.is_same(values):
                self._write(name, row, values, writer, emit)
        for entries in self.entries.values():
            if look is Look.QUICK:
                entries.find_added(writer, emit)
            else:
                entries.find_changes(writer, emit, is_thorough=look is Look.THOROUGH)

    def keep_values(self) -> None:
        """Keep the values of an object that was read from the file."""
        for name, get_values in _GETTERS[type(self.obj)].items():
            row = self.rows[name]
            row.keep(get_values(self.obj), row.references)

    def _write(
        self, name: str, row: _Row, values: tuple[Any, ...], writer: Writer, emit: Emit
    ) -> None:
        if name == MAIN:
            names = _ROWS[type(self.obj)][MAIN]
            attributes = dict(zip(names, values, strict=True))
            for decisive in self._persisted.decisive:
                del attributes[decisive]
            if isinstance(self.obj, KeyMaterial):
                attributes["secret"] = get_secret(self.obj)
            text = writer.dump(attributes)
        else:
            text = writer.dump(values[0])
        row.keep(values, writer.references)
        if row.text == hash(text):
            return
        row.text = hash(text)
        if name == MAIN:
            emit((PUT_OBJECT, (self.number, self._persisted.name, text)))
        else:
            emit((PUT_PART, (self.number, name, text)))

    def list_references(self) -> Iterator[int]:
        """Return the numbers of the objects that it refers to."""
        for row in self.rows.values():
            yield from row.references
        for entries in self.entries.values():
            yield from entries.list_references()
