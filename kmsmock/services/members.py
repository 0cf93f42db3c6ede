"""Structures of requests and answers, in which any member can be missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: The types of most values, which are no structures.
_SCALARS = frozenset({str, int, bool, float, bytes})


class MissingMemberError(KeyError):
    """A request or an answer lacks a member, or a map an entry."""


class Members(dict[Any, Any]):
    """A structure or map in which a missing member raises `MissingMemberError` when it is read."""

    __slots__ = ()

    def __missing__(self, name: str) -> Any:
        raise MissingMemberError(name)


class AnswerMembers(Members):
    """A store's answer, whose members become `Members` when they are read.

    Most handlers read few of them, and an answer can have a thousand items.
    """

    __slots__ = ()

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if type(value) is dict or type(value) is list:
            value = self[name] = as_members(value)
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """Return a member, or the default if it is missing."""
        return self[name] if name in self else default  # noqa: SIM401 - this is get

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return a member, which is set to the default if it is missing."""
        if name not in self:
            self[name] = default
        return self[name]

    def write_to(self, answer: dict[str, Any]) -> None:
        """Make the same changes in the answer that this was made of."""
        members = {
            name: value if value is answer.get(name) else as_plain(value)
            for name, value in self.items()
        }
        answer.clear()
        answer.update(members)


def as_members(value: Any) -> Any:
    """Return a copy of a request or answer whose structures are `Members`.

    Members that are None are left out, as AWS takes null. Other values stay the same objects.
    """
    if isinstance(value, (dict, Mapping)):
        members = Members()
        for name, member in value.items():
            if type(member) in _SCALARS:
                members[name] = member
            elif member is not None:
                members[name] = as_members(member)
        return members
    if isinstance(value, (list, tuple)):
        return [item if type(item) in _SCALARS else as_members(item) for item in value]
    return value


def as_plain(value: Any) -> Any:
    """Return a copy of `Members` as plain dictionaries, as clients get them."""
    if isinstance(value, Members):
        return {
            name: member if type(member) in _SCALARS else as_plain(member)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [item if type(item) in _SCALARS else as_plain(item) for item in value]
    return value
