"""The handlers for KMS's HTTP requests, which are answered with ``wire=True``."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse

from kmsmock.aws.api_call import Answer, ApiCall
from kmsmock.aws.installed_model import get_operation_model
from kmsmock.interception.aws_hosts import read_host, read_region
from kmsmock.interception.error_notes import keep_explanation
from kmsmock.interception.other_mocks import explain_other_mocks
from kmsmock.interception.parsed_responses import build_headers
from kmsmock.process.active_mocks import ActiveMock
from kmsmock.process.bound_clients import get_mock_of_http
from kmsmock.process.moto import keep_moto_out

_TARGET = "TrentService."
_ANSWERED = "_kmsmock_answered"
_CREDENTIAL = re.compile(r"Credential=([^/]+)/[^/]*/([^/]+)/")


def answer_before_send(*, request: Any, **_: Any) -> AWSResponse | None:
    """Answer an HTTP request of a KMS client; None if no mock is active.

    Handles ``before-send``.
    """
    mock = get_mock_of_http(request)
    if mock is None:
        return None
    keep_moto_out()
    # A client created before botocore was patched can have the handlers twice.
    if _ANSWERED in vars(request):
        return None
    setattr(request, _ANSWERED, True)
    return _to_http(request, mock)


def _to_http(request: Any, mock: ActiveMock) -> AWSResponse:
    """Answer an HTTP request: read target, credential and body, and write the response's bytes."""
    from kmsmock.aws.api_model import serialize_response
    from kmsmock.aws.errors import UnknownOperationException

    target = _decode(request.headers.get("X-Amz-Target", ""))
    operation = target.removeprefix(_TARGET)
    signed = _CREDENTIAL.search(_decode(request.headers.get("Authorization", "")))
    if signed:
        access_key, region = signed.groups()
    else:
        access_key, region = None, read_region(read_host(request.url)) or "us-east-1"
    call = ApiCall(
        operation,
        request.body or b"{}",
        access_key,
        region,
        get_operation_model(operation),
        _decode(request.headers.get("User-Agent", "")) or None,
    )
    answer = Answer("", UnknownOperationException()) if call.model is None else mock.answer(call)
    result = answer.result
    status = 200
    if isinstance(result, dict):
        body = serialize_response(result)
    else:
        explain_other_mocks(mock, answer, call.body, call.access_key)
        status = result.status
        keep_explanation(answer.request_id, result)
        body = serialize_response(result.body())
    return _HttpResponse(request.url, status, build_headers(answer.request_id), body)


def _decode(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


class _Body(bytes):
    """Bytes that can also be awaited, as aiobotocore does with the content of its responses."""

    def __await__(self) -> Generator[Any, Any, bytes]:
        return self
        yield


class _Raw(BytesIO):
    def __init__(self, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(body)
        #: The headers, from which older versions of aiobotocore read them.
        self.raw_headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    def stream(self) -> Generator[bytes, None, None]:
        yield self.read()


class _HttpResponse(AWSResponse):  # type: ignore[misc] # botocore has no types
    def __init__(self, url: str, status: int, headers: Any, body: bytes) -> None:
        super().__init__(url, status, headers, _Raw(body, headers))
        self._content = _Body(body)
