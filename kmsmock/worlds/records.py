"""Tables of members: classes whose fields say how they are read, written and described.

A class of such fields is one kind of object in a world. Its table makes the reader, the writer,
the JSON Schema and the reference of the README, so that a member is told once.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from functools import lru_cache
from typing import Any

from kmsmock.worlds.errors import WorldError, listed, shown
from kmsmock.worlds.kinds.values import Kind

REQUIRED: Any = object()


@dataclass(frozen=True)
class Member:
    """One member. name: in the file. attribute: of the class. default: what it is when left out.

    meaning and left_out: for readers; left_out says what holds then, if the default does not.
    """

    name: str
    attribute: str
    kind: Kind
    meaning: str
    default: Any
    left_out: str


def member(
    kind: Kind, meaning: str, default: Any = None, *, left_out: str = "", name: str | None = None
) -> Any:
    """Declare a field as a member. default: REQUIRED for none. name: if not that of the field."""
    about = {"kind": kind, "meaning": meaning, "left_out": left_out, "name": name}
    if default is REQUIRED:
        return field(metadata=about)
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=about)
    return field(default=default, metadata=about)


@lru_cache(maxsize=128)
def members_of(record: type) -> dict[str, Member]:
    """Give the table of a class: name -> member."""
    table = {}
    for declared in dataclasses.fields(record):
        about = declared.metadata
        default = declared.default
        if declared.default_factory is not MISSING:
            default = declared.default_factory()
        elif default is MISSING:
            default = REQUIRED
        name = about["name"] or declared.name
        table[name] = Member(
            name, declared.name, about["kind"], about["meaning"], default, about["left_out"]
        )
    return table


@dataclass(frozen=True)
class Record(Kind):
    """An object with the members of a class. short: the member that a text alone gives."""

    of: type
    words: str
    short: str | None = None

    def read(self, value: Any) -> Any:
        """Give an object of the class."""
        table = members_of(self.of)
        if self.short is not None and isinstance(value, str):
            value = {self.short: value}
        if not isinstance(value, Mapping):
            raise WorldError(f"must be {self.words} with {_some(table)}, not {shown(value)}")
        values = {}
        for name, item in value.items():
            known = table.get(name) if isinstance(name, str) else None
            if known is None:
                raise WorldError(_unknown(name, table), str(name))
            try:
                values[known.attribute] = known.kind.read(item)
            except WorldError as error:
                raise error.within(name) from None
        for known in table.values():
            if known.default is REQUIRED and known.attribute not in values:
                raise WorldError(f"needs the member {known.name!r}: {known.meaning}")
        return self.of(**values)

    def write(self, value: Any) -> dict[str, Any]:
        """Write the members that are not what they are when left out."""
        written = {}
        for known in members_of(self.of).values():
            item = getattr(value, known.attribute)
            if item is not None and item != known.default:
                written[known.name] = known.kind.write(item)
        return written

    def schema(self) -> dict[str, Any]:
        """Refer to the definition of the class."""
        reference = {"$ref": f"#/$defs/{self.of.__name__}"}
        return {"anyOf": [{"type": "string"}, reference]} if self.short else reference


def _some(table: Mapping[str, Member]) -> str:
    names = list(table)
    return listed(names) if len(names) <= 6 else f"{listed(names[:6])} and so on"


def _unknown(name: Any, table: Mapping[str, Member]) -> str:
    if not isinstance(name, str):
        return f"the name of a member must be a text, not {shown(name)}"
    near = difflib.get_close_matches(name, table, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"no such member is known; {hint}There are: {listed(table)}"
