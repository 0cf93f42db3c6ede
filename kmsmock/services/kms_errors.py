"""The errors that services make of those of KMS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kmsmock.aws.errors import ServiceError
from kmsmock.services.registry import ServiceCall


class CodedError(ServiceError):
    """An error of a service that stores elsewhere, for KMS's or for a rule of its own.

    code: of the service. query_code: what SDKs show instead, for a service that once spoke the
    query protocol. members: what else the error has, such as the argument it is about.
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


class ErrorTemplate(NamedTuple):
    """What a service makes of an error of KMS.

    code: of the service. text: its words, in which ``{text}`` stands for KMS's, and ``{sdk_text}``
    for KMS's with the suffix of the SDK for Java. ``{code}`` in both stands for KMS's code.
    """

    code: str
    text: str = "{sdk_text}"
    status: int = 400
    query_code: str | None = None


#: Code of KMS, or ``*`` for all others -> what a service makes of it. Other errors stay KMS's.
ErrorTemplates = Mapping[str, ErrorTemplate]


def translate_error(
    error: ServiceError, call: ServiceCall, templates: ErrorTemplates
) -> ServiceError:
    """Give the service's own error for an error of KMS, or for one that is its own already."""
    template = templates.get(error.code) or templates.get("*")
    if template is None or isinstance(error, CodedError):
        return error
    text = "null" if error.message is None else error.message
    sdk_text = (
        f"{text} (Service: AWSKMS; Status Code: {error.status}; "
        f"Error Code: {error.code}; Request ID: {call.backend.new_uuid()}; Proxy: null)"
    )
    return CodedError(
        template.code.format(code=error.code),
        template.text.format(text=text, code=error.code, sdk_text=sdk_text),
        status=template.status,
        query_code=template.query_code,
        explanation=error.explanation,
    )
