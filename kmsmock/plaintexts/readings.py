"""Texts read otherwise: escapes undone, line breaks and separators left out.

So one search for raw, hexadecimal and base64 forms also finds those that something else was done
to. Each view of a text can tell where a place in it comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from kmsmock.plaintexts.forms import Alphabet

_ESCAPE = re.compile(
    rb"\\(?:x([0-9A-Fa-f]{2})"
    rb"|u([dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|[0-9A-Fa-f]{4})"
    rb"|U([0-9A-Fa-f]{8})"
    rb"|([0-3][0-7]{2})"
    rb"|([abfnrtv0\\'\"/]))"
)
_SIMPLE = dict(zip(b"abfnrtv0", b"\a\b\f\n\r\t\v\0", strict=True))


def _unescape(match: re.Match[bytes]) -> bytes:
    byte, unit, code, octal, simple = match.groups()
    if simple is not None:
        return bytes((_SIMPLE.get(simple[0], simple[0]),))
    if byte is not None:
        return bytes.fromhex(byte.decode())
    if octal is not None:
        return bytes((int(octal, 8),))
    digits = code or unit.replace(b"\\u", b"")
    if code is None and len(digits) == 8:
        return bytes.fromhex(digits.decode()).decode("utf-16-be").encode()
    number = int(digits, 16)
    if 0xDC80 <= number <= 0xDCFF:  # as "surrogateescape" has bytes that are no UTF-8
        return bytes((number - 0xDC00,))
    return chr(number).encode("utf-8", "surrogatepass") if number < 0x110000 else match[0]


def _from_percent(match: re.Match[bytes]) -> bytes:
    return bytes((int(match[1], 16),))


def _nothing(match: re.Match[bytes]) -> bytes:  # noqa: ARG001
    return b""


class Reading(NamedTuple):
    """One way to read a text. name: what is said of a form that is found so.

    alphabets: of the forms that are looked for. replace: what a match of the pattern reads as.
    """

    name: str
    alphabets: Alphabet
    pattern: re.Pattern[bytes]
    replace: Callable[[re.Match[bytes]], bytes] = _nothing

    def read(self, text: bytes) -> bytes:
        """Give the text as it is read so."""
        return self.pattern.sub(b"" if self.replace is _nothing else self.replace, text)

    def origin(self, text: bytes, place: int) -> int:
        """Tell where in the text stands what is read at a place."""
        lost = 0
        for match in self.pattern.finditer(text):
            start = match.start() - lost
            if start > place:
                break
            new = len(self.replace(match))
            if place < start + new:
                return match.start()
            lost += len(match[0]) - new
        return place + lost


_TEXTS = Alphabet.RAW | Alphabet.BASE64
_ESCAPED = Reading("with escapes", _TEXTS, _ESCAPE, _unescape)
#: Applied one after the other.
_CHAIN = (
    # As pprint writes long texts, each piece with the quotes that suit it.
    Reading("in pieces", _TEXTS, re.compile(rb"['\"]\r?\n[ \t]*b?['\"]")),
    _ESCAPED,
    # Twice, for the repr of something in JSON.
    _ESCAPED,
    Reading("percent-encoded", _TEXTS, re.compile(rb"%([0-9A-Fa-f]{2})"), _from_percent),
)
#: Applied to what the chain ends with, each by itself.
_ENDS = (
    Reading("in lines", Alphabet.BASE64, re.compile(rb"[ \t\r\n]+")),
    Reading(
        "with separators",
        Alphabet.HEX | Alphabet.DECIMAL,
        re.compile(rb"(?:[ \t\r\n:,;-]|0x)+"),
    ),
)
_UTF_16 = Reading("in UTF-16", Alphabet.ANY, re.compile(rb"\0+"))


class View:
    """A text as it is read in some way. reading: None for the text as it is."""

    def __init__(self, text: bytes, reading: Reading | None = None, of: View | None = None) -> None:
        self.text = text
        self.reading = reading
        self._of = of

    @property
    def alphabets(self) -> Alphabet:
        """The alphabets of the forms to look for in it."""
        return Alphabet.ANY if self.reading is None else self.reading.alphabets

    def origin(self, place: int) -> int:
        """Tell where in the text as it is stands what is at a place here."""
        if self.reading is None or self._of is None:
            return place
        return self._of.origin(self.reading.origin(self._of.text, place))

    def then(self, reading: Reading) -> View:
        """Read on; gives this view itself when there is nothing to be read otherwise."""
        text = reading.read(self.text)
        return self if text == self.text else View(text, reading, self)


def views_of(text: bytes) -> Iterator[View]:
    """Give a text as it is, and as it is read in each other way that makes a difference."""
    plain = view = View(text)
    yield plain
    for reading in _CHAIN:
        before, view = view, view.then(reading)
        if view is not before:
            yield view
    for start, reading in (*((view, end) for end in _ENDS), (plain, _UTF_16)):
        read = start.then(reading)
        if read is not start:
            yield read
