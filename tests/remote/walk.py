"""All objects that a control object leads to by its public attributes, and their public names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def is_of_package(thing: object) -> bool:
    return type(thing).__module__.startswith("kmsmock.")


def iterate_members(value: Any) -> Iterator[Any]:
    """Yield what a container has."""
    if isinstance(value, Mapping):
        yield from value
        yield from value.values()
    else:
        yield from value
