"""Errors whose code is given, since the same class has those of many services."""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.aws.errors import ServiceError


class CodedError(ServiceError):
    """An error of a service: for an error of KMS, for its own rule, or for credentials.

    code: of the service. query_code: the code that SDKs report instead, for a service that once
    used the query protocol. members: further members of the error, such as ``ArgumentName``.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        query_code: str | None = None,
        members: Mapping[str, str] | None = None,
        explanation: str | None = None,
    ) -> None:
        super().__init__(message, explanation=explanation)
        self.status = status
        self.members = members or {}
        self.query_code = query_code
        self._code = code

    @property
    def code(self) -> str:
        """The error code as clients see it."""
        return self._code
