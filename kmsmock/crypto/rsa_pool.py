"""Ready-made RSA keys, since making them takes seconds; for tests and for nothing else.

The file beside this module has, for 2048, 3072 and 4096 bits in that order, so many pairs of
primes as `COUNTS` says; each prime is big-endian and half as long as its modulus. Everybody has
these private keys: they protect nothing. ``python -m kmsmock.crypto.rsa_pool`` makes them anew.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from kmsmock.crypto import Entropy
from kmsmock.crypto.rsa import RsaKey, from_primes, generate

#: Modulus length in bits -> how many keys the file has.
COUNTS = {2048: 64, 3072: 32, 4096: 32}
_FILE = Path(__file__).with_name("rsa_pool.bin")


@lru_cache(maxsize=1)
def _file() -> bytes:
    return _FILE.read_bytes()


def _primes(bits: int, place: int) -> tuple[int, int]:
    start = sum(count * size // 8 for size, count in COUNTS.items() if size < bits)
    start += place * bits // 8
    middle, end = start + bits // 16, start + bits // 8
    data = _file()
    return int.from_bytes(data[start:middle], "big"), int.from_bytes(data[middle:end], "big")


@lru_cache(maxsize=len(COUNTS))
def _places(bits: int) -> dict[int, int]:
    """Give the places of the ready-made keys by modulus."""
    primes = (_primes(bits, place) for place in range(COUNTS[bits]))
    return {p * q: place for place, (p, q) in enumerate(primes)}


class RsaPool:
    """The ready-made keys as one mock draws them: each at most once, in an order of its own."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._left: dict[int, list[int]] = {}
        self._withheld: set[tuple[int, int]] = set()

    def take(self, bits: int) -> RsaKey:
        """Give a key that was not given before; a newly made one when all have been."""
        left = self._left.get(bits)
        if left is None:
            left = self._left[bits] = self._shuffled(COUNTS[bits])
        while left:
            place = left.pop()
            if (bits, place) not in self._withheld:
                return from_primes(*_primes(bits, place))
        return generate(bits)

    def exclude(self, key: RsaKey) -> None:
        """Never give a key that came from elsewhere, if it is one of the ready-made ones."""
        place = _places(key.bits).get(key.numbers().public_numbers.n)
        if place is not None:
            self._withheld.add((key.bits, place))

    def _shuffled(self, count: int) -> list[int]:
        numbers = self._entropy(2 * count)
        return sorted(range(count), key=lambda place: (numbers[2 * place : 2 * place + 2], place))


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
