"""Many texts as one, with a bit for each place in each of them.

An operation on an int of a million bits takes some microseconds, so that all places of all texts
are compared with a character of a pattern at once. Source of the method: G. Navarro and
M. Raffinot, "Flexible Pattern Matching in Strings" (2002), section 1.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

from kmsmock.authorization.wildcards import Token, Wildcard, units

#: What is behind each text. Its bits are those of ``ends``, whatever it is.
_END = "\0"
#: Up to how many places ahead of a bit the characters are kept.
NEAR = 4
#: The longest text, in characters, of which a few patterns are compared one after the other.
SHORT = 200
_FEW = 8
#: How many places that beginnings of patterns reach are remembered.
_MOST_REACHED = 64
#: The longest text that is kept after a decision: no resource is longer.
_LONGEST_KEPT = 2_048
#: Bit -> for each byte the digit 1 if it has the bit, and 0 otherwise.
_DIGITS = [
    bytes(ord("1") if byte >> bit & 1 else ord("0") for byte in range(256)) for bit in range(8)
]
_IS_END = bytes(ord("0") if byte else ord("1") for byte in range(256))


class JoinedTexts:
    """Different texts. Bit n of a number stands for the n-th place in all of them together.

    A text has a place for each UTF-16 unit, and one for its end.
    """

    __slots__ = (
        *("_ends_of", "_literals", "_places", "_planes", "_reached", "_size", "_texts", "_units"),
        *("ends", "inside", "inside_part", "starts"),
    )

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts: Sequence[str] = tuple(texts)
        low, high = _bytes_of(_END.join((*self._texts, "")))
        self._size = len(low)
        #: Bit of a character -> the places of all characters that have it.
        self._planes = [int(low.translate(digits), 2) for digits in _DIGITS]
        if high.count(0) < len(high):
            self._planes += [int(high.translate(digits), 2) for digits in _DIGITS]
        all_places = (1 << self._size) - 1
        #: The ends of the texts.
        self.ends = self._find_ends(low, high)
        #: All other places.
        self.inside = all_places ^ self.ends
        #: The first places; that of an empty text is its end.
        self.starts = (self.ends << 1 | 1) & all_places
        #: (character, n) -> the places of the character, n places before; with what else patterns
        #: can have.
        self._places: dict[tuple[Token | None, int], int] = {}
        self._literals: dict[str, int] = {}
        self._units: str | None = None
        #: The beginning of a pattern -> the places that it reaches.
        self._reached: dict[tuple[Token | None, ...], int] = {}
        self._ends_of: dict[str, int] | None = None
        #: All places but ends and colons.
        self.inside_part = self.inside & ~self.places_of(":", 0)
        for token, places in (
            (None, self.ends),
            (Wildcard.ONE, self.inside),
            (Wildcard.ONE_IN_PART, self.inside_part),
        ):
            self._places[token, 0] = places

    def _find_ends(self, low: bytes, high: bytes) -> int:
        ends = int(low.translate(_IS_END), 2)
        if high:
            ends &= int(high.translate(_IS_END), 2)
        return ends if ends.bit_count() == len(self._texts) else self._mask(self._list_ends())

    def _list_ends(self) -> list[int]:
        lengths = accumulate(len(units(text)) + 1 for text in self._texts)
        return [length - 1 for length in lengths]

    def _mask(self, places: Iterable[int]) -> int:
        buffer = bytearray(self._size // 8 + 1)
        for place in places:
            buffer[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(buffer, "little")

    def places_of(self, token: Token | None, ahead: int) -> int:
        """Return the places that are a number of places before one that a token stands for.

        token: a character, a wildcard for one, or None for the end of a text.
        """
        known = self._places.get((token, ahead))
        if known is None:
            known = self.places_of(token, 0) >> ahead if ahead else self._find(token)
            self._places[token, ahead] = known
        return known

    def _find(self, token: Token | None) -> int:
        assert isinstance(token, str)
        code, places = ord(token), self.inside
        if code >> len(self._planes):
            return 0
        for bit, plane in enumerate(self._planes):
            places &= plane if code >> bit & 1 else ~plane
        return places

    def places_of_literal(self, literal: str) -> int:
        """Return the places at which a long text begins, which has no NUL."""
        known = self._literals.get(literal)
        if known is None:
            if self._units is None:
                self._units = units(_END.join(self._texts))
            found: list[int] = []
            place = self._units.find(literal)
            while place >= 0:
                found.append(place)
                place = self._units.find(literal, place + 1)
            known = self._literals[literal] = self._mask(found)
        return known

    def skip(self, beginning: tuple[Token | None, ...], places: int, ahead: int) -> int:
        """Return what the beginning of a pattern reaches that ends with a wildcard for any text.

        places: what the beginning reaches without the wildcard, or a number of places before.
        """
        known = self._reached.get(beginning)
        if known is not None:
            return known
        run = self.inside if beginning[-1] is Wildcard.ANY else self.inside_part
        reached = self.fill(places << ahead, run)
        # Patterns of other statements may begin alike.
        if len(self._reached) < _MOST_REACHED:
            self._reached[beginning] = reached
        return reached

    def fill(self, places: int, run: int | None = None) -> int:
        """Return places, and those behind them up to the first that does not belong to a run.

        run: ``inside``, which is the default, or ``inside_part``.
        """
        if run is None:
            run = self.inside
        # The addition carries from the first place through the others.
        return ((run + (places & run)) ^ run) | places

    def ends_of(self, texts: Iterable[str]) -> int:
        """Return the ends of some of the texts."""
        if self._ends_of is None:
            self._ends_of = dict(zip(self._texts, self._list_ends(), strict=True))
        ends = [self._ends_of[text] for text in texts]
        return self._mask(ends) if len(ends) > _FEW else sum(1 << end for end in ends)


def _bytes_of(text: str) -> tuple[bytes, bytes]:
    """Return the low and high bytes of UTF-16 units, the last first; no high bytes for ASCII."""
    if text.isascii():
        return text.encode()[::-1], b""
    encoded = text.encode("utf-16-le", "surrogatepass")[::-1]
    return encoded[1::2], encoded[::2]


class LongText(str):
    """A long value of a condition key, which is prepared once for all conditions."""

    __slots__ = ("_forms", "_joined")

    def __init__(self, _: str) -> None:
        self._joined: JoinedTexts | None = None
        self._forms: dict[object, Any] = {}

    @property
    def joined(self) -> JoinedTexts:
        """The text with a bit for each place."""
        if self._joined is None:
            self._joined = JoinedTexts((self,))
        return self._joined

    def read(self, read: Callable[[str], Any]) -> Any:
        """Return what a function reads, which is called once."""
        if read not in self._forms:
            self._forms[read] = read(self)
        return self._forms[read]


def keep_prepared(text: str) -> str:
    """Return a value of a condition key, as a LongText if it is long."""
    return text if len(text) <= SHORT else LongText(text)


def join_text(text: str) -> JoinedTexts:
    """Return a text with a bit for each place."""
    if isinstance(text, LongText):
        return text.joined
    return _join_short(text) if len(text) <= _LONGEST_KEPT else JoinedTexts((text,))


# A request compares its resource with each statement.
@lru_cache(maxsize=8)
def _join_short(text: str) -> JoinedTexts:
    return JoinedTexts((text,))
