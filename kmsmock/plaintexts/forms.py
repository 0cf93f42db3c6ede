"""The encoded forms of a value, and which values can be searched for."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from enum import Flag, auto
from typing import NamedTuple

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.plaintexts.private_keys import find_secret_numbers

#: Shorter values are found by accident, as parts of words and numbers.
SHORTEST_BYTES = 8
#: Values with fewer different bytes, such as ``b"x" * 32``, are fillers.
FEWEST_DIFFERENT_BYTES = 5
#: Shorter rows of digits, such as those of bytes below 10, are found by accident.
_SHORTEST_DECIMAL = 16
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Alphabet(Flag):
    """The kinds of encoding; a `decodings.Decoding` can reveal forms of some of them only."""

    RAW = auto()
    HEX = auto()
    BASE64 = auto()
    DECIMAL = auto()
    ANY = RAW | HEX | BASE64 | DECIMAL


class EncodedForm(NamedTuple):
    """One encoded form of a value, or of a part of it. name: of the encoding, for failures."""

    value: SecretBytes
    name: str
    alphabet: Alphabet
    text: SecretBytes


def is_searchable(value: bytes) -> bool:
    """Return whether a value is long and varied enough not to be found by accident."""
    return len(value) >= SHORTEST_BYTES and len(set(value)) >= FEWEST_DIFFERENT_BYTES


def encode_all(value: SecretBytes) -> Iterator[EncodedForm]:
    """Yield all encoded forms of a value; of a private key also those of its secret numbers."""
    for name, alphabet, text in _encode(value):
        yield EncodedForm(value, name, alphabet, SecretBytes(text))
    for part, number in find_secret_numbers(value).items():
        if not is_searchable(number):
            continue
        for name, alphabet, text in _encode(number):
            yield EncodedForm(value, f"{part} as {name}", alphabet, SecretBytes(text))


def _encode(value: bytes) -> Iterator[tuple[str, Alphabet, bytes]]:
    for text, name in _as_raw(value).items():
        yield name, Alphabet.RAW, text
    digits = value.hex()
    for case in dict.fromkeys((digits, digits.upper())):
        yield "hex", Alphabet.HEX, case.encode()
    for text in _as_base64(value):
        yield "base64", Alphabet.BASE64, text
        url_safe = text.translate(_URL_SAFE)
        if url_safe != text:
            yield "URL-safe base64", Alphabet.BASE64, url_safe
    decimal = "".join(map(str, value)).encode()
    if len(decimal) >= _SHORTEST_DECIMAL:
        yield "decimal numbers", Alphabet.DECIMAL, decimal


def _as_raw(value: bytes) -> dict[bytes, str]:
    """Return the value itself, and the bytes that result if it is decoded as a text and written."""
    raw = {value: "plain bytes"}
    texts = [("Latin-1 text", value.decode("latin-1"))]
    with suppress(UnicodeDecodeError):
        texts.append(("text", value.decode()))
    for name, text in texts:
        raw.setdefault(text.encode(), name)
        raw.setdefault(b"".join(map(_unescaped_repr, text)), f"repr of {name}")
    return raw


def _unescaped_repr(character: str) -> bytes:
    """Return what undoing the escapes of bytes makes of the repr of a character."""
    is_escaped = "\x7f" < character <= "\xff" and not character.isprintable()
    return bytes((ord(character),)) if is_escaped else character.encode()


def _as_base64(value: bytes) -> Iterator[bytes]:
    """Yield the base64 digits that do not depend on adjacent bytes, for the three alignments."""
    for before, first in enumerate((0, 2, 3)):
        last = (before + len(value)) * 8 // 6
        yield b64encode(bytes(before) + value)[first:last]
