"""Read JSON files strictly: each error names the file and the location in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, NoReturn, TypeVar

from kmsmock.misuse.input_files import BadFileError, parse_json, read_bytes
from kmsmock.misuse.nesting import NestingError, require_bounded
from kmsmock.misuse.suggestions import suggest
from kmsmock.misuse.values import quote

T = TypeVar("T")
#: Returns what a JSON value means; raises BadInputError with its location.
Reader = Callable[[Any, "Location"], T]


#: How many characters of a wrong value an error shows.
_SHOWN = 60


class BadInputError(Exception):
    """A file that cannot be read, or has invalid content; the message names the file."""


class Location(NamedTuple):
    """A location in a file. steps: such as ``Grants[0].Constraints``; empty for the whole file."""

    path: str
    steps: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.steps}" if self.steps else self.path

    def within(self, step: str | int) -> Location:
        """Return the location of a member, or of an item of a list."""
        if isinstance(step, int):
            return Location(self.path, f"{self.steps}[{step}]")
        return Location(self.path, f"{self.steps}.{step}" if self.steps else step)

    def refuse(self, reason: str) -> NoReturn:
        """Raise BadInputError with this location."""
        raise BadInputError(f"{self}: {reason}")


def read_json(path: str) -> Any:
    """Read a JSON file; raises BadInputError, also for one that is too large or nested too deeply.

    The members of an object must be there once.
    """
    try:
        value = parse_json(read_bytes(path))
        require_bounded(value)
    except NestingError as problem:
        location = Location(path)
        for step in problem.steps:
            location = location.within(step)
        location.refuse(problem.reason)
    except (OSError, BadFileError) as reason:
        raise BadInputError(f"{path}: {reason}") from None
    return value


class Members:
    """The members of a JSON object, all of which must be known."""

    def __init__(self, value: Any, location: Location, known: Collection[str]) -> None:
        self.location = location
        self._members = read_object(value, location)
        for name in self._members:
            if name not in known:
                location.refuse(f"unknown member {quote(name)}{suggest(name, known)}")

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def get(self, name: str, read: Reader[T]) -> T | None:
        """Read a member; None if it is absent."""
        if name not in self._members:
            return None
        return read(self._members[name], self.location.within(name))

    def require(self, name: str, read: Reader[T]) -> T:
        """Read a required member."""
        if name not in self._members:
            self.location.refuse(f"{name!r} is missing")
        return read(self._members[name], self.location.within(name))


def read_object(value: Any, location: Location) -> dict[str, Any]:
    """Read an object."""
    if not isinstance(value, dict):
        location.refuse(f"expected a JSON object, not {_describe(value)}")
    return value


def read_text(value: Any, location: Location) -> str:
    """Read a string."""
    if not isinstance(value, str):
        location.refuse(f"expected a string, not {_describe(value)}")
    return value


def read_texts(value: Any, location: Location) -> Mapping[str, str]:
    """Read an object whose members are strings, such as an encryption context."""
    return {
        name: read_text(item, location.within(name))
        for name, item in read_object(value, location).items()
    }


def list_of(read: Reader[T]) -> Reader[list[T]]:
    """Return a reader of lists of such items."""

    def read_list(value: Any, location: Location) -> list[T]:
        if not isinstance(value, list):
            location.refuse(f"expected a list, not {_describe(value)}")
        return [read(item, location.within(number)) for number, item in enumerate(value)]

    return read_list


def _describe(value: Any) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
