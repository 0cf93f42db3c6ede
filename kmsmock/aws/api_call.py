"""A request and its answer, as they pass between the doors and what answers.

The doors are imported with botocore, so nothing here may take time to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from kmsmock.aws.errors import ServiceError


class ApiCall(NamedTuple):
    """One request as it arrives: by name, with its JSON body, from a client in a Region.

    access_key: None for unsigned requests. model: the operation in botocore's model. user_agent:
    what the client says of itself.
    """

    operation: str
    body: bytes | str
    access_key: str | None
    region: str
    model: Any
    user_agent: str | None = None


class Answer(NamedTuple):
    """What goes back: a mapping with API member names, or an error, and the request id."""

    request_id: str
    result: dict[str, Any] | ServiceError
