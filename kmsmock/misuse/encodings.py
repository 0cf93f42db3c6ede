"""Recognize bytes that are the text of other bytes: Base64, hexadecimal digits, JSON, PEM."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

#: Shorter texts are too often something else.
_SHORTEST = 16
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]\s*)+={0,2}")
_HEX = re.compile(r"(?:0x)?(?:[0-9a-fA-F]{2})+")
_REPLACED = "\ufffd"


class Encoding(NamedTuple):
    """How bytes were turned into text."""

    #: What the bytes are, such as "Base64 text".
    name: str
    #: What gives the bytes that the text stands for.
    fix: str


_JSON_TEXT = Encoding("a JSON string, with quotes around it", "base64.b64decode(json.loads(value))")
_WHOLE = Encoding("the text of a whole response", "that member of the response")
_REPR = Encoding("the text that str() makes of bytes", "the bytes, without str()")
_HEX_TEXT = Encoding("hexadecimal text", "bytes.fromhex(value)")
_BASE64_TEXT = Encoding("Base64 text", "base64.b64decode(value)")
_PEM = Encoding("PEM", "the DER of it")
_LOST = Encoding(
    "text that bytes were decoded to with errors='replace', which loses some of them",
    "the bytes that AWS has returned",
)
_LATIN = Encoding("text that bytes were decoded to as Latin-1", 'value.decode().encode("latin-1")')


def get_encoding(data: bytes) -> Encoding | None:
    """Return of what binary data are the text; None if they are none, or too short to know."""
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        return None
    if len(text) < _SHORTEST:
        return None
    return next((encoding for is_so, encoding in _ENCODINGS if is_so(text)), None)


#: Returns whether a text is such an encoding; the first one counts.
_ENCODINGS: tuple[tuple[Callable[[str], Any], Encoding], ...] = (
    (lambda text: _REPLACED in text, _LOST),
    (lambda text: not text.isascii() and max(text) <= "\xff", _LATIN),
    (lambda text: text.startswith("-----BEGIN "), _PEM),
    (lambda text: text.startswith(("b'", 'b"')), _REPR),
    (lambda text: text.startswith(("{", "[", "(")), _WHOLE),
    (lambda text: text.startswith('"'), _JSON_TEXT),
    (_HEX.fullmatch, _HEX_TEXT),
    (_BASE64.fullmatch, _BASE64_TEXT),
)
