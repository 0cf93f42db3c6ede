"""The forms in which a value is written, and which values are worth looking for."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from enum import Flag, auto
from typing import NamedTuple

from kmsmock.plaintexts.private_keys import secret_parts

#: Shorter values are words and numbers that turn up without having leaked.
SHORTEST_BYTES = 8
#: Values with fewer different bytes, such as ``b"x" * 32`` and all zeros, are fillers.
FEWEST_DIFFERENT_BYTES = 5
#: Fewer digits in a row, as of bytes below 10, are a number of something else.
_SHORTEST_DECIMAL = 16
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Alphabet(Flag):
    """What a form is written with; which of these a reading of a text can show differs."""

    RAW = auto()
    HEX = auto()
    BASE64 = auto()
    DECIMAL = auto()
    ANY = RAW | HEX | BASE64 | DECIMAL


class Form(NamedTuple):
    """One way to write a value, or a part of it. name: as failures call it."""

    value: bytes
    name: str
    alphabet: Alphabet
    text: bytes


def is_looked_for(value: bytes) -> bool:
    """Tell whether a value is long and varied enough not to turn up by accident."""
    return len(value) >= SHORTEST_BYTES and len(set(value)) >= FEWEST_DIFFERENT_BYTES


def forms_of(value: bytes) -> Iterator[Form]:
    """Give all forms of a value; of a private key those of its secret numbers, too."""
    for name, alphabet, text in _written(value):
        yield Form(value, name, alphabet, text)
    for part, number in secret_parts(value).items():
        if not is_looked_for(number):
            continue
        for name, alphabet, text in _written(number):
            yield Form(value, f"{part} as {name}", alphabet, text)


def _written(value: bytes) -> Iterator[tuple[str, Alphabet, bytes]]:
    for text, name in _raw(value).items():
        yield name, Alphabet.RAW, text
    digits = value.hex()
    for case in dict.fromkeys((digits, digits.upper())):
        yield "hex", Alphabet.HEX, case.encode()
    for text in _within_base64(value):
        yield "base64", Alphabet.BASE64, text
        url_safe = text.translate(_URL_SAFE)
        if url_safe != text:
            yield "URL-safe base64", Alphabet.BASE64, url_safe
    decimal = "".join(map(str, value)).encode()
    if len(decimal) >= _SHORTEST_DECIMAL:
        yield "decimal numbers", Alphabet.DECIMAL, decimal


def _raw(value: bytes) -> dict[bytes, str]:
    """Give a value itself, and what files hold of it when somebody took it for a text."""
    raw = {value: "plain bytes"}
    texts = [("Latin-1 text", value.decode("latin-1"))]
    with suppress(UnicodeDecodeError):
        texts.append(("text", value.decode()))
    for name, text in texts:
        raw.setdefault(text.encode(), name)
        raw.setdefault(b"".join(map(_as_repr_reads, text)), f"repr of {name}")
    return raw


def _as_repr_reads(character: str) -> bytes:
    """Give the byte that the escape of a character stands for, as it does in the repr of bytes."""
    is_escaped = "\x7f" < character <= "\xff" and not character.isprintable()
    return bytes((ord(character),)) if is_escaped else character.encode()


def _within_base64(value: bytes) -> Iterator[bytes]:
    """Give the base64 digits that do not depend on what stands around, in the three alignments."""
    for before, first in enumerate((0, 2, 3)):
        last = (before + len(value)) * 8 // 6
        yield b64encode(bytes(before) + value)[first:last]
