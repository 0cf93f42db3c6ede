"""Cryptography on bytes; only this package imports ``cryptography``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

#: Returns that many random bytes: ``os.urandom``, or a `seeded.SeededEntropy`.
Entropy = Callable[[int], bytes]


class PrivateKey(Protocol):
    """What private keys of all key specs have in common."""

    def private_der(self) -> bytes:
        """Return the private key as PKCS#8 in DER (RFC 5958)."""
        ...

    def public_der(self) -> bytes:
        """Return the public key as SubjectPublicKeyInfo in DER (RFC 5280)."""
        ...
