"""RSA: encryption, signatures, and unwrapping of imported key material.

Source: RFC 8017 (PKCS #1), RFC 5649 (AES key wrap with padding).
"""

from __future__ import annotations

import os
from typing import Any

from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from kmsmock.crypto import der, encodings
from kmsmock.crypto.errors import DecryptionFailed, InvalidKeyEncoding

PUBLIC_EXPONENT = 65537

_HASHES: dict[str, Any] = {
    "SHA_1": hashes.SHA1(),  # noqa: S303 - KMS offers it
    "SHA_256": hashes.SHA256(),
    "SHA_384": hashes.SHA384(),
    "SHA_512": hashes.SHA512(),
}


def _oaep(name: str) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(_HASHES[name]), _HASHES[name], None)


def _pss(name: str) -> padding.PSS:
    return padding.PSS(padding.MGF1(_HASHES[name]), padding.PSS.DIGEST_LENGTH)


_ENCRYPTION = {f"RSAES_OAEP_{name}": _oaep(name) for name in ("SHA_1", "SHA_256")}
_SIGNATURES: dict[str, tuple[Any, Any]] = {
    f"{prefix}_{name}": (make(name), _HASHES[name])
    for prefix, make in (
        ("RSASSA_PKCS1_V1_5", lambda _: padding.PKCS1v15()),
        ("RSASSA_PSS", _pss),
    )
    for name in ("SHA_256", "SHA_384", "SHA_512")
}
_KEY_WRAP = {"RSA_AES_KEY_WRAP_SHA_1": "SHA_1", "RSA_AES_KEY_WRAP_SHA_256": "SHA_256"}
_WRAPPED_KEY_BYTES = 32


def max_plaintext_bytes(algorithm: str, bits: int) -> int:
    """Return the longest plaintext of an OAEP algorithm, in bytes (RFC 8017, 7.1.1)."""
    digest_bytes: int = _HASHES[algorithm.removeprefix("RSAES_OAEP_")].digest_size
    return bits // 8 - 2 * digest_bytes - 2


class RsaKey:
    """An RSA private key. bits: the length of its modulus."""

    __slots__ = ("_key", "_public", "bits")

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        self._public = key.public_key()
        self.bits = key.key_size

    def encrypt(self, plaintext: bytes, algorithm: str) -> bytes:
        """Encrypt with OAEP; the plaintext must not be too long for it."""
        return self._public.encrypt(plaintext, _ENCRYPTION[algorithm])

    def decrypt(self, ciphertext: bytes, algorithm: str) -> bytes:
        """Decrypt OAEP; raises DecryptionFailed."""
        return self._decrypt(ciphertext, _ENCRYPTION[algorithm])

    def sign(self, message: bytes, algorithm: str, message_type: str) -> bytes:
        """Sign a message (RAW), or a digest of the right length (DIGEST)."""
        scheme, algorithm_hash = _SIGNATURES[algorithm]
        return self._key.sign(message, scheme, _hash(algorithm_hash, message_type))

    def verify(self, message: bytes, signature: bytes, algorithm: str, message_type: str) -> bool:
        """Return whether a signature is valid; PSS salts must be as long as the digest."""
        from cryptography.exceptions import InvalidSignature

        scheme, algorithm_hash = _SIGNATURES[algorithm]
        try:
            self._public.verify(signature, message, scheme, _hash(algorithm_hash, message_type))
        except InvalidSignature:
            return False
        return True

    def unwrap(self, algorithm: str, blob: bytes) -> bytes:
        """Unwrap imported key material; raises DecryptionFailed.

        RSA_AES_KEY_WRAP: an OAEP-encrypted AES-256 key, followed by the material wrapped with it.
        """
        hash_name = _KEY_WRAP.get(algorithm)
        if hash_name is None:
            return self.decrypt(blob, algorithm)
        modulus_bytes = self.bits // 8
        wrapping_key = self._decrypt(blob[:modulus_bytes], _oaep(hash_name))
        if len(wrapping_key) != _WRAPPED_KEY_BYTES:
            raise DecryptionFailed("the wrapped AES key must have 256 bits")
        try:
            return keywrap.aes_key_unwrap_with_padding(wrapping_key, blob[modulus_bytes:])
        except (keywrap.InvalidUnwrap, ValueError) as reason:
            raise DecryptionFailed(f"the AES key unwrap failed: {reason}") from None

    def numbers(self) -> rsa.RSAPrivateNumbers:
        """Return the primes, exponents and modulus of the key."""
        return self._key.private_numbers()

    def public_der(self) -> bytes:
        """Return the public key as SubjectPublicKeyInfo."""
        return self._public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def private_der(self) -> bytes:
        """Return the private key as PKCS#8."""
        return self._key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def _decrypt(self, ciphertext: bytes, scheme: padding.OAEP) -> bytes:
        if len(ciphertext) != self.bits // 8:
            raise DecryptionFailed(f"it must have {self.bits // 8} bytes, not {len(ciphertext)}")
        try:
            return self._key.decrypt(ciphertext, scheme)
        except ValueError:
            raise DecryptionFailed("wrong key, algorithm or padding") from None


def _hash(algorithm_hash: Any, message_type: str) -> Any:
    return utils.Prehashed(algorithm_hash) if message_type == "DIGEST" else algorithm_hash


def generate(bits: int) -> RsaKey:
    """Generate an RSA key; this takes from tenths of a second to seconds."""
    return RsaKey(rsa.generate_private_key(PUBLIC_EXPONENT, bits))


def from_primes(p: int, q: int) -> RsaKey:
    """Make an RSA key from two primes, which are not tested; this takes milliseconds."""
    d = pow(PUBLIC_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(PUBLIC_EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    )
    return RsaKey(numbers.private_key(unsafe_skip_rsa_key_validation=True))


def wrap(public_key_der: bytes, algorithm: str, material: bytes) -> bytes:
    """Wrap key material for import; `RsaKey.unwrap` is the reverse.

    public_key_der: SubjectPublicKeyInfo. algorithm: a WrappingAlgorithm of GetParametersForImport.
    """
    public: Any = serialization.load_der_public_key(public_key_der)
    hash_name = _KEY_WRAP.get(algorithm)
    if hash_name is None:
        wrapped: bytes = public.encrypt(material, _ENCRYPTION[algorithm])
        return wrapped
    wrapping_key = os.urandom(_WRAPPED_KEY_BYTES)
    encrypted_key: bytes = public.encrypt(wrapping_key, _oaep(hash_name))
    return encrypted_key + keywrap.aes_key_wrap_with_padding(wrapping_key, material)


def load(pkcs8: bytes, bits: int) -> RsaKey:
    """Load an imported key, in BER or DER; raises InvalidKeyEncoding."""
    return _of_size(encodings.private_key(der.private_key_to_der(pkcs8)), bits)


def reopen(pkcs8: bytes, bits: int | None = None) -> RsaKey:
    """Load a key without testing its primes, which takes a good part of a second.

    bits: the expected size, None for any. Raises InvalidKeyEncoding for another kind or size, and
    for numbers that are not consistent.
    """
    key = _of_size(encodings.private_key(pkcs8, skip_primality=True), bits)
    numbers = key.numbers()
    p, q, e = numbers.p, numbers.q, numbers.public_numbers.e
    is_consistent = p * q == numbers.public_numbers.n and all(
        (e * numbers.d - 1) % (prime - 1) == 0 for prime in (p, q)
    )
    if not is_consistent:
        raise InvalidKeyEncoding("the numbers of the key are not consistent")
    return key


def _of_size(key: Any, bits: int | None) -> RsaKey:
    if not isinstance(key, rsa.RSAPrivateKey):
        raise InvalidKeyEncoding("not an RSA key")
    if bits not in (None, key.key_size):
        raise InvalidKeyEncoding(f"the modulus has {key.key_size} bits, not {bits}")
    return RsaKey(key)
