"""A request and its response, as interception and dispatcher exchange them.

Imported together with botocore, so this module must not import anything slow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from kmsmock.aws.errors import ServiceError


class ApiCall(NamedTuple):
    """One request of a client.

    operation: its name. body: JSON. access_key: None for unsigned requests. region: of the client.
    model: botocore's OperationModel. user_agent: the User-Agent header.
    """

    operation: str
    body: bytes | str
    access_key: str | None
    region: str
    model: Any
    user_agent: str | None = None


class Answer(NamedTuple):
    """The response: a mapping with API member names, or an error; and the request id."""

    request_id: str
    result: dict[str, Any] | ServiceError
