"""Signature Version 4: what a request says about its signature, and the signature it must have.

Source: IAM User Guide, "Create a signed AWS API request", with the canonical request, the string to
sign and the signing key, and "Elements of an AWS API request signature", for headers and queries.
"""

from __future__ import annotations

import hashlib
import hmac
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote_to_bytes

from kmsmock.aws.secret_values import SecretText

ALGORITHM = "AWS4-HMAC-SHA256"
TERMINATOR = "aws4_request"
BASIC_FORMAT = "%Y%m%dT%H%M%SZ"
_TOKEN_HEADER = "x-amz-security-token"  # noqa: S105 - the name of a header
_TOKEN_PARAMETER = "X-Amz-Security-Token"  # noqa: S105 - the name of a parameter


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is for: a day such as ``20260131``, a Region and a service."""

    date: str
    region: str
    service: str
    terminator: str

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/{self.terminator}"


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature of a request, with what the request says about it."""

    access_key: str
    scope: Scope
    #: The names of the headers that are signed, in lower case, as the request lists them.
    signed_headers: tuple[str, ...]
    #: In hexadecimal digits.
    value: str
    #: The time of the request, as it stands there.
    date: str
    token: SecretText | None
    #: Whether it is in the query string: the request is presigned.
    is_query: bool


def read_time(date: str) -> datetime | None:
    """Return the time in a header or parameter; None if it cannot be read.

    date: in the basic format of ISO 8601, or, in a ``Date`` header, as HTTP has it.
    """
    if re.fullmatch(r"\d{8}T\d{6}Z", date):
        try:
            return datetime.strptime(date, BASIC_FORMAT).replace(tzinfo=timezone.utc)
        except ValueError:
            return None
    try:
        time = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)


def parse_query(target: str) -> list[tuple[str, str]]:
    """Return names and values of the query string of a target; a ``+`` is a space in it."""
    query = target.partition("?")[2]
    pairs = [part.partition("=") for part in query.split("&") if part]
    return [(_decode(name), _decode(value)) for name, _, value in pairs]


def find_token(headers: Mapping[str, str], query: Mapping[str, str]) -> SecretText | None:
    """Return the session token of a request; None if it has none."""
    token = query.get(_TOKEN_PARAMETER) or headers.get(_TOKEN_HEADER)
    return SecretText(token) if token else None


def build_canonical_request(
    method: str, target: str, headers: Mapping[str, str], body: bytes, signature: Signature
) -> SecretText:
    """Return the canonical request, with a session token if the request has one.

    target: path and query string, as the request line has them. headers: by their names in lower
    case; the values of repeated headers are joined by commas. The hash of the body is always that
    of the body that has arrived: ``UNSIGNED-PAYLOAD`` is for S3 only.
    """
    lines = [
        method,
        canonical_path(target.partition("?")[0]),
        canonical_query(target),
        *(f"{name}:{' '.join(headers[name].split())}" for name in signature.signed_headers),
        "",
        ";".join(signature.signed_headers),
        hashlib.sha256(body).hexdigest(),
    ]
    return SecretText("\n".join(lines))


def canonical_path(path: str) -> str:
    """Return the path without ``.``, ``..`` and repeated slashes, encoded once more.

    That is how all services but S3 have it. path: as the request line has it.
    """
    normal = posixpath.normpath("/" + path.lstrip("/"))
    if path.endswith("/") and normal != "/":
        normal += "/"
    return quote(normal, safe="/~-_.")


def canonical_query(target: str) -> str:
    """Return the query string with its parameters sorted, and without the signature."""
    pairs = sorted(
        (quote(name, safe="~-_."), quote(value, safe="~-_."))
        for name, value in parse_query(target)
        if name != "X-Amz-Signature"
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


def build_string_to_sign(date: datetime, scope: Scope, canonical_request: str) -> str:
    """Return the string to sign. date: the time of the request, with a time zone."""
    digest = hashlib.sha256(canonical_request.encode()).hexdigest()
    stamp = date.astimezone(timezone.utc).strftime(BASIC_FORMAT)
    return f"{ALGORITHM}\n{stamp}\n{scope}\n{digest}"


def sign(secret_key: str, scope: Scope, string_to_sign: str) -> str:
    """Return a signature in hexadecimal digits. secret_key: as plain text."""
    key = ("AWS4" + secret_key).encode()
    for part in (scope.date, scope.region, scope.service, scope.terminator, string_to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def hide_token(canonical_request: str, token: SecretText | None) -> str:
    """Return a canonical request that can be shown: without the session token, if it has one."""
    if token is None:
        return str(canonical_request)
    for form in (quote(token, safe="~-_."), " ".join(token.split())):
        canonical_request = canonical_request.replace(form, "<session token>")
    return str(canonical_request)


def _decode(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "surrogateescape")
