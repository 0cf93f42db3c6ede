"""Pregenerated RSA keys, since generating them takes seconds.

These private keys are public: they must not be used for anything but tests. ``rsa_pool.bin`` has
pairs of primes for 2048, 3072 and 4096 bits, in that order, as many as `COUNTS` says; each prime
is big-endian and half as long as its modulus. ``python -m kmsmock.crypto.rsa_pool`` generates new
ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from kmsmock.crypto import Entropy
from kmsmock.crypto.rsa import RsaKey, from_primes, generate

#: Modulus length in bits -> number of keys in the file.
COUNTS = {2048: 64, 3072: 32, 4096: 32}
_FILE = Path(__file__).with_name("rsa_pool.bin")


@lru_cache(maxsize=1)
def _file() -> bytes:
    return _FILE.read_bytes()


def _primes(bits: int, index: int) -> tuple[int, int]:
    start = sum(count * size // 8 for size, count in COUNTS.items() if size < bits)
    start += index * bits // 8
    middle, end = start + bits // 16, start + bits // 8
    data = _file()
    return int.from_bytes(data[start:middle], "big"), int.from_bytes(data[middle:end], "big")


@lru_cache(maxsize=len(COUNTS))
def _indexes(bits: int) -> dict[int, int]:
    """Return modulus -> index of each pregenerated key of a length."""
    primes = (_primes(bits, index) for index in range(COUNTS[bits]))
    return {p * q: index for index, (p, q) in enumerate(primes)}


class RsaPool:
    """The pregenerated keys for one mock: each is taken at most once, in a random order."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._left: dict[int, list[int]] = {}
        self._excluded: set[tuple[int, int]] = set()

    def take(self, bits: int) -> RsaKey:
        """Return a key that was not taken before; generate one if there are none left."""
        left = self._left.get(bits)
        if left is None:
            left = self._left[bits] = self._shuffled(COUNTS[bits])
        while left:
            index = left.pop()
            if (bits, index) not in self._excluded:
                return from_primes(*_primes(bits, index))
        return generate(bits)

    def count_left(self) -> Iterable[int]:
        """Return how many keys of each length that was asked for are left."""
        return map(len, self._left.values())

    def exclude(self, key: RsaKey) -> None:
        """Do not let `take` return this key, which another KMS key has already."""
        index = _indexes(key.bits).get(key.numbers().public_numbers.n)
        if index is not None:
            self._excluded.add((key.bits, index))

    def _shuffled(self, count: int) -> list[int]:
        numbers = self._entropy(2 * count)
        return sorted(range(count), key=lambda index: (numbers[2 * index : 2 * index + 2], index))


def _make_file() -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa

    content = b""
    for bits, count in COUNTS.items():
        for _ in range(count):
            numbers = rsa.generate_private_key(65537, bits).private_numbers()
            for prime in (numbers.p, numbers.q):
                content += prime.to_bytes(bits // 16, "big")
    _FILE.write_bytes(content)


if __name__ == "__main__":
    _make_file()
