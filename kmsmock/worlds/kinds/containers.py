"""Kinds of values that are made of others: lists, objects with free names, alternatives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kmsmock.worlds.errors import WorldError, shown
from kmsmock.worlds.kinds.values import Kind, Text


@dataclass(frozen=True)
class ListOf(Kind):
    """A list. single: whether a value alone is a list of one."""

    item: Kind
    single: bool = False

    @property
    def words(self) -> str:  # type: ignore[override]
        """Name what is in it."""
        alone = f"{self.item.words}, or " if self.single else ""
        return f"{alone}a list, each {self.item.words}"

    def read(self, value: Any) -> tuple[Any, ...]:
        """Give the items."""
        if not isinstance(value, (list, tuple)):
            if self.single and isinstance(value, (str, Mapping)):
                return (self.item.read(value),)
            raise WorldError(
                f"must be {'one or ' if self.single else ''}a list, not {shown(value)}"
            )
        items = []
        read = self.item.read
        for place, item in enumerate(value):
            try:
                items.append(read(item))
            except WorldError as error:  # noqa: PERF203 - to say where
                raise error.within(place) from None
        return tuple(items)

    def write(self, value: Iterable[Any]) -> list[Any]:
        """Write the items."""
        return [self.item.write(item) for item in value]

    def schema(self) -> dict[str, Any]:
        """Describe the list."""
        schema = {"type": "array", "items": self.item.schema()}
        return {"anyOf": [self.item.schema(), schema]} if self.single else schema


@dataclass(frozen=True)
class MapOf(Kind):
    """An object whose members are named freely."""

    name: Text
    item: Kind

    @property
    def words(self) -> str:  # type: ignore[override]
        """Name what is in it."""
        return f"an object: {self.name.words} -> {self.item.words}"

    def read(self, value: Any) -> dict[str, Any]:
        """Give the members."""
        if not isinstance(value, Mapping):
            raise WorldError(f"must be an object, not {shown(value)}")
        members = {}
        for name, item in value.items():
            try:
                members[self.name.read(name)] = self.item.read(item)
            except WorldError as error:  # noqa: PERF203 - to say where
                raise error.within(str(name)) from None
        return members

    def write(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Write the members."""
        return {name: self.item.write(item) for name, item in value.items()}

    def schema(self) -> dict[str, Any]:
        """Describe the object."""
        names = self.name.schema()
        limits = {"propertyNames": names} if len(names) > 1 else {}
        return {"type": "object", **limits, "additionalProperties": self.item.schema()}


@dataclass(frozen=True)
class Either(Kind):
    """A text of one kind, or what another kind reads; `second` reads what the first refuses."""

    first: Text
    second: Kind

    @property
    def words(self) -> str:  # type: ignore[override]
        """Name both."""
        return f"{self.first.words}, or {self.second.words}"

    def read(self, value: Any) -> Any:
        """Give what it means as the one or as the other."""
        if isinstance(value, str):
            try:
                return self.first.read(value)
            except WorldError:
                if not value.lstrip().startswith("{"):
                    raise
        return self.second.read(value)

    def write(self, value: Any) -> Any:
        """Write the one or the other."""
        if isinstance(value, str) and not value.lstrip().startswith("{"):
            return self.first.write(value)
        return self.second.write(value)

    def schema(self) -> dict[str, Any]:
        """Describe both."""
        return {"anyOf": [self.first.schema(), self.second.schema()]}
