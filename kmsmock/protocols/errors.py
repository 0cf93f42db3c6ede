"""The errors of AWS's front door, before a service reads a request: the class name is the code.

Sources: "Common errors" in the API references of the services, such as AWS KMS and AWS IAM; Amazon
EC2 API Reference, "Error codes for the Amazon EC2 API". They have codes and statuses.
"""

from __future__ import annotations

from kmsmock.aws.errors import SerializationException, ServiceError, UnknownOperationException

__all__ = [
    "InvalidAction",
    "MalformedHttpRequestException",
    "MalformedInput",
    "MalformedQueryString",
    "MissingAction",
    "RequestEntityTooLargeException",
    "SerializationException",
    "UnknownOperationException",
    "UnknownParameter",
]


class InvalidAction(ServiceError):
    """The action is not one of the service."""


class MalformedHttpRequestException(ServiceError):
    """The request cannot be read as HTTP, such as a body in an unknown encoding."""


class MalformedInput(ServiceError):
    """A parameter of the query protocol has another structure than its operation takes."""


class MalformedQueryString(ServiceError):
    """The parameters are no form, or a value is not of its type."""

    TEXT = "The query string contains a syntax error."

    def __init__(self, message: str | None = TEXT, *, explanation: str | None = None) -> None:
        super().__init__(message, explanation=explanation)


class MissingAction(ServiceError):
    """The request names no action."""

    def __init__(self) -> None:
        super().__init__("The request is missing an action or a required parameter.")


class RequestEntityTooLargeException(ServiceError):
    """The body is larger than the service accepts."""

    status = 413


class UnknownParameter(ServiceError):
    """EC2's error for a parameter that its action does not have."""
