"""The handlers for KMS's HTTP requests, which are answered with ``wire=True``."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from email.header import Header
from http.client import HTTPConnection, HTTPException
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError

from kmsmock.aws.api_call import Answer, ApiCall
from kmsmock.aws.disruptions import ARMED, CorruptResponse, LostConnection
from kmsmock.aws.hosts import read_host, read_region
from kmsmock.aws.regions import DEFAULT_REGION
from kmsmock.aws.services import ANSWERED
from kmsmock.interception.disruptions import make_connection_error
from kmsmock.interception.endpoints import explain_region
from kmsmock.interception.error_notes import ID_HEADER, keep_explanation
from kmsmock.interception.other_mocks import explain_other_mocks
from kmsmock.process.active_mock import ActiveMock
from kmsmock.process.bound_clients import get_mock_of_http
from kmsmock.process.moto import is_moto_active, keep_moto_out
from kmsmock.protocols.kms import read_call, write_answer
from kmsmock.protocols.messages import Forwarded, HttpRequest, HttpResponse
from kmsmock.protocols.scope import read_scope

_ANSWERED = "_kmsmock_answered"
#: The seconds in which another process has to answer.
_TIMEOUT = 60


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
    if mock.forward is not None:
        return _forward(request, mock.forward)
    return _to_http(request, mock)


def forward_before_send(*, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
    """Forward an HTTP request to another service than KMS, whose mock another process has.

    Handles ``before-send``. Returns None in all other cases.
    """
    mock = get_mock_of_http(request)
    if mock is None or mock.forward is None or is_moto_active() or _ANSWERED in vars(request):
        return None
    service = event_name.split(".")[1]
    if service not in mock.services or service not in ANSWERED:
        return None
    setattr(request, _ANSWERED, True)
    return _forward(request, mock.forward)


def _forward(request: Any, send_to: Callable[..., Forwarded]) -> AWSResponse:
    """Send an HTTP request, as it was signed, to the process that has the mock.

    send_to: see `ActiveMock.forward`. Raises what botocore raises for a connection that ends.
    """
    sent, body = urlsplit(request.url), request.body or b""
    headers = {name.lower(): _decode(value) for name, value in request.headers.items()}
    headers["host"] = sent.netloc
    path = f"{sent.path or '/'}{'?' if sent.query else ''}{sent.query}"
    body = body.encode() if isinstance(body, str) else bytes(body)
    try:
        signed = HttpRequest(request.method, path, headers, body)
        forwarded = send_to(signed, is_signed_here=True)
    except (OSError, HTTPException) as error:
        raise ConnectionClosedError(
            endpoint_url=request.url, request=request, error=error
        ) from None
    answer = forwarded.answer
    if isinstance(answer, LostConnection):
        raise make_connection_error(answer, request)
    if forwarded.explanation is not None:
        keep_explanation(answer.headers.get(ID_HEADER, ""), forwarded.explanation)
    response = _HttpResponse(request.url, *answer)
    response.is_retried = forwarded.is_retried
    return response


def send(url: str, request: HttpRequest, *, is_signed_here: bool) -> Forwarded:  # noqa: ARG001 - the server checks all
    """Send an HTTP request to the server at a URL. Raises OSError, HTTPException."""
    target = urlsplit(url)
    connection = HTTPConnection(target.hostname or "", target.port, timeout=_TIMEOUT)
    try:
        connection.request(request.method, request.target, request.body, dict(request.headers))
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Forwarded(HttpResponse(response.status, headers, response.read()))
    finally:
        connection.close()


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


def _decode(value: str | bytes | Header) -> str:
    """Return the text of a header; the email package has made a `Header` of lone surrogates."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    # Its own methods replace lone surrogates, or cannot encode them.
    chunks: list[tuple[str, Any]] = vars(value)["_chunks"]
    return "".join(text for text, _ in chunks)


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
