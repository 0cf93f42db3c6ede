"""Seeded randomness: random bytes and signature nonces that a seed determines.

Source: NIST FIPS 202 (SHAKE256); RFC 6979 (deterministic ECDSA).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, utils

from kmsmock.crypto.elliptic import EllipticKey, digest_of


class SeededEntropy:
    """A source of pseudorandom bytes: the n-th call always returns the same.

    seed: 1 and "1" are the same.
    """

    def __init__(self, seed: int | str) -> None:
        self._seed = f"{seed}:".encode()
        self._drawn = 0

    def absorb(self, data: bytes) -> None:
        """Make all further bytes depend on this data too."""
        self._seed = hashlib.sha256(self._seed + data).digest()

    def state(self) -> tuple[bytes, int]:
        """Return what `restore` needs."""
        return self._seed, self._drawn

    def restore(self, state: tuple[bytes, int]) -> None:
        """Restore a state, after which the same bytes follow as before."""
        self._seed, self._drawn = state

    def __call__(self, size: int) -> bytes:
        """Return that many bytes."""
        self._drawn += 1
        return hashlib.shake_256(self._seed + self._drawn.to_bytes(8, "big")).digest(size)


class DeterministicEllipticKey(EllipticKey):
    """A private key whose signatures depend only on key and message.

    Newer versions of `cryptography` can do this too; here it works with all supported versions.
    """

    __slots__ = ()

    def sign(self, message: bytes, algorithm: str, message_type: str) -> bytes:
        """Sign a message (RAW) or a digest (DIGEST); return DER of r and s."""
        hash_name, digest = digest_of(message, algorithm, message_type)
        order = self._curve.order
        scalar = self._key.private_numbers().private_value
        number = _bits_to_int(digest, order)
        for nonce in _nonces(scalar, digest, order, hash_name):
            point = ec.derive_private_key(nonce, self._curve.curve).public_key().public_numbers()
            r = point.x % order
            s = pow(nonce, -1, order) * (number + r * scalar) % order
            if r and s:
                return utils.encode_dss_signature(r, s)
        raise AssertionError("the nonces never end")


def deterministic(key: Any) -> Any:
    """Return a key with deterministic signatures; a key of another algorithm is returned itself."""
    if type(key) is EllipticKey:
        return DeterministicEllipticKey(key._key, key._curve)  # noqa: SLF001 - of its own class
    return key


def _bits_to_int(data: bytes, order: int) -> int:
    surplus = 8 * len(data) - order.bit_length()
    return int.from_bytes(data, "big") >> max(surplus, 0)


def _nonces(scalar: int, digest: bytes, order: int, hash_name: str) -> Any:
    """Yield nonces, of which the first is nearly always suitable (RFC 6979, 3.2)."""
    size = (order.bit_length() + 7) // 8
    seed = scalar.to_bytes(size, "big") + (_bits_to_int(digest, order) % order).to_bytes(
        size, "big"
    )

    def mac(key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, hash_name)

    length = hashlib.new(hash_name).digest_size
    key, value = bytes(length), b"\x01" * length
    for mark in (b"\x00", b"\x01"):
        key = mac(key, value + mark + seed)
        value = mac(key, value)
    while True:
        drawn = b""
        while len(drawn) < size:
            value = mac(key, value)
            drawn += value
        nonce = _bits_to_int(drawn[:size], order)
        if 0 < nonce < order:
            yield nonce
        key = mac(key, value + b"\x00")
        value = mac(key, value)
