"""Patterns with ``*`` and ``?``, matched in linear time whatever the pattern.

Source: IAM User Guide, "IAM JSON policy elements: Resource", wildcards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

#: A regular expression compares each place of a short segment at each place of a text, but is so
#: much quicker that it pays for all that is not near, although it has to be compiled.
_NEAR, _SHORT_SEGMENT = 200, 32


class Wildcard(Enum):
    """What a pattern has beside literal text."""

    ANY = "*"
    ONE = "?"
    #: The same inside of one of the parts of an ARN, which end at a colon.
    ANY_IN_PART = "* without colons"
    ONE_IN_PART = "? without colons"


Token = str | Wildcard


def tokens_of(text: str) -> list[Token]:
    """Split a text into literal pieces and wildcards."""
    found: list[Token] = []
    start = 0
    for place, character in enumerate(text):
        if character in "*?":
            if place > start:
                found.append(text[start:place])
            found.append(Wildcard(character))
            start = place + 1
    if start < len(text):
        found.append(text[start:])
    return found


def units(text: str) -> str:
    """Return a text with each UTF-16 unit as one character, which is what ``?`` stands for."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    return "".join(map(chr, memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")))


class _Segment:
    """What stands between two stars: literal text, with holes where a ``?`` is."""

    __slots__ = ("_holes", "_masks", "_regex", "length", "text")

    def __init__(self, tokens: Iterable[Token]) -> None:
        pieces: list[str] = []
        holes = 0
        length = 0
        for token in tokens:
            piece = "\0" if isinstance(token, Wildcard) else units(token)
            if isinstance(token, Wildcard):
                holes |= 1 << length
            pieces.append(piece)
            length += len(piece)
        self.text = "".join(pieces)
        self.length = length
        self._holes = holes
        self._masks: dict[str, int] | None = None
        self._regex: re.Pattern[str] | None = None

    def is_at(self, text: str, place: int) -> bool:
        if not self._holes:
            return text.startswith(self.text, place)
        part = text[place : place + self.length]
        return len(part) == self.length and all(
            mine == its or self._holes >> at & 1
            for at, (mine, its) in enumerate(zip(self.text, part, strict=True))
        )

    def end_of_first(self, text: str, start: int, end: int) -> int:
        """Return the end of the first occurrence; -1 if there is none."""
        if not self._holes:
            place = text.find(self.text, start, end)
            return place + self.length if place >= 0 else -1
        # Shift-and: one bit for each place in the segment, so one step for each character.
        masks = self._masks
        if masks is None:
            masks = {}
            for at, character in enumerate(self.text):
                if not self._holes >> at & 1:
                    masks[character] = masks.get(character, self._holes) | 1 << at
            self._masks = masks
        state, final = 0, 1 << self.length - 1
        near = end
        if self.length <= _SHORT_SEGMENT and self.length + _NEAR < end - start:
            near = start + self.length + _NEAR
        for place in range(start, near):
            state = (state << 1 | 1) & masks.get(text[place], self._holes)
            if state & final:
                return place + 1
        if near == end:
            return -1
        found = self._compiled().search(text, near - self.length, end)
        return -1 if found is None else found.end()

    def _compiled(self) -> re.Pattern[str]:
        """Return the segment as a regular expression without repetition."""
        if self._regex is None:
            parts = (
                "." if self._holes >> at & 1 else re.escape(character)
                for at, character in enumerate(self.text)
            )
            self._regex = re.compile("".join(parts), re.DOTALL)
        return self._regex


class Pattern:
    """A pattern, ready to be matched as a whole and with regard to case."""

    __slots__ = ("_first", "_last", "_middle", "matches_all")

    def __init__(self, tokens: Iterable[Token]) -> None:
        groups: list[list[Token]] = [[]]
        for token in tokens:
            if token is Wildcard.ANY:
                groups.append([])
            else:
                groups[-1].append(token)
        self._first = _Segment(groups[0])
        self._last = _Segment(groups[-1]) if len(groups) > 1 else None
        self._middle = [_Segment(group) for group in groups[1:-1] if group]
        #: Whether this is ``*``, which needs no look at the text.
        self.matches_all = len(groups) > 1 and not any(groups)

    @classmethod
    def of(cls, text: str) -> Pattern:
        """Read a pattern."""
        return cls(tokens_of(text))

    def matches(self, text: str) -> bool:
        """Return whether the whole text fits."""
        if self.matches_all:
            return True
        text = units(text)
        first, last = self._first, self._last
        if last is None:
            return len(text) == first.length and first.is_at(text, 0)
        place, end = first.length, len(text) - last.length
        if place > end or not first.is_at(text, 0) or not last.is_at(text, end):
            return False
        for segment in self._middle:
            place = segment.end_of_first(text, place, end)
            if place < 0:
                return False
        return True
