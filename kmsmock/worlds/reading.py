"""Reading what a document says, member by member, so that each error names its place."""

from __future__ import annotations

import difflib
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timezone
from enum import Enum
from typing import Any, NoReturn, TypeVar

from kmsmock.authorization.policy import PolicyKind, parse
from kmsmock.worlds.errors import PROBLEMS, At, WorldError, located, shown

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
Read = Callable[[Any], T]


class Object:
    """An object of a document. Members are asked for by name; `end` refuses all others.

    members: all of them, as they are.
    """

    def __init__(self, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise WorldError(f"must be an object, not {shown(value)}")
        self.members = value
        self._asked: dict[str, None] = {}

    def get(self, name: str, read: Read[T]) -> T | None:
        """Give a member; None when it is left out."""
        self._asked[name] = None
        value = self.members.get(name)
        if value is None:
            return None
        try:  # no block of `At`, since this is done for each member of thousands of keys
            return read(value)
        except PROBLEMS as error:
            raise located(error, name) from None

    def need(self, name: str, read: Read[T]) -> T:
        """Give a member that must be there."""
        found = self.get(name, read)
        return self.missing(name) if found is None else found

    def missing(self, name: str) -> NoReturn:
        """Refuse an object that has not got a member (WorldError)."""
        raise WorldError(f"{name!r} is missing")

    def each(self, name: str, read: Read[T]) -> list[T]:
        """Give what each item of a list is; nothing when it is left out."""
        return self.get(name, list_of(read)) or []

    def end(self) -> None:
        """Refuse members that nobody has asked for."""
        for name in self.members:
            if name not in self._asked:
                known = hint(name, self._asked) or f"; there is {', '.join(self._asked)}"
                raise WorldError(f"{name!r} is no member here{known}")


def hint(value: Any, names: Iterable[str]) -> str:
    """Name what somebody may have meant, for the end of an error; nothing when nothing is near."""
    near = difflib.get_close_matches(str(value), list(names), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def list_of(read: Read[T]) -> Read[list[T]]:
    """Read a list of such items."""

    def read_list(value: Any) -> list[T]:
        if not isinstance(value, (list, tuple)):
            raise WorldError(f"must be a list, not {shown(value)}")
        items = []
        for number, item in enumerate(value):
            with At(number):
                items.append(read(item))
        return items

    return read_list


def text(value: Any) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise WorldError(f"must be a text, not {shown(value)}")
    return value


def flag(value: Any) -> bool:
    """Read true or false."""
    if not isinstance(value, bool):
        raise WorldError(f"must be true or false, not {shown(value)}")
    return value


def whole(least: int, most: int) -> Read[int]:
    """Read a whole number within limits."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise WorldError(f"must be a whole number from {least} to {most}, not {shown(value)}")
        return value

    return read


def one_of(names: Collection[str]) -> Read[str]:
    """Read one of several texts."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in names:
            raise WorldError(
                f"must be one of {', '.join(names)}, not {shown(value)}{hint(value, names)}"
            )
        return str(value)

    return read


def member_of(kind: type[E]) -> Read[E]:
    """Read the value of an enumeration's member."""

    def read(value: Any) -> E:
        try:
            return kind(value)
        except ValueError:
            return kind(one_of([member.value for member in kind])(value))  # which tells them

    return read


def time(value: Any) -> datetime:
    """Read an ISO 8601 time with a time zone."""
    found = value
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            found = None
    if not isinstance(found, datetime) or found.tzinfo is None:
        raise WorldError(
            f"must be a time with its zone, such as 2026-01-31T12:00:00Z, not {shown(value)}"
        )
    return found.astimezone(timezone.utc)


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
        raise WorldError(f"must be hexadecimal digits, not {shown(value)}") from None


def texts(value: Any) -> dict[str, str]:
    """Read an object whose members are texts."""
    if not isinstance(value, Mapping):
        raise WorldError(f"must be an object, not {shown(value)}")
    found = {}
    for name, item in value.items():
        with At(text(name)):
            found[name] = text(item)
    return found


def policy(kind: PolicyKind, name: str = "policy") -> Read[Any]:
    """Read a policy, as an object or as its JSON text."""

    def read(value: Any) -> Any:
        if not isinstance(value, (str, Mapping)):
            raise WorldError(f"must be a policy document, not {shown(value)}")
        return parse(value, kind, name)

    return read
