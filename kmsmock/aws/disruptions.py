"""Failures of the network between a client and KMS, as faults cause them.

Imported together with botocore, so this module must not import anything slow.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

#: The note on errors that a fault has caused.
ARMED = "The test has armed this error with kms.faults."


class Loss(Enum):
    """How a connection ends without a response; the value is for messages."""

    CLOSED = "a closed connection"
    READ_TIMEOUT = "a read timeout"
    CONNECT_TIMEOUT = "a connect timeout"


class LostConnection(NamedTuple):
    """A connection that ends without a response."""

    how: Loss
    #: See `ServiceError.is_retried`.
    is_retried: bool | None


class CorruptResponse(NamedTuple):
    """A response with a body that KMS did not send."""

    #: The bytes that arrive; None for the first half of the response.
    body: bytes | None
    #: The status code of the HTTP response.
    status: int
    #: See `ServiceError.is_retried`.
    is_retried: bool | None
    #: The members of KMS's response.
    result: dict[str, Any] | None = None

    def __repr__(self) -> str:
        # The result can have a plaintext.
        return f"<corrupt response with status {self.status}>"


#: What reaches a client instead of KMS's response.
Disruption = LostConnection | CorruptResponse
