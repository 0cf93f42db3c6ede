"""How services translate the errors of KMS into their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.errors import ServiceError, ThrottlingException
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


#: What botocore retries in each mode. Source: boto3 guide, "Retries"; botocore, ``_retry.json``.
_RETRIED_CODES = ("Throttling", "ThrottlingException")
_RETRIED_STATUSES = (500, 502, 503, 504)

#: Code of KMS, or ``*`` for all others -> the service's error. Without either, KMS's error stays.
ErrorTemplates = Mapping[str, ErrorTemplate]


def translate_error(
    error: ServiceError, call: ServiceCall, templates: ErrorTemplates
) -> ServiceError:
    """Return the service's own error for an error of KMS; one that is its own already stays."""
    template = templates.get(error.code) or templates.get("*")
    if template is None or isinstance(error, CodedError):
        return error
    code = template.code.format(code=error.code)
    text = "null" if error.message is None else error.message
    sdk_text = (
        f"{text} (Service: AWSKMS; Status Code: {error.status}; "
        f"Error Code: {error.code}; Request ID: {call.backend.new_uuid()}; Proxy: null)"
    )
    return CodedError(
        code,
        template.text.format(text=text, code=error.code, sdk_text=sdk_text),
        status=template.status,
        query_code=template.query_code,
        explanation=_explain(error, template.query_code or code, template.status),
    )


def _explain(error: ServiceError, code: str, status: int) -> str | None:
    """Return what KMS's error is explained with; of a throttled request, also who retries it.

    code, status: of the service's error, as clients see it.
    """
    if not isinstance(error, ThrottlingException):
        return error.explanation
    is_retried = code in _RETRIED_CODES or status in _RETRIED_STATUSES
    advice = (
        f"On AWS, botocore retries {code} with more attempts."
        if is_retried
        else f"botocore does not retry {code}: retry the request with backoff in your own code."
    )
    return f"{error.explanation} {advice}" if error.explanation else advice
