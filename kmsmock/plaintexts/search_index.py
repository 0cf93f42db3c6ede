"""A search index: finds thousands of values in one pass over each location.

At whatever offset a form of 2n-1 bytes or more occurs, it contains a complete aligned group of n
bytes. So a text is read as an array of n-byte numbers, which are looked up among the n possible
first groups of all forms.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.plaintexts.decodings import decode_all
from kmsmock.plaintexts.forms import EncodedForm, encode_all
from kmsmock.plaintexts.location import Location

#: Size of a group in bytes -> format character of a memoryview; larger groups first.
_GROUPS: dict[int, Literal["Q", "I"]] = {8: "Q", 4: "I"}
#: How many bytes are checked at once for the presence of any group.
_BLOCK_BYTES = 1 << 18
#: How many times longer a form becomes at most when it is escaped twice.
_LONGEST_ESCAPE = 12


class Match(NamedTuple):
    """An occurrence of a value in a location."""

    value: SecretBytes
    form: str
    location: str
    #: The line number, from 1.
    line: int
    #: The offset in bytes, from 0.
    byte: int


class Index:
    """The values to search for."""

    def __init__(self) -> None:
        self._groups = [_Groups(size) for size in _GROUPS]
        self._longest = 0
        self.values: set[SecretBytes] = set()

    def add(self, value: SecretBytes) -> None:
        """Add a value of 7 bytes or more."""
        self.values.add(value)
        for form in encode_all(value):
            self._longest = max(self._longest, len(form.text))
            next(g for g in self._groups if len(form.text) >= 2 * g.size - 1).add(form)

    def search(self, location: Location) -> tuple[list[Match], OSError | None]:
        """Find the first occurrence of each value in a location, in order of their offsets.

        Returns also the error that has ended the search before the end of the location, if any.
        """
        first: dict[SecretBytes, Match] = {}
        try:
            for text, byte, line in _windows(location.chunks(), _LONGEST_ESCAPE * self._longest):
                for form, name, start in self._search(text):
                    found_line = line + text.count(b"\n", 0, start)
                    match = Match(form.value, name, location.name, found_line, byte + start)
                    known = first.setdefault(form.value, match)
                    if match.byte < known.byte:
                        first[form.value] = match
        except OSError as reason:
            end: OSError | None = reason
        else:
            end = None
        return sorted(first.values(), key=lambda match: match.byte), end

    def is_in(self, text: str) -> bool:
        """Return whether a text, such as the name of a location, contains any of the values."""
        return any(self._search(text.encode("utf-8", "surrogatepass")))

    def _search(self, text: bytes) -> Iterator[tuple[EncodedForm, str, int]]:
        for decoded in decode_all(text):
            seen: set[bytes] = set()
            for groups in self._groups:
                for form, start in groups.search(decoded.text):
                    if form.alphabet in decoded.alphabets and form.text not in seen:
                        seen.add(form.text)
                        decoding = decoded.decoding
                        name = form.name if decoding is None else f"{form.name} {decoding.name}"
                        yield form, name, decoded.map_offset(start)


class _Groups:
    """The groups of one size in all forms, with the position of each group.

    A position is one number, index of the form times size plus offset, to save memory.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._forms: list[EncodedForm] = []
        self._positions: dict[int, int] = {}
        self._more_positions: dict[int, list[int]] = {}

    def add(self, form: EncodedForm) -> None:
        size, text = self.size, form.text
        position = len(self._forms) * size
        self._forms.append(form)
        for shift in range(size):
            group = int.from_bytes(text[shift : shift + size], sys.byteorder)
            if self._positions.setdefault(group, position) != position:
                self._more_positions.setdefault(group, []).append(position)
            position += 1

    def search(self, text: bytes) -> Iterator[tuple[EncodedForm, int]]:
        size = self.size
        groups = memoryview(text)[: len(text) // size * size].cast(_GROUPS[size])
        known, step = self._positions.keys(), _BLOCK_BYTES // size
        if not known:
            return
        for first in range(0, len(groups), step):
            block = groups[first : first + step]
            if known.isdisjoint(block):
                continue
            for number, group in enumerate(block, first):
                if group in known:
                    for position in (self._positions[group], *self._more_positions.get(group, ())):
                        form = self._forms[position // size]
                        start = number * size - position % size
                        if start >= 0 and text.startswith(form.text, start):
                            yield form, start


def _windows(chunks: Iterable[bytes], overlap: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield overlapping windows of a text, with the offset, from 0, and line, from 1, of each."""
    text, byte, line = b"", 0, 1
    for chunk in chunks:
        text += chunk
        yield text, byte, line
        kept = max(0, len(text) - overlap)
        byte, line = byte + kept, line + text.count(b"\n", 0, kept)
        text = text[kept:]
