"""Requests and responses of HTTP/1.1 as bytes of a connection.

Source: RFC 9112, "HTTP/1.1", for the syntax and for what servers must refuse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

from kmsmock.protocols.boundaries import MAX_BODY, MAX_HEADER_BYTES
from kmsmock.protocols.messages import HttpRequest, HttpResponse

_REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/(\d)\.(\d)")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BadRequestError(Exception):
    """Bytes that are no request, or too many of them: the connection ends with an error."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status

    def respond(self) -> HttpResponse:
        """Return the response, in plain text."""
        return HttpResponse(
            self.status, {"content-type": "text/plain"}, f"{self}\n".encode(errors="replace")
        )


class BodyTooLargeError(Exception):
    """A body that is larger than all that AWS reads: it is not read, and the connection ends."""


@dataclass(frozen=True, slots=True)
class Head:
    """The request line and the headers of a request."""

    method: str
    target: str
    #: Name in lower case -> value; repeated ones joined with commas.
    headers: dict[str, str] = field(repr=False)
    #: Whether the connection is to stay open afterwards.
    is_kept_alive: bool

    @property
    def is_chunked(self) -> bool:
        """Whether the body is sent in chunks."""
        return "transfer-encoding" in self.headers

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits before it sends the body."""
        return self.headers.get("expect", "").lower() == "100-continue"

    @property
    def length(self) -> int:
        """The number of bytes of the body, if it is not sent in chunks."""
        return int(self.headers.get("content-length", "0"))


def take_head(received: bytearray) -> Head | None:
    """Remove the head of a request from what was received; None if it is not complete.

    Raises BadRequestError.
    """
    while received.startswith(b"\r\n"):  # left by old clients after a body
        del received[:2]
    end = received.find(b"\r\n\r\n")
    if end > MAX_HEADER_BYTES or (end < 0 and len(received) > MAX_HEADER_BYTES):
        raise BadRequestError(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"More than {MAX_HEADER_BYTES} bytes of headers.",
        )
    if end < 0:
        return None
    first, *lines = received[:end].decode("latin-1").split("\r\n")
    del received[: end + 4]
    match = _REQUEST_LINE.fullmatch(first)
    if match is None:
        raise BadRequestError(HTTPStatus.BAD_REQUEST, "This is no request line of HTTP/1.1.")
    method, target, major, minor = match.groups()
    if major != "1":
        raise BadRequestError(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "Only HTTP/1.1 is supported.")
    headers = _parse_headers(lines)
    _require_framing(headers)
    options = {option.strip().lower() for option in headers.get("connection", "").split(",")}
    is_kept_alive = "close" not in options if minor != "0" else "keep-alive" in options
    return Head(method, target, headers, is_kept_alive)


def _parse_headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or _NAME.fullmatch(name) is None:
            raise BadRequestError(HTTPStatus.BAD_REQUEST, "A header has no valid name.")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _require_framing(headers: dict[str, str]) -> None:
    """Require that it is clear where the body ends."""
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None and (coding.lower() != "chunked" or length is not None):
        raise BadRequestError(
            HTTPStatus.BAD_REQUEST, "A body has either a length, or the transfer encoding chunked."
        )
    if length is None:
        return
    if not re.fullmatch(r"[0-9]{1,16}", length):
        raise BadRequestError(HTTPStatus.BAD_REQUEST, "The length of the body is no number.")


def take_body(received: bytearray, head: Head) -> bytes | None:
    """Remove the body of a request from what was received; None if it is not complete.

    Raises BadRequestError, BodyTooLargeError.
    """
    if head.is_chunked:
        return _take_chunks(received)
    if head.length > MAX_BODY:
        raise BodyTooLargeError
    if len(received) < head.length:
        return None
    body = bytes(received[: head.length])
    del received[: head.length]
    return body


def _take_chunks(received: bytearray) -> bytes | None:
    body, position = bytearray(), 0
    while (end := received.find(b"\r\n", position)) >= 0:
        match = _CHUNK_SIZE.fullmatch(received[position:end])
        if match is None:
            raise BadRequestError(HTTPStatus.BAD_REQUEST, "A chunk has no valid size.")
        size, start = int(match.group(1), 16), end + 2
        if len(body) + size > MAX_BODY:
            raise BodyTooLargeError
        if size == 0:
            # Trailers, of which AWS has none, end with an empty line.
            is_end = received[start : start + 2] == b"\r\n"
            last = start if is_end else received.find(b"\r\n\r\n", start) + 2
            if last < start:
                break
            del received[: last + 2]
            return bytes(body)
        if len(received) < start + size + 2:
            break
        body += received[start : start + size]
        position = start + size + 2
    if len(received) > 2 * MAX_BODY:
        raise BodyTooLargeError
    return None


def to_request(head: Head, body: bytes) -> HttpRequest:
    """Return a complete request."""
    return HttpRequest(head.method.upper(), head.target, head.headers, body)


def format_response(response: HttpResponse, *, is_kept_alive: bool, is_for_head: bool) -> bytes:
    """Return the bytes of a response. is_for_head: whether it has no body."""
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = ""
    headers = {
        **response.headers,
        "content-length": str(len(response.body)),
        "date": formatdate(usegmt=True),
        "connection": "keep-alive" if is_kept_alive else "close",
    }
    lines = [f"HTTP/1.1 {response.status:d} {phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines).encode("latin-1", "replace")
    return head + b"\r\n\r\n" + (b"" if is_for_head else response.body)
