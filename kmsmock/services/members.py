"""Structures of requests and answers, in which any member can be missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class MissingMemberError(KeyError):
    """A request or an answer lacks a member, or a map an entry."""


class Members(dict[Any, Any]):
    """A structure or map in which a missing member raises `MissingMemberError` when it is read."""

    __slots__ = ()

    def __missing__(self, name: str) -> Any:
        raise MissingMemberError(name)


def as_members(value: Any) -> Any:
    """Return a copy of a request or answer whose structures are `Members`.

    Members that are None are left out, as AWS takes null. Other values stay the same objects.
    """
    if isinstance(value, Mapping):
        return Members(
            (name, as_members(member)) for name, member in value.items() if member is not None
        )
    if isinstance(value, (list, tuple)):
        return [as_members(item) for item in value]
    return value


def as_plain(value: Any) -> Any:
    """Return a copy of `Members` as plain dictionaries, as clients get them."""
    if isinstance(value, Members):
        return {name: as_plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [as_plain(item) for item in value]
    return value
