"""Load keys from DER and PEM, with one error class for everything that can be wrong."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from kmsmock.crypto.errors import InvalidKeyEncoding

#: What the library raises for unreadable keys, depending on whether its parser or OpenSSL fails.
UNREADABLE = (ValueError, TypeError, OverflowError, UnsupportedAlgorithm, InternalError)


_BEGIN = re.compile(r"-----BEGIN ((?:[A-Z]{1,20} )?PRIVATE KEY)-----")
#: The longest text with a private key, in characters: more than ten times that of any of KMS.
LONGEST_KEY = 2**17


def pem_to_pkcs8(text: str) -> bytes:
    """Convert a private key in PEM to PKCS#8 in DER; raises InvalidKeyEncoding.

    text: PKCS#8 of any algorithm, or the older RSA (PKCS #1) and elliptic-curve (SEC 1) formats.
    """
    if len(text) > LONGEST_KEY:
        raise InvalidKeyEncoding(f"{len(text):,} characters are too many for a private key")
    begin = _BEGIN.search(text)
    if begin is None:
        raise InvalidKeyEncoding("there is no private key in it")
    label = begin.group(1)
    body, end, _ = text[begin.end() :].partition(f"-----END {label}-----")
    if not end:
        raise InvalidKeyEncoding(f"the line -----END {label}----- is missing")
    try:
        if label == "PRIVATE KEY":
            return b64decode("".join(body.split()), validate=True)
        key = serialization.load_pem_private_key(
            f"{begin.group()}{body}{end}".encode(),
            password=None,
            unsafe_skip_rsa_key_validation=True,
        )
    except UNREADABLE as reason:
        raise InvalidKeyEncoding(f"not a private key without a password: {reason}") from None
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def private_key(pkcs8: bytes, *, skip_primality: bool = False) -> Any:
    """Load a PKCS#8 private key; raises InvalidKeyEncoding.

    skip_primality: whether to skip the slow primality tests of an RSA key.
    """
    try:
        return serialization.load_der_private_key(
            pkcs8, password=None, unsafe_skip_rsa_key_validation=skip_primality
        )
    except UNREADABLE as reason:
        raise InvalidKeyEncoding(f"not a PKCS#8 private key: {reason}") from None


def public_key(spki: bytes) -> Any:
    """Load a SubjectPublicKeyInfo; raises InvalidKeyEncoding."""
    try:
        return serialization.load_der_public_key(spki)
    except UNREADABLE as reason:
        raise InvalidKeyEncoding(f"not a public key: {reason}") from None
