"""A location to search: a named text or file; and what cannot be searched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple


class Location(NamedTuple):
    """A text or file to search.

    chunks: returns its content, each time from the beginning. The iterator raises OSError if the
    rest cannot be read.
    """

    name: str
    chunks: Callable[[], Iterable[bytes]]


class Skipped(NamedTuple):
    """Something that cannot be searched, and why."""

    name: str
    reason: str


Locations = Iterator[Location | Skipped]


def make_text_location(name: str, content: str | bytes | bytearray | memoryview) -> Location:
    """Return the location of a text or of bytes."""
    data = _encode(content) if isinstance(content, str) else bytes(content)
    return Location(name, lambda: (data,))


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")  # as in file names that are not UTF-8
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
