"""SM2 signatures, encryption and key agreement, for China Regions.

Source: GB/T 32918 (SM2), GM/T 0009 (DER of signatures and ciphertexts), with the default user
id ``1234567812345678``. The curve arithmetic is that of the package gmalg.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kmsmock.aws.secret_values import SecretInt
from kmsmock.crypto import Entropy, der
from kmsmock.crypto.errors import DecryptionFailed, InvalidKeyEncoding, make_missing_extra_error

_USER_ID = b"1234567812345678"
_PUBLIC_KEY = der.oid("1.2.840.10045.2.1")
_CURVE = der.oid("1.2.156.10197.1.301")
_ALGORITHM = der.sequence(_PUBLIC_KEY, _CURVE)
_FIELD_BYTES = 32
_ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
#: p, a, b, base point, order.
_PARAMETERS = (
    0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF,
    0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC,
    0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
    (
        0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
        0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
    ),
    _ORDER,
)

_Point = tuple[int, int]


class _FixedDigest:
    """A hash object with a fixed value, for messages that are digests."""

    def __init__(self, digest: bytes) -> None:
        self._digest = digest

    def reset(self) -> None:
        """Do nothing."""

    def update(self, data: bytes) -> None:
        """Do nothing with the data."""

    def value(self) -> bytes:
        """Return the digest."""
        return self._digest


class Sm2Key:
    """An SM2 private key."""

    __slots__ = ("_curve", "_public", "_scalar")

    def __init__(self, scalar: int) -> None:
        self._curve = _module("ellipticcurve").ECDLP(*_PARAMETERS)
        self._scalar = SecretInt(scalar)
        self._public: _Point = self._curve.kG(scalar)

    def sign(self, message: bytes, algorithm: str, message_type: str) -> bytes:  # noqa: ARG002
        """Sign a message (RAW) or its 32-byte e value (DIGEST); return DER of r and s."""
        core = self._core(message, message_type)
        r, s = core.sign(message, self._scalar, _USER_ID, self._public)
        return der.sequence(der.integer(r), der.integer(s))

    def verify(
        self,
        message: bytes,
        signature: bytes,
        algorithm: str,  # noqa: ARG002 - there is only one
        message_type: str,
    ) -> bool:
        """Return whether a signature is valid."""
        try:
            r, s = _numbers(der.only(signature, der.SEQUENCE), 2)
        except InvalidKeyEncoding:
            return False
        core = self._core(message, message_type)
        is_valid: bool = core.verify(message, r, s, _USER_ID, self._public)
        return is_valid

    def encrypt(self, plaintext: bytes, algorithm: str) -> bytes:  # noqa: ARG002
        """Encrypt; return DER of the point, the hash and the ciphertext."""
        (x, y), ciphertext, digest = self._core().encrypt(plaintext, self._public)
        return der.sequence(
            der.integer(x), der.integer(y), der.octets(digest), der.octets(ciphertext)
        )

    def decrypt(self, ciphertext: bytes, algorithm: str) -> bytes:  # noqa: ARG002
        """Decrypt; raises DecryptionFailed."""
        errors = _module("errors")
        try:
            content = der.only(ciphertext, der.SEQUENCE)
            point = _numbers(content, 2)
            (_, digest), (_, encrypted) = der.children(content)[2:]
            plaintext: bytes = self._core().decrypt(point, encrypted, digest, self._scalar)
        except (InvalidKeyEncoding, ValueError, errors.GMError) as reason:
            raise DecryptionFailed(f"wrong key or a damaged ciphertext: {reason}") from None
        return plaintext

    def exchange(self, peer_spki: bytes) -> bytes:
        """Derive the shared secret with a peer's public key: the x coordinate, 32 bytes.

        Raises InvalidKeyEncoding if that is not a public key on this curve.
        """
        x, _ = self._curve.ec.mul(self._scalar, self._peer(peer_spki))
        secret: bytes = x.to_bytes(_FIELD_BYTES, "big")
        return secret

    def public_der(self) -> bytes:
        """Return the public key as SubjectPublicKeyInfo, the point uncompressed."""
        return der.sequence(_ALGORITHM, der.bits(self.point()))

    def private_der(self) -> bytes:
        """Return the private key as PKCS#8, with curve and public key inside."""
        inside = der.sequence(
            der.integer(1),
            der.octets(self._scalar.to_bytes(_FIELD_BYTES, "big")),
            der.context(0, _CURVE),
            der.context(1, der.bits(self.point())),
        )
        return der.sequence(der.integer(0), _ALGORITHM, der.octets(inside))

    def _core(self, message: bytes = b"", message_type: str = "RAW") -> Any:
        digest = _FixedDigest(message) if message_type == "DIGEST" else _module("sm3").SM3()
        return _module("sm2").SM2Core(self._curve, digest)

    def point(self) -> bytes:
        """Return the public key as an uncompressed point (SEC 1, 2.3.3)."""
        return b"\x04" + b"".join(part.to_bytes(_FIELD_BYTES, "big") for part in self._public)

    def _peer(self, spki: bytes) -> _Point:
        fields = der.children(der.only(spki, der.SEQUENCE))
        if len(fields) != 2 or der.tlv(*fields[0]) != _ALGORITHM:
            raise InvalidKeyEncoding("it is on another curve, or on none")
        point = fields[1][1][1:]
        if len(point) != 1 + 2 * _FIELD_BYTES or point[0] != 4:
            raise InvalidKeyEncoding("the point must be uncompressed")
        x, y = (int.from_bytes(point[start : start + _FIELD_BYTES], "big") for start in (1, 33))
        if max(x, y) >= _PARAMETERS[0] or not self._curve.ec.isvalid((x, y)):
            raise InvalidKeyEncoding("the point is not on the curve")
        return x, y


def generate(entropy: Entropy) -> Sm2Key:
    """Generate a key with a scalar from the entropy."""
    while True:
        scalar = int.from_bytes(entropy(_FIELD_BYTES), "big")
        if 0 < scalar < _ORDER - 1:
            return Sm2Key(scalar)


def load(pkcs8: bytes) -> Sm2Key:
    """Load an imported key, in BER or DER; raises InvalidKeyEncoding."""
    encoded = der.private_key_to_der(pkcs8)
    fields = der.children(der.only(encoded, der.SEQUENCE))
    if der.tlv(*fields[1]) != _ALGORITHM:
        raise InvalidKeyEncoding("not a key on the SM2 curve")
    inside = der.children(der.only(fields[2][1], der.SEQUENCE))
    scalar = int.from_bytes(inside[1][1], "big") if len(inside) > 1 else 0
    if not 0 < scalar < _ORDER - 1:
        raise InvalidKeyEncoding("the private key is out of range")
    key = Sm2Key(scalar)
    if der.inner_public_key(encoded) not in (None, key.point()):
        raise InvalidKeyEncoding("its public key belongs to another key")
    return key


def _numbers(content: bytes, count: int) -> tuple[int, ...]:
    """Parse the INTEGERs at the beginning of a value."""
    values = der.children(content)[:count]
    if len(values) != count or any(tag != der.INTEGER for tag, _ in values):
        raise InvalidKeyEncoding("not the integers that were expected")
    return tuple(int.from_bytes(number, "big", signed=True) for _, number in values)


def _module(name: str) -> Any:
    try:
        return import_module(f"gmalg.{name}")
    except ImportError:
        raise make_missing_extra_error("SM2", "gmalg") from None
