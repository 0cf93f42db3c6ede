"""Pagination of lists: the items of a page, and the marker of the next page."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

_TAG_BYTES = 16

T = TypeVar("T")


class InvalidMarkerError(ValueError):
    """A marker or page token that this mock did not issue for this list."""


class Markers:
    """Signs and verifies the markers of one mock: opaque texts with a position in a list.

    secret: at most 64 bytes; markers that were signed with another one are invalid.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, list_name: str, position: str) -> str:
        """Return the marker of the page after a position.

        list_name: the operation, with parameters that must be equal for the next page.
        """
        text = position.encode()
        return urlsafe_b64encode(self._tag(list_name, text) + text).decode()

    def verify(self, list_name: str, marker: str) -> str:
        """Return the position of a marker; raises InvalidMarkerError."""
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


def take_page(items: Iterable[T], limit: int | None) -> tuple[list[T], bool]:
    """Return the items of a page, and whether others follow.

    limit: the greatest number of items; None for all.
    """
    remaining = iter(items)
    page = list(islice(remaining, limit))
    return page, bool(page) and next(remaining, _NOTHING) is not _NOTHING


_NOTHING: Any = object()


def paginate(
    markers: Markers,
    operation: str,
    items: Iterable[T],
    marker: str | None,
    limit: int | None,
    show: Callable[[T], Any] = lambda item: item,
    position: Callable[[T], int] | None = None,
) -> tuple[list[Any], str | None]:
    """Return the items of the page of a marker, and the marker of the next page or None.

    marker: None for the first page. limit: the greatest number of items; None for all. show:
    returns an item as it is in the response. position: returns a fixed number of an item, which
    increases along the list, so that new and deleted items do not make a page repeat or skip
    others; None to count items. Raises InvalidMarkerError.
    """
    after = 0 if marker is None else int(markers.verify(operation, marker))
    if position is None:
        items = islice(items, after, None)
    elif after:
        items = items if isinstance(items, list) else list(items)
        items = islice(items, bisect_right(items, after, key=position), None)
    page, has_next = take_page(items, limit)
    if has_next:
        last = after + len(page) if position is None else position(page[-1])
        return [show(item) for item in page], markers.sign(operation, str(last))
    return [show(item) for item in page], None
