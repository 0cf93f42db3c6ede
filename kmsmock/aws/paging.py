"""Pages of lists: the items of one page, and the marker from which the next one goes on."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

_TAG_BYTES = 16

T = TypeVar("T")
Position = TypeVar("Position")


class InvalidMarkerError(ValueError):
    """A marker, or page token, that was not issued for this list by this mock."""


class Markers:
    """Makes and reads the markers of one mock: opaque texts that name a position in a list.

    secret: at most 64 bytes, by which the markers of other mocks are refused.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, list_name: str, position: str) -> str:
        """Return the marker for what follows a position.

        list_name: the operation, and whatever else must be the same for the next page.
        """
        text = position.encode()
        return urlsafe_b64encode(self._tag(list_name, text) + text).decode()

    def read(self, list_name: str, marker: str) -> str:
        """Return the position that a marker names; raises InvalidMarkerError."""
        try:
            raw = urlsafe_b64decode(marker)
        except ValueError:
            raise InvalidMarkerError(marker) from None
        tag, text = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(list_name, text)):
            raise InvalidMarkerError(marker)
        return text.decode()

    def _tag(self, list_name: str, text: bytes) -> bytes:
        signed = list_name.encode() + b"\0" + text
        return hashlib.blake2b(signed, key=self._secret, digest_size=_TAG_BYTES).digest()


def take_page(
    items: Iterable[tuple[Position, T]], limit: int | None, show: Callable[[T], Any]
) -> tuple[list[Any], Position | None]:
    """Return the items of a page, and the position of the last one if the list goes on.

    items: with their positions. limit: how many a page has at most; None for all. show: makes an
    item what the answer has.
    """
    shown: list[Any] = []
    last = None
    for position, item in items:
        if len(shown) == limit:
            return shown, last
        shown.append(show(item))
        last = position
    return shown, None


def paginate(
    markers: Markers,
    operation: str,
    items: Iterable[T],
    marker: str | None,
    limit: int | None,
    show: Callable[[T], Any] = lambda item: item,
    position: Callable[[T], int] | None = None,
) -> tuple[list[Any], str | None]:
    """Return the items of the page behind a marker, and the marker of the next page or None.

    marker: None for the first page. limit, show: as for `take_page`. position: gives a number
    that grows along the list and stays with its item, so that neither new nor deleted items make
    a page repeat or skip others; without it, items are counted. Raises InvalidMarkerError.
    """
    after = 0 if marker is None else int(markers.read(operation, marker))
    numbered = enumerate(items, 1) if position is None else ((position(i), i) for i in items)
    shown, last = take_page((entry for entry in numbered if entry[0] > after), limit, show)
    return shown, None if last is None else markers.sign(operation, str(last))
