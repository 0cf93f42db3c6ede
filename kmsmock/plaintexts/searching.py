"""Searching places for thousands of values in one pass over each.

Every form of 2n-1 bytes or more covers one whole aligned group of n bytes, wherever it stands. So
a text is read as a row of n-byte numbers, which are looked up in a set of all groups that the forms
could show: their first n.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from kmsmock.plaintexts.forms import Form, forms_of
from kmsmock.plaintexts.places import Place
from kmsmock.plaintexts.readings import views_of

#: Size of a group in bytes -> how a memoryview names such numbers. The larger ones first.
_GROUPS: dict[int, Literal["Q", "I"]] = {8: "Q", 4: "I"}
#: How many bytes are asked at once whether there is anything at all in them.
_STRETCH_BYTES = 1 << 18
#: How many times longer than a form it can be with everything escaped, and that again.
_LONGEST_ESCAPE = 12


class Sighting(NamedTuple):
    """A value in a place. line: from 1. byte: how many bytes of the place come before it."""

    value: bytes
    form: str
    place: str
    line: int
    byte: int


class Index:
    """Values to look for, in the order in which they can be looked up."""

    def __init__(self) -> None:
        self._groups = [_Groups(size) for size in _GROUPS]
        self._longest = 0
        self.values: set[bytes] = set()

    def add(self, value: bytes) -> None:
        """Look for another value, 7 bytes or longer."""
        self.values.add(value)
        for form in forms_of(value):
            self._longest = max(self._longest, len(form.text))
            next(g for g in self._groups if len(form.text) >= 2 * g.size - 1).add(form)

    def search(self, place: Place) -> list[Sighting]:
        """Find each value in a place, where it stands first."""
        found: dict[bytes, Sighting] = {}
        for text, byte, line in _windows(place.pieces(), _LONGEST_ESCAPE * self._longest):
            for form, name, start in self._search(text):
                at = Sighting(
                    form.value, name, place.name, line + text.count(b"\n", 0, start), byte + start
                )
                known = found.setdefault(form.value, at)
                if at.byte < known.byte:
                    found[form.value] = at
        return sorted(found.values(), key=lambda sighting: sighting.byte)

    def is_in(self, text: str) -> bool:
        """Tell whether a text, such as the name of a place, should not be shown."""
        return any(self._search(text.encode("utf-8", "surrogatepass")))

    def _search(self, text: bytes) -> Iterator[tuple[Form, str, int]]:
        for view in views_of(text):
            seen: set[bytes] = set()
            for groups in self._groups:
                for form, start in groups.search(view.text):
                    if form.alphabet in view.alphabets and form.text not in seen:
                        seen.add(form.text)
                        reading = view.reading
                        name = form.name if reading is None else f"{form.name} {reading.name}"
                        yield form, name, view.origin(start)


class _Groups:
    """The groups of one size that forms could show, and which form shows them where.

    Places are numbers, form times size plus shift: thousands of them cost little.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._forms: list[Form] = []
        self._places: dict[int, int] = {}
        self._more: dict[int, list[int]] = {}

    def add(self, form: Form) -> None:
        size, text = self.size, form.text
        place = len(self._forms) * size
        self._forms.append(form)
        for shift in range(size):
            group = int.from_bytes(text[shift : shift + size], sys.byteorder)
            if self._places.setdefault(group, place) != place:
                self._more.setdefault(group, []).append(place)
            place += 1

    def search(self, text: bytes) -> Iterator[tuple[Form, int]]:
        size = self.size
        groups = memoryview(text)[: len(text) // size * size].cast(_GROUPS[size])
        known, step = self._places.keys(), _STRETCH_BYTES // size
        if not known:
            return
        for first in range(0, len(groups), step):
            stretch = groups[first : first + step]
            if known.isdisjoint(stretch):
                continue
            for number, group in enumerate(stretch, first):
                if group in known:
                    for place in (self._places[group], *self._more.get(group, ())):
                        form = self._forms[place // size]
                        start = number * size - place % size
                        if start >= 0 and text.startswith(form.text, start):
                            yield form, start


def _windows(pieces: Iterable[bytes], overlap: int) -> Iterator[tuple[bytes, int, int]]:
    """Give a text in overlapping windows, with the byte, from 0, and line, from 1, of each."""
    text, byte, line = b"", 0, 1
    for piece in pieces:
        text += piece
        yield text, byte, line
        kept = max(0, len(text) - overlap)
        byte, line = byte + kept, line + text.count(b"\n", 0, kept)
        text = text[kept:]
