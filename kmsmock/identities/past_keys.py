"""Access keys that were valid once, in as little memory as possible."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from hashlib import blake2b


class PastKeys:
    """Access keys of which nothing is kept but that they were valid once: 8 bytes for each."""

    def __init__(self) -> None:
        self._digests = array("Q")

    def add(self, access_keys: Iterable[str]) -> None:
        """Add access keys."""
        self._digests = array("Q", sorted({*self._digests, *map(self._digest, access_keys)}))

    def __contains__(self, access_key: str) -> bool:
        digest = self._digest(access_key)
        place = bisect_left(self._digests, digest)
        return place < len(self._digests) and self._digests[place] == digest

    @staticmethod
    def _digest(access_key: str) -> int:
        text = access_key.encode(errors="surrogatepass")
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
