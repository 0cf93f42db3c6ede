"""AES-256-GCM with an encryption context, and HMAC."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kmsmock.crypto import ciphertext
from kmsmock.crypto.errors import DecryptionFailed

#: MAC algorithm -> hash of hashlib. Source: RFC 2104, AWS KMS Developer Guide, "HMAC keys".
MAC_HASHES = {
    "HMAC_SHA_224": "sha224",
    "HMAC_SHA_256": "sha256",
    "HMAC_SHA_384": "sha384",
    "HMAC_SHA_512": "sha512",
}


class SymmetricKey:
    """An AES-256 key made from a key material.

    secret: 32 bytes. header: identifies key and key material in ciphertext blobs.
    """

    __slots__ = ("_aead", "_header")

    def __init__(self, secret: bytes, header: ciphertext.BlobHeader) -> None:
        self._aead = AESGCM(secret)
        self._header = header

    def encrypt(
        self, prefix: bytes, nonce: bytes, plaintext: bytes, context: Mapping[str, str] | None
    ) -> bytes:
        """Encrypt; return the ciphertext blob.

        prefix: `ciphertext.ENCRYPT_PREFIX` or `DATA_KEY_PREFIX`. nonce: 12 bytes, another one for
        each call.
        """
        authenticated = ciphertext.make_authenticated(self._header, prefix, nonce, len(plaintext))
        associated = authenticated + ciphertext.encode_context(context)
        return authenticated + self._aead.encrypt(nonce, plaintext, associated)

    def decrypt(self, blob: ciphertext.Blob, context: Mapping[str, str] | None) -> bytes:
        """Decrypt a blob; raises DecryptionFailed for a wrong context or a damaged blob."""
        associated = blob.authenticated + ciphertext.encode_context(context)
        try:
            return self._aead.decrypt(blob.nonce, blob.encrypted, associated)
        except InvalidTag:
            raise DecryptionFailed(
                "the encryption context or the ciphertext is not right"
            ) from None


def mac(secret: bytes, message: bytes, algorithm: str) -> bytes:
    """Compute an HMAC (RFC 2104)."""
    return hmac.digest(secret, message, MAC_HASHES[algorithm])


def macs_equal(one: bytes, other: bytes) -> bool:
    """Compare two MACs in constant time."""
    return hmac.compare_digest(one, other)
