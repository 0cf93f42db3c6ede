"""The secret numbers of a private key, which all key formats contain.

Programs read PKCS #8 and may write PKCS #1, SEC 1, JWK or PEM.
"""

from __future__ import annotations

from kmsmock.crypto import der
from kmsmock.crypto.errors import InvalidKeyEncoding

_RSA = der.oid("1.2.840.113549.1.1.1")
_EC = der.oid("1.2.840.10045.2.1")
#: Indexes of the private numbers in an RSAPrivateKey. Source: RFC 8017, A.1.2.
_RSA_NUMBERS = {"private exponent": 3, "first prime": 4, "second prime": 5}


def find_secret_numbers(value: bytes) -> dict[str, bytes]:
    """Return name -> secret number of a PKCS #8 private key; empty for other values."""
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
        return {name: numbers[index][1].lstrip(b"\0") for name, index in _RSA_NUMBERS.items()}
    if algorithm.startswith(_EC):  # SM2 as well
        return {"private scalar": der.children(der.only(inside, der.SEQUENCE))[1][1]}
    # Edwards curves: the seed, in an OCTET STRING of its own (RFC 8410).
    return {"private seed": der.only(inside, der.OCTET_STRING)}
