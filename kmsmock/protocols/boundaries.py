"""The boundaries of HTTP requests, which are checked before anything is read.

A server knows them too, so that it does not read what is refused anyway.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from kmsmock.protocols import errors
from kmsmock.protocols.messages import HttpRequest

#: The largest body, in bytes; no request to a service that is answered needs as much.
MAX_BODY = 2**20
#: What a server passes on in place of a larger body, which it does not read.
TOO_LARGE_BODY = bytes(MAX_BODY + 1)
#: The largest number of header lines, and the bytes of their names and values together.
MAX_HEADERS, MAX_HEADER_BYTES = 100, 2**16
#: How deep the values of a JSON body can be inside of each other.
MAX_DEPTH = 100
_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


def require_boundaries(request: HttpRequest) -> None:
    """Require a request that is not too large, and a body that is not encoded.

    Raises RequestEntityTooLargeException, MalformedHttpRequestException.
    """
    headers = request.headers
    if len(request.body) > MAX_BODY:
        raise errors.RequestEntityTooLargeException.in_own_words(
            f"The body of the request has more than {MAX_BODY} bytes."
        )
    size = sum(len(name) + len(value) for name, value in headers.items())
    if len(headers) > MAX_HEADERS or max(size, len(request.target)) > MAX_HEADER_BYTES:
        raise errors.MalformedHttpRequestException.in_own_words(
            "The headers or the URL of the request are too large."
        )
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise errors.MalformedHttpRequestException.in_own_words(
            f"The content encoding {encoding} is not supported."
        )


def require_root(request: HttpRequest) -> None:
    """Require the path ``/``, at which all these services are.

    Raises MalformedHttpRequestException.
    """
    path = request.target.partition("?")[0]
    if unquote(path).strip("/"):
        raise errors.MalformedHttpRequestException.in_own_words(
            f"The service has no path {path}; its only path is /."
        )


def require_shallow(body: bytes) -> None:
    """Require JSON whose values are not too deep inside of each other.

    Python's parser would need a stack as deep. Raises SerializationException.
    """
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _STRUCTURE.finditer(body):
        mark = match.group()
        if mark in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise errors.SerializationException(
                    explanation=f"The body of the request has more than {MAX_DEPTH} values inside "
                    "of each other."
                )
        elif mark in b"]}":
            depth -= 1
