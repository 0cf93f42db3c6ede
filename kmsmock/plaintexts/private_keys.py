"""What is secret in a private key, however the key is written.

Programs read PKCS #8 and write something else: PKCS #1, SEC 1, JWK, PEM of these. What they all
hold is the same few numbers.
"""

from __future__ import annotations

from kmsmock.crypto import der
from kmsmock.crypto.errors import InvalidKeyEncoding

_RSA = der.oid("1.2.840.113549.1.1.1")
_EC = der.oid("1.2.840.10045.2.1")
#: Places of private numbers in an RSAPrivateKey. Source: RFC 8017, A.1.2.
_RSA_NUMBERS = {"private exponent": 3, "first prime": 4, "second prime": 5}


def secret_parts(value: bytes) -> dict[str, bytes]:
    """Give the numbers of a PKCS #8 private key by name; of all other values nothing."""
    if value[:1] != b"\x30":
        return {}
    try:
        fields = der.children(der.only(value, der.SEQUENCE))
        if [tag for tag, _ in fields[:3]] != [der.INTEGER, der.SEQUENCE, der.OCTET_STRING]:
            return {}
        return _parts(fields[1][1], fields[2][1])
    except (InvalidKeyEncoding, IndexError):
        return {}


def _parts(algorithm: bytes, inside: bytes) -> dict[str, bytes]:
    if algorithm.startswith(_RSA):
        numbers = der.children(der.only(inside, der.SEQUENCE))
        return {name: numbers[at][1].lstrip(b"\0") for name, at in _RSA_NUMBERS.items()}
    if algorithm.startswith(_EC):  # SM2 as well
        return {"private scalar": der.children(der.only(inside, der.SEQUENCE))[1][1]}
    # Edwards curves: the seed, in an OCTET STRING of its own (RFC 8410).
    return {"private seed": der.only(inside, der.OCTET_STRING)}
