"""Ed25519 and Ed25519ph signatures. Source: RFC 8032, RFC 8410."""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from kmsmock.crypto import Entropy, der, encodings
from kmsmock.crypto.errors import InvalidKeyEncoding, make_missing_extra_error

_PREHASHED = "ED25519_PH_SHA_512"


class EdwardsKey:
    """An Ed25519 private key."""

    __slots__ = ("_key",)

    def __init__(self, key: ed25519.Ed25519PrivateKey) -> None:
        self._key = key

    def sign(self, message: bytes, algorithm: str, message_type: str) -> bytes:  # noqa: ARG002
        """Sign a message, or with Ed25519ph a 64-byte digest."""
        if algorithm == _PREHASHED:
            signature: bytes = self._prehashed().sign(_digest_object(message))
            return signature
        return self._key.sign(message)

    def verify(
        self,
        message: bytes,
        signature: bytes,
        algorithm: str,
        message_type: str,  # noqa: ARG002 - it follows from the algorithm
    ) -> bool:
        """Return whether a signature is valid."""
        try:
            if algorithm == _PREHASHED:
                self._prehashed().verify(_digest_object(message), signature)
            else:
                self._key.public_key().verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def public_der(self) -> bytes:
        """Return the public key as SubjectPublicKeyInfo."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def private_der(self) -> bytes:
        """Return the private key as PKCS#8."""
        return self._key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def _prehashed(self) -> Any:
        """Return an Ed25519ph signer of this key; `cryptography` has none."""
        try:
            from Crypto.PublicKey import ECC
            from Crypto.Signature import eddsa
        except ImportError:
            raise make_missing_extra_error(_PREHASHED, "pycryptodome") from None
        key = ECC.construct(curve="Ed25519", seed=self._key.private_bytes_raw())
        return eddsa.new(key, "rfc8032")


def _digest_object(digest: bytes) -> Any:
    """Return the hash that Ed25519ph signs: like a message, KMS hashes the digest once more."""
    from Crypto.Hash import SHA512

    return SHA512.new(digest)


def generate(entropy: Entropy) -> EdwardsKey:
    """Generate a key."""
    return EdwardsKey(ed25519.Ed25519PrivateKey.from_private_bytes(entropy(32)))


def load(pkcs8: bytes) -> EdwardsKey:
    """Load an imported key in strict DER; raises InvalidKeyEncoding."""
    # cryptography < 45 accepts BER, and ignores bytes after the key.
    if der.private_key_to_der(pkcs8) != pkcs8:
        raise InvalidKeyEncoding("not DER")
    key = encodings.private_key(pkcs8)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise InvalidKeyEncoding("not an Ed25519 key")
    return EdwardsKey(key)
