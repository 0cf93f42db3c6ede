"""Read the members of a document; each error names its location.

A `Reader` takes a JSON value and returns what it means, or raises WorldError.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, NoReturn, TypeVar

from kmsmock.authorization.policy import parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.aws.policy_limits import SizeLimit
from kmsmock.misuse.suggestions import did_you_mean, suggest
from kmsmock.misuse.surrogates import find_lone_surrogate
from kmsmock.misuse.values import quote
from kmsmock.timing.dates import to_utc
from kmsmock.worlds.errors import (
    PROBLEMS,
    Within,
    WorldError,
    add_location,
    describe_value,
)

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
Reader = Callable[[Any], T]


class Object:
    """A JSON object of a document. `end` raises an error for members that were not read.

    members: the mapping itself.
    """

    def __init__(self, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise WorldError(f"must be an object, not {describe_value(value)}")
        self.members = value
        self._asked: dict[str, None] = {}

    def get(self, name: str, read: Reader[T]) -> T | None:
        """Read a member; None if it is absent."""
        self._asked[name] = None
        value = self.members.get(name)
        if value is None:
            return None
        try:  # faster than `Within`: there may be thousands of keys
            return read(value)
        except PROBLEMS as error:
            raise add_location(error, name) from None

    def require(self, name: str, read: Reader[T]) -> T:
        """Read a required member."""
        member = self.get(name, read)
        return self.missing(name) if member is None else member

    def missing(self, name: str) -> NoReturn:
        """Raise WorldError for a missing member."""
        raise WorldError(f"{name!r} is missing")

    def each(self, name: str, read: Reader[T]) -> list[T]:
        """Read the items of a list; empty if it is absent."""
        return self.get(name, list_of(read)) or []

    def end(self) -> None:
        """Raise WorldError if there are members that were not read."""
        for name in self.members:
            if name not in self._asked:
                known = suggest(name, self._asked, "there is")
                raise WorldError(f"{quote(str(name))} is no member here{known}")


def list_of(read: Reader[T]) -> Reader[list[T]]:
    """Return a reader of lists of such items."""

    def read_list(value: Any) -> list[T]:
        if not isinstance(value, (list, tuple)):
            raise WorldError(f"must be a list, not {describe_value(value)}")
        items = []
        for number, item in enumerate(value):
            with Within(number):
                items.append(read(item))
        return items

    return read_list


def text(value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise WorldError(f"must be a text, not {describe_value(value)}")
    if not value.isascii():
        found = find_lone_surrogate(value)
        if found is not None:
            raise WorldError(f"has the lone surrogate {found}, which is no character")
    return value


def flag(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise WorldError(f"must be true or false, not {describe_value(value)}")
    return value


def whole_number(least: int, most: int) -> Reader[int]:
    """Return a reader of whole numbers within limits, both inclusive."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise WorldError(
                f"must be a whole number from {least} to {most}, not {describe_value(value)}"
            )
        return value

    return read


def one_of(names: Collection[str]) -> Reader[str]:
    """Return a reader of one of several texts."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise WorldError(
                f"must be one of {', '.join(names)}, "
                f"not {describe_value(value)}{did_you_mean(value, names)}"
            )
        return str(value)

    return read


def member_of(kind: type[E]) -> Reader[E]:
    """Return a reader of the values of an Enum."""

    def read(value: Any) -> E:
        try:
            return kind(value)
        except ValueError:
            return kind(one_of([member.value for member in kind])(value))  # which tells them

    return read


def time(value: Any) -> datetime:
    """Read an ISO 8601 time with a time zone."""
    parsed = value
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            parsed = None
    if not isinstance(parsed, datetime) or parsed.tzinfo is None:
        raise WorldError(
            "must be a time with its zone, such as 2026-01-31T12:00:00Z, "
            f"not {describe_value(value)}"
        )
    try:
        return to_utc(parsed)
    except ValueError as reason:
        raise WorldError(f"must be a time in the calendar: {reason}") from None


def binary(value: Any) -> bytes:
    """Read bytes in Base64."""
    try:
        return b64decode(text(value), validate=True)
    except (NotBase64, ValueError):
        raise WorldError("must be bytes in Base64") from None


def hexadecimal(value: Any) -> bytes:
    """Read bytes in hexadecimal digits."""
    try:
        return bytes.fromhex(text(value))
    except ValueError:
        raise WorldError(f"must be hexadecimal digits, not {describe_value(value)}") from None


def texts(value: Any) -> dict[str, str]:
    """Read an object whose members are texts."""
    if not isinstance(value, Mapping):
        raise WorldError(f"must be an object, not {describe_value(value)}")
    members = {}
    for name, item in value.items():
        with Within(text(name)):
            members[name] = text(item)
    return members


def policy(kind: PolicyKind, name: str = "policy", limit: SizeLimit | None = None) -> Reader[Any]:
    """Return a reader of policies, as an object or as JSON text. limit: of their size."""

    def read(value: Any) -> Any:
        if not isinstance(value, (str, Mapping)):
            raise WorldError(f"must be a policy document, not {describe_value(value)}")
        parsed = parse(value, kind, name)
        if limit is not None:
            limit.require(value)
        return parsed

    return read
