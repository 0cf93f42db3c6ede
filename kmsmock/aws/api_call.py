"""A request and its response, as interception and dispatcher exchange them.

Imported together with botocore, so this module must not import anything slow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from kmsmock.aws.disruptions import Disruption
    from kmsmock.aws.errors import ServiceError


class ApiCall(NamedTuple):
    """One request of a client."""

    #: The name of the operation.
    operation: str
    #: The request body, as JSON.
    body: bytes | str
    #: The access key id that signs the request; None for unsigned requests.
    access_key: str | None
    #: The Region of the client.
    region: str
    #: The operation model of botocore.
    model: Any
    #: The User-Agent header.
    user_agent: str | None = None
    #: Whether it is an HTTP request, so that botocore retries it, and faults can hit it.
    is_http: bool = False

    def __repr__(self) -> str:
        # The body can have a plaintext.
        return f"<{self.operation} in {self.region} by {self.access_key}: {len(self.body)} bytes>"


class HttpNeededError(Exception):
    """A request is throttled, and is to be made as an HTTP request, which botocore retries."""


class Answer(NamedTuple):
    """The response: a mapping with API member names, or an error; and the request id."""

    request_id: str
    #: A disruption is the answer of HTTP requests only.
    result: dict[str, Any] | ServiceError | Disruption

    def __repr__(self) -> str:
        # The result can have a plaintext or a secret access key.
        members = ", ".join(self.result) if isinstance(self.result, dict) else repr(self.result)
        return f"<answer to {self.request_id}: {members}>"
