"""An HTTP request and its response, as a server exchanges them with `answering`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kmsmock.aws.disruptions import LostConnection


class HttpRequest(NamedTuple):
    """An HTTP request, complete and without the framing of the connection."""

    #: In upper case, such as ``POST``.
    method: str
    #: Path and query, as in the request line.
    target: str
    #: Name in lower case -> value; repeated ones joined with commas.
    headers: Mapping[str, str]
    #: After chunks have been joined.
    body: bytes

    def __repr__(self) -> str:
        # The body and the query can have a plaintext, the headers have a session token.
        path = self.target.partition("?")[0]
        return f"<{self.method} {path}: {len(self.body)} bytes>"


class HttpResponse(NamedTuple):
    """An HTTP response."""

    #: The status code.
    status: int
    #: Name in lower case -> value. A server adds those of the connection, such as ``date``.
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        # The body can have a plaintext or a secret access key.
        return f"<response with status {self.status}: {len(self.body)} bytes>"


class Forwarded(NamedTuple):
    """The answer of another process, with what only clients in this one can use."""

    #: The response, or how the connection ends by a fault.
    answer: HttpResponse | LostConnection
    #: What explains an error.
    explanation: str | None = None
    #: See `ServiceError.is_retried`.
    is_retried: bool | None = True
