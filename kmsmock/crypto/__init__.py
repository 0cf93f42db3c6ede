"""Cryptography over bytes; the only importer of the package ``cryptography``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

#: A source of so many random bytes: ``os.urandom``, or one that a seed determines.
Entropy = Callable[[int], bytes]


class PrivateKey(Protocol):
    """What the private keys of all families have in common."""

    def private_der(self) -> bytes:
        """Give the private key as PKCS#8 in DER (RFC 5958)."""
        ...

    def public_der(self) -> bytes:
        """Give the public key as SubjectPublicKeyInfo in DER (RFC 5280)."""
        ...
