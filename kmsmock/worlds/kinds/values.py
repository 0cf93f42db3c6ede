"""Kinds of single values: texts, numbers, times, bytes."""

from __future__ import annotations

import binascii
import difflib
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from kmsmock.crypto import encodings
from kmsmock.crypto.errors import InvalidKeyEncoding
from kmsmock.worlds.errors import WorldError, listed, shown

#: Times beyond would not leave room for what falls due after them.
_YEARS = range(1970, 9001)
_PEM = "-----BEGIN "


class Kind:
    """One kind of value. words: how errors and tables speak of it, with an article."""

    words: str

    def read(self, value: Any) -> Any:
        """Give what a value means; raises WorldError."""
        raise NotImplementedError

    def write(self, value: Any) -> Any:
        """Give the value as JSON has it."""
        return value

    def schema(self) -> dict[str, Any]:
        """Describe the values in JSON Schema."""
        raise NotImplementedError

    def refuse(self, value: Any) -> WorldError:
        """Give the error for a value of another kind."""
        return WorldError(f"must be {self.words}, not {shown(value)}")


@dataclass(frozen=True)
class Text(Kind):
    """A text. pattern: of the whole of it. longest: in characters."""

    words: str = "a text"
    pattern: str | None = None
    longest: int | None = None

    def read(self, value: Any) -> str:
        """Give the text."""
        if not isinstance(value, str):
            raise self.refuse(value)
        if self.pattern is not None and re.fullmatch(self.pattern, value, re.ASCII) is None:
            raise self.refuse(value)
        if self.longest is not None and len(value) > self.longest:
            raise WorldError(
                f"must have up to {self.longest} characters, and has {len(value)} of them"
            )
        return value

    def schema(self) -> dict[str, Any]:
        """Describe the text."""
        schema: dict[str, Any] = {"type": "string"}
        if self.pattern is not None:
            schema["pattern"] = f"^(?:{self.pattern})$"
        if self.longest is not None:
            schema["maxLength"] = self.longest
        return schema


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few texts."""

    names: tuple[str, ...]

    @property
    def words(self) -> str:  # type: ignore[override]
        """Name them."""
        return "one of " + listed(self.names) if len(self.names) > 1 else repr(self.names[0])

    def read(self, value: Any) -> str:
        """Give the text; the error names the nearest."""
        if isinstance(value, str):
            if value in self.names:
                return value
            near = difflib.get_close_matches(value, self.names, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise WorldError(f"must be {self.words}, not {shown(value)}{hint}")
        raise self.refuse(value)

    def schema(self) -> dict[str, Any]:
        """List the texts."""
        return {"enum": list(self.names)}


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number."""

    least: int
    most: int

    @property
    def words(self) -> str:  # type: ignore[override]
        """Name the limits."""
        return f"a whole number from {self.least} to {self.most}"

    def read(self, value: Any) -> int:
        """Give the number."""
        if type(value) is not int or not self.least <= value <= self.most:
            raise self.refuse(value)
        return value

    def schema(self) -> dict[str, Any]:
        """Describe the number."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Flag(Kind):
    """True or false."""

    words: str = "true or false"

    def read(self, value: Any) -> bool:
        """Give it."""
        if not isinstance(value, bool):
            raise self.refuse(value)
        return value

    def schema(self) -> dict[str, Any]:
        """Describe it."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class Time(Kind):
    """A time with its offset, as text (ISO 8601) or as an aware datetime."""

    words: str = "a time such as 2026-01-31T12:00:00Z"

    def read(self, value: Any) -> datetime:
        """Give the time in UTC."""
        time = value
        if isinstance(value, str):
            try:
                # Python 3.10 knows neither this letter nor it in lower case.
                text = value[:-1] + "+00:00" if value[-1:] in ("Z", "z") else value
                time = datetime.fromisoformat(text)
            except ValueError:
                raise self.refuse(value) from None
        if not isinstance(time, datetime) or time.year not in _YEARS:
            raise self.refuse(value)
        if time.tzinfo is None:
            raise WorldError(f"must be {self.words}, with Z or an offset; {value} has none")
        return time.astimezone(timezone.utc)

    def write(self, value: datetime) -> str:
        """Write the time in UTC, in milliseconds if that is enough."""
        unit = "microseconds" if value.microsecond % 1000 else "milliseconds"
        text = value.astimezone(timezone.utc).replace(tzinfo=None).isoformat(timespec=unit)
        return f"{text}Z"

    def schema(self) -> dict[str, Any]:
        """Describe the text."""
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True)
class Bytes(Kind):
    """Bytes, as base64 text."""

    words: str = "bytes in base64"

    def read(self, value: Any) -> bytes:
        """Give the bytes; the error never shows them."""
        if isinstance(value, bytes):
            return value
        if not isinstance(value, str):
            raise self.refuse(value)
        try:
            return b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            raise WorldError(f"must be {self.words}, and is another text") from None

    def write(self, value: bytes) -> str:
        """Write base64."""
        return b64encode(value).decode()

    def schema(self) -> dict[str, Any]:
        """Describe the text."""
        return {"type": "string", "contentEncoding": "base64"}


@dataclass(frozen=True)
class Secret(Bytes):
    """Key material: raw bytes, or a private key as PKCS#8."""

    words: str = "base64 of the key material, or the PEM text of a private key"

    def read(self, value: Any) -> bytes:
        """Give the raw bytes, or PKCS#8 DER."""
        if isinstance(value, str) and value.lstrip().startswith(_PEM):
            try:
                return encodings.pkcs8_of_pem(value)
            except InvalidKeyEncoding as reason:
                raise WorldError(f"the PEM text cannot be read: {reason}") from None
        return super().read(value)

    def schema(self) -> dict[str, Any]:
        """Describe the text."""
        return {"type": "string"}
