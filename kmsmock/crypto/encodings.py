"""Reading keys from DER, with one kind of error for all that can be wrong."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from kmsmock.crypto.errors import InvalidKeyEncoding

#: What the library raises, depending on how far its parser and OpenSSL come.
UNREADABLE = (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, InternalError)


_PEM = re.compile(r"-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)


def pkcs8_of_pem(text: str) -> bytes:
    """Give the private key of a PEM text as PKCS#8 in DER; raises InvalidKeyEncoding.

    Takes PKCS#8 of any family, and the older forms of RSA (PKCS #1) and elliptic curves (SEC 1).
    """
    found = _PEM.search(text)
    if found is None:
        raise InvalidKeyEncoding("there is no private key in it")
    label, body = found.groups()
    try:
        if label == "PRIVATE KEY":
            return b64decode("".join(body.split()), validate=True)
        key = serialization.load_pem_private_key(
            found.group().encode(), password=None, unsafe_skip_rsa_key_validation=True
        )
    except UNREADABLE as reason:
        raise InvalidKeyEncoding(f"not a private key without a password: {reason}") from None
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def private_key(pkcs8: bytes, *, skip_primality: bool = False) -> Any:
    """Read a PKCS#8 private key; raises InvalidKeyEncoding.

    skip_primality: whether an RSA key is not tested, which takes long.
    """
    try:
        return serialization.load_der_private_key(
            pkcs8, password=None, unsafe_skip_rsa_key_validation=skip_primality
        )
    except UNREADABLE as reason:
        raise InvalidKeyEncoding(f"not a PKCS#8 private key: {reason}") from None


def public_key(spki: bytes) -> Any:
    """Read a SubjectPublicKeyInfo; raises InvalidKeyEncoding."""
    try:
        return serialization.load_der_public_key(spki)
    except UNREADABLE as reason:
        raise InvalidKeyEncoding(f"not a public key: {reason}") from None
