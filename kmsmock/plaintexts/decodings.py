"""Decoded versions of a text: without escapes, line breaks or separators.

A search for raw, hexadecimal and base64 forms in all of these also finds forms that were escaped or
broken into lines. Offsets in a decoded text can be mapped to offsets in the original.
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


def _remove(match: re.Match[bytes]) -> bytes:  # noqa: ARG001
    return b""


class Decoding(NamedTuple):
    """One way to decode a text."""

    #: The name of the encoding, which is added to that of a form that is found in the result.
    name: str
    #: The alphabets of the forms for which the result is searched.
    alphabets: Alphabet
    pattern: re.Pattern[bytes]
    #: Returns what replaces a match of the pattern.
    replace: Callable[[re.Match[bytes]], bytes] = _remove

    def decode(self, text: bytes) -> bytes:
        """Return the decoded text."""
        return self.pattern.sub(b"" if self.replace is _remove else self.replace, text)

    def map_offset(self, text: bytes, offset: int) -> int:
        """Return the offset in the text that corresponds to an offset in the decoded text."""
        removed = 0
        for match in self.pattern.finditer(text):
            start = match.start() - removed
            if start > offset:
                break
            new = len(self.replace(match))
            if offset < start + new:
                return match.start()
            removed += len(match[0]) - new
        return offset + removed


_TEXTS = Alphabet.RAW | Alphabet.BASE64
_ESCAPED = Decoding("with escapes", _TEXTS, _ESCAPE, _unescape)
#: Applied one after the other.
_CHAIN = (
    # As pprint writes long texts: in several literals, each with its own quotes.
    Decoding("in pieces", _TEXTS, re.compile(rb"['\"]\r?\n[ \t]*b?['\"]")),
    _ESCAPED,
    # Twice, for a repr within JSON.
    _ESCAPED,
    Decoding("percent-encoded", _TEXTS, re.compile(rb"%([0-9A-Fa-f]{2})"), _from_percent),
)
#: Each applied to the result of the chain.
_ENDS = (
    Decoding("in lines", Alphabet.BASE64, re.compile(rb"[ \t\r\n]+")),
    Decoding(
        "with separators",
        Alphabet.HEX | Alphabet.DECIMAL,
        re.compile(rb"(?:[ \t\r\n:,;-]|0x)+"),
    ),
)
_UTF_16 = Decoding("in UTF-16", Alphabet.ANY, re.compile(rb"\0+"))


class DecodedText:
    """A text, or the result of decoding another one.

    decoding: how it was decoded from the source; None for the original text.
    """

    def __init__(
        self, text: bytes, decoding: Decoding | None = None, source: DecodedText | None = None
    ) -> None:
        self.text = text
        self.decoding = decoding
        self._source = source

    @property
    def alphabets(self) -> Alphabet:
        """The alphabets of the forms to search for in it."""
        return Alphabet.ANY if self.decoding is None else self.decoding.alphabets

    def map_offset(self, offset: int) -> int:
        """Return the offset in the original text that corresponds to an offset here."""
        if self.decoding is None or self._source is None:
            return offset
        source = self._source
        return source.map_offset(self.decoding.map_offset(source.text, offset))

    def decode(self, decoding: Decoding) -> DecodedText:
        """Decode further; return this object itself if that changes nothing."""
        text = decoding.decode(self.text)
        return self if text == self.text else DecodedText(text, decoding, self)


def decode_all(text: bytes) -> Iterator[DecodedText]:
    """Yield the text itself, and each decoded version that differs from it."""
    original = decoded = DecodedText(text)
    yield original
    for decoding in _CHAIN:
        before, decoded = decoded, decoded.decode(decoding)
        if decoded is not before:
            yield decoded
    for source, decoding in (*((decoded, end) for end in _ENDS), (original, _UTF_16)):
        result = source.decode(decoding)
        if result is not source:
            yield result
