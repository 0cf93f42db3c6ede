"""The handlers for KMS's HTTP requests, which are answered with ``wire=True``."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse

from kmsmock.aws.api_call import Answer, ApiCall
from kmsmock.aws.disruptions import ARMED, CorruptResponse, LostConnection
from kmsmock.aws.hosts import read_host, read_region
from kmsmock.aws.regions import DEFAULT_REGION
from kmsmock.interception.disruptions import make_connection_error
from kmsmock.interception.endpoints import explain_region
from kmsmock.interception.error_notes import keep_explanation
from kmsmock.interception.other_mocks import explain_other_mocks
from kmsmock.process.active_mocks import ActiveMock
from kmsmock.process.bound_clients import get_mock_of_http
from kmsmock.process.moto import keep_moto_out
from kmsmock.protocols.kms import read_call, write_answer
from kmsmock.protocols.messages import HttpRequest
from kmsmock.protocols.scope import read_scope

_ANSWERED = "_kmsmock_answered"


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
    """Answer an HTTP request. Raises what botocore raises for a connection that a fault ends."""
    from kmsmock.aws.errors import UnknownOperationException

    call = _read_call(request)
    answer = Answer("", UnknownOperationException()) if call.model is None else mock.answer(call)
    result = answer.result
    if isinstance(result, LostConnection):
        raise make_connection_error(result, request)
    if isinstance(result, CorruptResponse):
        if result.status >= 300:  # botocore raises an error
            keep_explanation(answer.request_id, ARMED)
    elif not isinstance(result, dict):
        explain_other_mocks(mock, answer, call.body, call.access_key)
        explain_region(answer, call.region)
        keep_explanation(answer.request_id, result.explanation)
    response = _HttpResponse(request.url, *write_answer(answer))
    response.is_retried = getattr(result, "is_retried", True)
    return response


def _read_call(request: Any) -> ApiCall:
    """Read target, credential and body of an HTTP request."""
    headers = {name.lower(): _decode(value) for name, value in request.headers.items()}
    message = HttpRequest(request.method, request.url, headers, request.body)
    scope = read_scope(message)
    region = DEFAULT_REGION
    if scope is None:
        region = read_region(read_host(request.url)) or DEFAULT_REGION
    return read_call(message, scope, region)


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
    #: See `ServiceError.is_retried`.
    is_retried: bool | None = True

    def __init__(self, url: str, status: int, headers: Any, body: bytes) -> None:
        super().__init__(url, status, headers, _Raw(body, headers))
        self._content = _Body(body)
