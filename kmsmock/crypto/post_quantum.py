"""ML-DSA signatures (FIPS 204) and ML-KEM key encapsulation (FIPS 203).

Modules of `cryptography` are imported on first use, since older versions do not have them.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto import Entropy, PrivateKey, der
from kmsmock.crypto.errors import (
    AlgorithmUnavailable,
    DecryptionFailed,
    InvalidKeyEncoding,
    make_missing_extra_error,
)

_MODULES = "cryptography.hazmat.primitives.asymmetric"
_SEED_BYTES = {"mldsa": 32, "mlkem": 64}
#: Source: RFC 9881 and RFC 9935.
_OIDS = {
    spec: der.oid(f"2.16.840.1.101.3.4.{arc}")
    for spec, arc in (
        *(("ML_DSA_44", "3.17"), ("ML_DSA_65", "3.18"), ("ML_DSA_87", "3.19")),
        *(("ML_KEM_512", "4.1"), ("ML_KEM_768", "4.2"), ("ML_KEM_1024", "4.3")),
    )
}
_SEED_TAG = 0x80
_ML_KEM_512_CIPHERTEXT_BYTES = 768
_EXTERNAL_MU = "EXTERNAL_MU"
#: Versions of `cryptography`; 47 has the modules, but its wheels reject every key.
_LATTICES_SINCE, _EXTERNAL_MU_SINCE = 48, 49


class _NativeKey:
    """The common part of the ML-DSA and ML-KEM keys of `cryptography`."""

    __slots__ = ("_key", "_spec")

    def __init__(self, spec: str, key: Any) -> None:
        self._spec = spec
        self._key = key

    def public_der(self) -> bytes:
        """Return the public key as SubjectPublicKeyInfo."""
        encoded: bytes = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return encoded

    def private_der(self) -> bytes:
        """Return the private key as PKCS#8, in the form with the seed."""
        encoded: bytes = self._key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return encoded


class MlDsaKey(_NativeKey):
    """An ML-DSA private key."""

    __slots__ = ()

    def sign(self, message: bytes, algorithm: str, message_type: str) -> bytes:  # noqa: ARG002
        """Sign a message (RAW), or its 64-byte mu (EXTERNAL_MU), with an empty context."""
        sign = self._key.sign
        if message_type == _EXTERNAL_MU:
            sign = self._with_mu(self._key, "sign_mu")
        signature: bytes = sign(message)
        return signature

    def verify(
        self,
        message: bytes,
        signature: bytes,
        algorithm: str,  # noqa: ARG002 - there is only one
        message_type: str,
    ) -> bool:
        """Return whether a signature is valid."""
        public = self._key.public_key()
        verify = public.verify
        if message_type == _EXTERNAL_MU:
            verify = self._with_mu(public, "verify_mu")
        try:
            verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def _with_mu(self, key: Any, method: str) -> Any:
        bound = getattr(key, method, None)
        if bound is None:
            raise _too_old(f"{self._spec} with MessageType EXTERNAL_MU", _EXTERNAL_MU_SINCE)
        return bound


class MlKemKey(_NativeKey):
    """An ML-KEM private key."""

    __slots__ = ()

    def encapsulate(self) -> tuple[bytes, bytes]:
        """Make a shared secret of 32 bytes; return its ciphertext, then the secret."""
        secret, ciphertext = self._key.public_key().encapsulate()
        return ciphertext, secret

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Recover a shared secret; raises DecryptionFailed for a wrong length only.

        Any other wrong ciphertext results in another secret (implicit rejection).
        """
        try:
            secret: bytes = self._key.decapsulate(ciphertext)
        except ValueError as reason:
            raise DecryptionFailed(str(reason)) from None
        return secret


class MlKem512Key:
    """An ML-KEM-512 private key, which `cryptography` does not have."""

    __slots__ = ("_private", "_public", "_scheme", "_seed")

    def __init__(self, seed: bytes) -> None:
        try:
            from kyber_py.ml_kem import ML_KEM_512
        except ImportError:
            raise make_missing_extra_error("ML_KEM_512", "kyber-py") from None
        self._scheme = ML_KEM_512
        self._seed = SecretBytes(seed)
        self._public, private = ML_KEM_512.key_derive(seed)
        self._private = SecretBytes(private)

    def encapsulate(self) -> tuple[bytes, bytes]:
        """Make a shared secret of 32 bytes; return its ciphertext, then the secret."""
        secret, ciphertext = self._scheme.encaps(self._public)
        return ciphertext, secret

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """Recover a shared secret; raises DecryptionFailed for a wrong length only."""
        if len(ciphertext) != _ML_KEM_512_CIPHERTEXT_BYTES:
            raise DecryptionFailed(f"it must have {_ML_KEM_512_CIPHERTEXT_BYTES} bytes")
        secret: bytes = self._scheme.decaps(self._private, ciphertext)
        return secret

    def public_der(self) -> bytes:
        """Return the public key as SubjectPublicKeyInfo."""
        return der.sequence(der.sequence(_OIDS["ML_KEM_512"]), der.bits(self._public))

    def private_der(self) -> bytes:
        """Return the private key as PKCS#8, in the form that holds its seed."""
        seed = der.tlv(_SEED_TAG, self._seed)
        return der.sequence(der.integer(0), der.sequence(_OIDS["ML_KEM_512"]), der.octets(seed))


def generate(spec: str, entropy: Entropy) -> PrivateKey:
    """Generate a key of a spec such as ``ML_DSA_44``, from a seed.

    Raises AlgorithmUnavailable with the package that is missing or too old.
    """
    if spec == "ML_KEM_512":
        return MlKem512Key(entropy(64))
    family, kind = ("mldsa", MlDsaKey) if spec.startswith("ML_DSA") else ("mlkem", MlKemKey)
    seed = entropy(_SEED_BYTES[family])
    try:
        module = import_module(f"{_MODULES}.{family}")
        native = getattr(module, f"{family.upper()}{spec.rpartition('_')[2]}PrivateKey")
        return kind(spec, native.from_seed_bytes(seed))
    except (ImportError, AttributeError, UnsupportedAlgorithm):
        raise _too_old(spec, _LATTICES_SINCE) from None


def load(spec: str, pkcs8: bytes) -> PrivateKey:
    """Load a key in a form with its seed.

    Raises InvalidKeyEncoding for other forms, and AlgorithmUnavailable. Source: RFC 9881 and
    RFC 9935, "Private Key Format".
    """
    fields = der.children(der.only(pkcs8, der.SEQUENCE))
    if len(fields) < 3 or fields[2][0] != der.OCTET_STRING:
        raise InvalidKeyEncoding("not a PKCS#8 private key")
    if fields[1][1] != _OIDS[spec]:
        raise InvalidKeyEncoding(f"not an {spec} key")
    tag, seed = _first(fields[2][1])
    if tag == der.SEQUENCE:  # seed and expanded key
        tag, seed = _first(seed)
        tag = _SEED_TAG if tag == der.OCTET_STRING else tag
    size = _SEED_BYTES["mldsa" if spec.startswith("ML_DSA") else "mlkem"]
    if tag != _SEED_TAG or len(seed) != size:
        raise InvalidKeyEncoding(f"it has no seed of {size} bytes")
    return generate(spec, lambda _: seed)


def _first(data: bytes) -> tuple[int, bytes]:
    return next(iter(der.children(data)), (0, b""))


def _too_old(algorithm: str, version: int) -> AlgorithmUnavailable:
    return AlgorithmUnavailable(algorithm, f"it needs the package cryptography >= {version}")
