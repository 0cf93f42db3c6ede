"""The values of a condition key in a request, as the operators of conditions read them."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

from kmsmock.authorization.joined_texts import JoinedTexts
from kmsmock.authorization.variables import LONG

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MINUTE = re.compile(r"[Tt ]([01][0-9]|2[0-3]):([0-5][0-9])")
_REST = re.compile(r"(?::([0-5][0-9])(?:[.,]([0-9]+))?)?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))?")
_EPOCH = date(1970, 1, 1).toordinal()
#: The longest number, date and address, in characters.
_LONGEST = 400
#: In seconds; far beyond all dates.
_LATEST = 10**20
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_MAPPED = 0xFFFF

#: Converts a value to what is compared, which is hashable; None for a value that cannot be
#: compared.
Read = Callable[[str], Any]
#: An IP address as a number; the IPv6 addresses are behind the IPv4 addresses.
Address = int
BEHIND_IPV4 = 1 << 32


class Forms:
    """The values of a multivalued key, converted once for all conditions that read them alike."""

    __slots__ = (
        *("_extremes", "_joined", "_long", "_size", "_sorted"),
        *("distinct", "some_unreadable"),
    )

    def __init__(self, values: Iterable[str], read: Read) -> None:
        forms = frozenset(values) if read is read_text else frozenset(map(read, values))
        #: Whether one of the values cannot be compared.
        self.some_unreadable = None in forms
        #: The others.
        self.distinct: frozenset[Any] = forms - {None} if self.some_unreadable else forms
        self._extremes: tuple[Any, Any] | None = None
        self._sorted: list[Any] | None = None
        self._joined: JoinedTexts | None = None
        self._long: list[str] | None = None
        self._size: int | None = None

    @property
    def in_order(self) -> list[Any]:
        """The values in ascending order."""
        if self._sorted is None:
            self._sorted = sorted(self.distinct)
        return self._sorted

    @property
    def joined(self) -> JoinedTexts:
        """The values, which have to be texts, as one."""
        if self._joined is None:
            self._joined = JoinedTexts(self.distinct)
        return self._joined

    @property
    def long(self) -> list[str]:
        """The values, which have to be texts, that are long."""
        if self._long is None:
            self._long = [text for text in self.distinct if len(text) > LONG]
        return self._long

    @property
    def size(self) -> int:
        """The characters of the values, which have to be texts, with one for each value."""
        if self._size is None:
            self._size = sum(map(len, self.distinct)) + len(self.distinct)
        return self._size

    @property
    def extremes(self) -> tuple[Any, Any]:
        """The least and the greatest; there has to be one."""
        if self._extremes is None:
            self._extremes = min(self.distinct), max(self.distinct)
        return self._extremes


class ValueList(list[str]):
    """The values of a multivalued condition key, with what conditions have read of them."""

    __slots__ = ("_forms",)

    def __init__(self, values: Iterable[str]) -> None:
        super().__init__(values)
        self._forms: dict[Read, Forms] = {}

    def forms(self, read: Read) -> Forms:
        """Return the values as an operator reads them. They must not change afterwards."""
        forms = self._forms.get(read)
        if forms is None:
            forms = self._forms[read] = Forms(self, read)
        return forms


def forms_of(values: Iterable[str], read: Read) -> Forms:
    """Return values of a request as an operator reads them."""
    return values.forms(read) if isinstance(values, ValueList) else Forms(values, read)


# --- how operators read values -----------------------------------------------------------------


def read_text(text: str) -> str:
    """Return the text itself."""
    return text


def read_any_case(text: str) -> str:
    """Return the text in lower case."""
    return text.lower()


def read_bool(text: str) -> bool:
    """Return whether a text is ``true``, in any case; all else is false."""
    return len(text) == 4 and text.lower() == "true"


def read_binary(text: str) -> bytes | None:
    """Read base64, whose length is a multiple of 4; older versions of Python accept more."""
    if len(text) % 4:
        return None
    try:
        return b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None


def read_number(text: str) -> Any:
    """Read a decimal number; return an int or Decimal, or None."""
    if len(text) > _LONGEST:
        return None
    if text.isascii():
        if text.isdecimal():
            return int(text)
        if text.replace(".", "", 1).isdecimal():
            return Decimal(text)
    text = text.strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def read_date(text: str) -> int | None:
    """Read a date, or epoch seconds, as milliseconds since 1970."""
    number = None if text[4:5] == "-" else read_number(text)
    if number is not None:
        return int(number * 1000) if -_LATEST < number < _LATEST else None
    if len(text) > _LONGEST:
        return None
    text = text.strip()
    # Of many dates, many have one of these parts in common.
    day, minute, rest = _read_day(text[:10]), _read_minute(text[10:16]), _read_rest(text[16:])
    return None if day is None or minute is None or rest is None else day + minute + rest


@lru_cache(maxsize=4096)
def _read_day(text: str) -> int | None:
    """Read a day, as milliseconds since 1970."""
    if not _DAY.fullmatch(text):
        return None
    try:
        return (date.fromisoformat(text).toordinal() - _EPOCH) * 86_400_000
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _read_minute(text: str) -> int | None:
    """Read hour and minute, or nothing, as milliseconds since midnight."""
    if not text:
        return 0
    match = _MINUTE.fullmatch(text)
    return None if match is None else (int(match[1]) * 60 + int(match[2])) * 60_000


@lru_cache(maxsize=4096)
def _read_rest(text: str) -> int | None:
    """Read second and time zone, either of which may be missing, as milliseconds."""
    match = _REST.fullmatch(text)
    if match is None:
        return None
    second, fraction, sign, hours, minutes = match.groups()
    milliseconds = int(second or 0) * 1000 + int(((fraction or "") + "000")[:3])
    offset = int(hours or 0) * 60 + int(minutes or 0)
    if offset >= 24 * 60:
        return None
    return milliseconds - (-offset if sign == "-" else offset) * 60_000


def read_address(text: str) -> Address | None:
    """Read an IP address; an IPv4 address in an IPv6 address is the IPv4 address."""
    if len(text) > _LONGEST:
        return None
    text = text.strip()
    try:
        # Much quicker than ipaddress, and as strict.
        if ":" in text:
            number = int.from_bytes(inet_pton(AF_INET6, text), "big")
            is_ipv4 = number >> 32 == _MAPPED
            return number & 0xFFFF_FFFF if is_ipv4 else number + BEHIND_IPV4
        if not text.replace(".", "").isdecimal():
            return None
        try:
            return int.from_bytes(inet_pton(AF_INET, text), "big")
        except OSError:
            return int.from_bytes(inet_pton(AF_INET, without_leading_zeros(text)), "big")
    except (OSError, ValueError):
        return None


def without_leading_zeros(text: str) -> str:
    """Return an IPv4 address or network without the zeros in front of its numbers."""
    return text if ":" in text else _LEADING_ZEROS.sub("", text)


def read_arn(text: str) -> str | None:
    """Return an ARN as it is."""
    return text if text.startswith("arn:") and text.count(":") >= 5 else None
