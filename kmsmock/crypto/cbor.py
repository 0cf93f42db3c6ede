"""The part of CBOR (RFC 8949) that attestation documents use; reading is safe for hostile input."""

from __future__ import annotations

from typing import Any

from kmsmock.crypto.errors import InvalidAttestation

_DEEPEST = 8
_SIMPLE = {20: False, 21: True, 22: None, 23: None}


def encode(value: Any) -> bytes:
    """Encode integers, bytes, texts, lists, mappings, True, False and None."""
    if value is None or value is True or value is False:
        return bytes((0xE0 | {False: 20, True: 21, None: 22}[value],))
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(encode, value))
    pairs = b"".join(encode(key) + encode(item) for key, item in value.items())
    return _head(5, len(value)) + pairs


def decode(data: bytes) -> Any:
    """Decode data that is exactly one value; raises InvalidAttestation."""
    try:
        value, end = _read(data, 0, 0)
    except (IndexError, UnicodeDecodeError, TypeError):
        raise InvalidAttestation("it is not complete CBOR") from None
    if end != len(data):
        raise InvalidAttestation("there is more behind the CBOR value")
    return value


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes((major << 5 | number,))
    for size, code in ((1, 24), (2, 25), (4, 26), (8, 27)):
        if number < 1 << 8 * size:
            return bytes((major << 5 | code,)) + number.to_bytes(size, "big")
    raise ValueError("the number is too large")


def _read(data: bytes, offset: int, depth: int) -> tuple[Any, int]:
    if depth > _DEEPEST:
        raise InvalidAttestation("it is nested too deeply")
    major, code = data[offset] >> 5, data[offset] & 0x1F
    offset += 1
    if major == 6:
        return _read(data, offset, depth + 1)
    if major == 7:
        if code not in _SIMPLE:
            raise InvalidAttestation("it has a CBOR value that documents do not have")
        return _SIMPLE[code], offset
    size = {24: 1, 25: 2, 26: 4, 27: 8}.get(code, 0)
    if code > 27 or offset + size > len(data):
        raise InvalidAttestation("it is not complete CBOR")
    number = int.from_bytes(data[offset : offset + size], "big") if size else code
    offset += size
    if major < 2:
        return (number if major == 0 else -1 - number), offset
    if number > len(data) - offset:
        raise InvalidAttestation("it is not complete CBOR")
    if major in (2, 3):
        content = data[offset : offset + number]
        return (content if major == 2 else content.decode()), offset + number
    return _read_collection(data, offset, depth, major, number)


def _read_collection(
    data: bytes, offset: int, depth: int, major: int, count: int
) -> tuple[Any, int]:
    items = []
    for _ in range(count * (major - 3)):
        item, offset = _read(data, offset, depth + 1)
        items.append(item)
    if major == 4:
        return items, offset
    return dict(zip(items[::2], items[1::2], strict=True)), offset
