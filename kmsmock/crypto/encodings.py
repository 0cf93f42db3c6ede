"""Reading keys from DER, with one kind of error for all that can be wrong."""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from kmsmock.crypto.errors import InvalidKeyEncoding

#: What the library raises, depending on how far its parser and OpenSSL come.
UNREADABLE = (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, InternalError)


def private_key(pkcs8: bytes) -> Any:
    """Read a PKCS#8 private key; raises InvalidKeyEncoding."""
    try:
        return serialization.load_der_private_key(pkcs8, password=None)
    except UNREADABLE as reason:
        raise InvalidKeyEncoding(f"not a PKCS#8 private key: {reason}") from None


def public_key(spki: bytes) -> Any:
    """Read a SubjectPublicKeyInfo; raises InvalidKeyEncoding."""
    try:
        return serialization.load_der_public_key(spki)
    except UNREADABLE as reason:
        raise InvalidKeyEncoding(f"not a public key: {reason}") from None
