"""How services translate the errors of KMS into their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.errors import ServiceError
from kmsmock.services.registry import ServiceCall


class ErrorTemplate(NamedTuple):
    """A service's own error for an error of KMS."""

    #: The error code of the service.
    code: str
    #: The message, in which ``{text}`` stands for the message of KMS, and ``{sdk_text}`` for the
    #: same with the suffix of the SDK for Java. ``{code}`` in code and text stands for the code of
    #: KMS.
    text: str = "{sdk_text}"
    #: The status code of the HTTP response.
    status: int = 400
    #: The error code of the AWS query protocol; see `CodedError`.
    query_code: str | None = None


#: Code of KMS, or ``*`` for all others -> the service's error. Without either, KMS's error stays.
ErrorTemplates = Mapping[str, ErrorTemplate]


def translate_error(
    error: ServiceError, call: ServiceCall, templates: ErrorTemplates
) -> ServiceError:
    """Return the service's own error for an error of KMS; one that is its own already stays."""
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
