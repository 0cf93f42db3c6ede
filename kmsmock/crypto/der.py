"""The part of DER (X.690) that this package encodes and parses itself.

Parsing is safe for hostile input: lengths and depth are limited, and invalid input raises
`InvalidKeyEncoding`.
"""

from __future__ import annotations

from kmsmock.crypto.errors import InvalidKeyEncoding

INTEGER, BIT_STRING, OCTET_STRING, OID, SEQUENCE, SET = 0x02, 0x03, 0x04, 0x06, 0x30, 0x31
NULL = b"\x05\x00"

_CONSTRUCTED = 0x20
_LARGEST_BYTES = 1 << 16
_DEEPEST = 16


def tlv(tag: int, *contents: bytes) -> bytes:
    """Encode a value: tag, length, contents."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content


def sequence(*contents: bytes) -> bytes:
    """Encode a SEQUENCE."""
    return tlv(SEQUENCE, *contents)


def integer(number: int) -> bytes:
    """Encode an INTEGER that is not negative."""
    return tlv(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def octets(content: bytes) -> bytes:
    """Encode an OCTET STRING."""
    return tlv(OCTET_STRING, content)


def bits(content: bytes) -> bytes:
    """Encode a BIT STRING of whole bytes."""
    return tlv(BIT_STRING, b"\x00", content)


def context(number: int, *contents: bytes) -> bytes:
    """Encode a constructed, context-specific value ``[number]``."""
    return tlv(0xA0 | number, *contents)


def oid(dotted: str) -> bytes:
    """Encode an OBJECT IDENTIFIER."""
    first, second, *others = (int(part) for part in dotted.split("."))
    content = bytes((40 * first + second,))
    for number in others:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(0x80 | number & 0x7F)
        content += bytes(reversed(digits))
    return tlv(OID, content)


def children(data: bytes) -> list[tuple[int, bytes]]:
    """Parse a sequence of values; return the tag and content of each."""
    values = []
    offset = 0
    while offset < len(data):
        tag, content, offset = _read(data, offset, 0)
        values.append((tag, content))
    return values


def only(data: bytes, tag: int) -> bytes:
    """Return the content of data that is exactly one value with this tag."""
    values = children(data)
    if len(values) != 1 or values[0][0] != tag:
        raise InvalidKeyEncoding("an unexpected ASN.1 value")
    return values[0][1]


def private_key_to_der(data: bytes) -> bytes:
    """Convert a PKCS#8 private key, and the key inside it, from BER to DER."""
    if len(data) > _LARGEST_BYTES:
        raise InvalidKeyEncoding("too long for a private key")
    fields = children(only(_to_der(data, 0), SEQUENCE))
    if len(fields) < 3 or fields[2][0] != OCTET_STRING:
        raise InvalidKeyEncoding("not a PKCS#8 private key")
    inside = fields[2][1]
    if inside[:1] == bytes((SEQUENCE,)):
        inside = _to_der(inside, 0)
    fields[2] = (OCTET_STRING, inside)
    return sequence(*(tlv(tag, content) for tag, content in fields))


def inner_public_key(pkcs8: bytes) -> bytes | None:
    """Return the public point in an elliptic-curve private key, if it has one (RFC 5915)."""
    inside = children(only(children(only(pkcs8, SEQUENCE))[2][1], SEQUENCE))
    for tag, content in inside:
        if tag == 0xA1:
            return only(content, BIT_STRING)[1:]
    return None


def _to_der(data: bytes, depth: int) -> bytes:
    offset = 0
    values = []
    while offset < len(data):
        tag, content, offset = _read(data, offset, depth)
        if tag & _CONSTRUCTED:
            content = _to_der(content, depth + 1)
            if tag & ~_CONSTRUCTED in (BIT_STRING, OCTET_STRING):
                tag &= ~_CONSTRUCTED
                content = _join(tag, [segment for _, segment in children(content)])
        values.append(tlv(tag, content))
    return b"".join(values)


def _join(tag: int, segments: list[bytes]) -> bytes:
    """Join the segments of a constructed string, which DER does not have (X.690, 8.6.4, 8.7.3)."""
    if tag == OCTET_STRING:
        return b"".join(segments)
    # The first byte of each segment is its number of unused bits; only the last may have any.
    if not all(segments) or any(segment[0] for segment in segments[:-1]):
        raise InvalidKeyEncoding("a BIT STRING whose segments do not fit together")
    return (segments or [b"\x00"])[-1][:1] + b"".join(segment[1:] for segment in segments)


def _read(data: bytes, offset: int, depth: int) -> tuple[int, bytes, int]:
    """Parse one value; return its tag, its content, and the offset of the next one."""
    if depth > _DEEPEST or offset + 2 > len(data) or data[offset] & 0x1F == 0x1F:
        raise InvalidKeyEncoding("not supported ASN.1")
    tag, size = data[offset], data[offset + 1]
    offset += 2
    if size == 0x80:
        return _read_indefinite(data, tag, offset, depth)
    if size > 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[offset : offset + count], "big")
        offset += count
        if count > 8:
            raise InvalidKeyEncoding("an ASN.1 length is too large")
    if offset + size > len(data):
        raise InvalidKeyEncoding("an ASN.1 value is cut off")
    return tag, data[offset : offset + size], offset + size


def _read_indefinite(data: bytes, tag: int, offset: int, depth: int) -> tuple[int, bytes, int]:
    if not tag & _CONSTRUCTED:
        raise InvalidKeyEncoding("an indefinite length where none is allowed")
    segments = []
    while data[offset : offset + 2] != b"\x00\x00":
        inner_tag, content, offset = _read(data, offset, depth + 1)
        segments.append(tlv(inner_tag, content))
    return tag, b"".join(segments), offset + 2
