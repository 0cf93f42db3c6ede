"""The little of DER (X.690) that is written and read here without a library.

Reading is hardened: lengths and depth are bounded, and anything odd raises `InvalidKeyEncoding`.
"""

from __future__ import annotations

from kmsmock.crypto.errors import InvalidKeyEncoding

INTEGER, BIT_STRING, OCTET_STRING, OID, SEQUENCE, SET = 0x02, 0x03, 0x04, 0x06, 0x30, 0x31
NULL = b"\x05\x00"

_CONSTRUCTED = 0x20
_LARGEST_BYTES = 1 << 16
_DEEPEST = 16


def tlv(tag: int, *contents: bytes) -> bytes:
    """Write a value: tag, length, contents."""
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content


def sequence(*contents: bytes) -> bytes:
    """Write a SEQUENCE."""
    return tlv(SEQUENCE, *contents)


def integer(number: int) -> bytes:
    """Write an INTEGER that is not negative."""
    return tlv(INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def octets(content: bytes) -> bytes:
    """Write an OCTET STRING."""
    return tlv(OCTET_STRING, content)


def bits(content: bytes) -> bytes:
    """Write a BIT STRING of whole bytes."""
    return tlv(BIT_STRING, b"\x00", content)


def context(number: int, *contents: bytes) -> bytes:
    """Write a constructed, context-specific value ``[number]``."""
    return tlv(0xA0 | number, *contents)


def oid(dotted: str) -> bytes:
    """Write an OBJECT IDENTIFIER."""
    first, second, *others = (int(part) for part in dotted.split("."))
    content = bytes((40 * first + second,))
    for number in others:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(0x80 | number & 0x7F)
        content += bytes(reversed(digits))
    return tlv(OID, content)


def children(data: bytes) -> list[tuple[int, bytes]]:
    """Take DER apart that stands in a row; gives tags and contents."""
    found = []
    place = 0
    while place < len(data):
        tag, content, place = _read(data, place, 0)
        found.append((tag, content))
    return found


def only(data: bytes, tag: int) -> bytes:
    """Give the content of data that is one value with this tag."""
    values = children(data)
    if len(values) != 1 or values[0][0] != tag:
        raise InvalidKeyEncoding("an unexpected ASN.1 value")
    return values[0][1]


def private_key_to_der(data: bytes) -> bytes:
    """Rewrite a PKCS#8 private key from BER to DER, the key inside it too."""
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
    """Give the point that an elliptic-curve private key has with it, if any (RFC 5915)."""
    inside = children(only(children(only(pkcs8, SEQUENCE))[2][1], SEQUENCE))
    for tag, content in inside:
        if tag == 0xA1:
            return only(content, BIT_STRING)[1:]
    return None


def _to_der(data: bytes, depth: int) -> bytes:
    place = 0
    values = []
    while place < len(data):
        tag, content, place = _read(data, place, depth)
        if tag & _CONSTRUCTED:
            content = _to_der(content, depth + 1)
            if tag & ~_CONSTRUCTED in (BIT_STRING, OCTET_STRING):
                tag &= ~_CONSTRUCTED
                content = _join(tag, [piece for _, piece in children(content)])
        values.append(tlv(tag, content))
    return b"".join(values)


def _join(tag: int, pieces: list[bytes]) -> bytes:
    """Join a string that is in pieces: DER has it in one (X.690, 8.6.4 and 8.7.3)."""
    if tag == OCTET_STRING:
        return b"".join(pieces)
    # The first byte of each piece counts unused bits, which only the last one may have.
    if not all(pieces) or any(piece[0] for piece in pieces[:-1]):
        raise InvalidKeyEncoding("a BIT STRING in pieces that do not fit together")
    return (pieces or [b"\x00"])[-1][:1] + b"".join(piece[1:] for piece in pieces)


def _read(data: bytes, place: int, depth: int) -> tuple[int, bytes, int]:
    """Read one value; gives its tag, its content, and where the next one begins."""
    if depth > _DEEPEST or place + 2 > len(data) or data[place] & 0x1F == 0x1F:
        raise InvalidKeyEncoding("not ASN.1 that is known here")
    tag, size = data[place], data[place + 1]
    place += 2
    if size == 0x80:
        return _read_indefinite(data, tag, place, depth)
    if size > 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[place : place + count], "big")
        place += count
        if count > 8:
            raise InvalidKeyEncoding("an ASN.1 length beyond reason")
    if place + size > len(data):
        raise InvalidKeyEncoding("an ASN.1 value is cut off")
    return tag, data[place : place + size], place + size


def _read_indefinite(data: bytes, tag: int, place: int, depth: int) -> tuple[int, bytes, int]:
    if not tag & _CONSTRUCTED:
        raise InvalidKeyEncoding("an indefinite length where there is none")
    pieces = []
    while data[place : place + 2] != b"\x00\x00":
        inner_tag, content, place = _read(data, place, depth + 1)
        pieces.append(tlv(inner_tag, content))
    return tag, b"".join(pieces), place + 2
