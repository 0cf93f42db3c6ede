"""HTTP requests as botocore sends them, and its parser for the responses."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, create_request_object, prepare_request_dict
from botocore.credentials import Credentials
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from kmsmock import KMSMock
from kmsmock.aws.disruptions import LostConnection
from kmsmock.protocols.answering import answer_http
from kmsmock.protocols.messages import HttpRequest, HttpResponse

_ENDPOINT = "http://127.0.0.1:5000"


@cache
def service_model(service: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return botocore.session.get_session().get_service_model(service)


def make_request(
    service: str,
    operation: str,
    parameters: dict[str, Any] | None = None,
    *,
    access_key: str | None = "testing",
    secret_key: str = "testing",
    session_token: str | None = None,
    region: str = "us-east-1",
    headers: dict[str, str] | None = None,
) -> HttpRequest:
    """Return a request as botocore serializes and signs it. access_key: None to leave it unsigned.

    headers: further ones, which replace those of botocore.
    """
    model = service_model(service)
    serializer: Any = create_serializer(model.metadata["protocol"], False)
    serialized = serializer.serialize_to_request(parameters or {}, model.operation_model(operation))
    prepare_request_dict(serialized, endpoint_url=_ENDPOINT, context={}, user_agent="tests")
    request = create_request_object(serialized)
    if access_key is not None:
        credentials = Credentials(access_key, secret_key, session_token)
        SigV4Auth(credentials, model.signing_name, region).add_auth(request)
    return to_message(request, headers)


def to_message(request: AWSRequest, headers: dict[str, str] | None = None) -> HttpRequest:
    """Return the request that a server receives from botocore."""
    prepared: Any = request.prepare()
    url = urlsplit(prepared.url)
    target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    received = {"host": url.netloc}
    for name, value in prepared.headers.items():
        received[name.lower()] = value.decode() if isinstance(value, bytes) else value
    body = prepared.body or b""
    return HttpRequest(
        prepared.method,
        target,
        {**received, **(headers or {})},
        body.encode() if isinstance(body, str) else body,
    )


def send(kms: KMSMock, request: HttpRequest, **options: Any) -> HttpResponse:
    """Return the response to a request, which no fault ends."""
    answer = answer_http(kms._responder, request, **options)
    assert not isinstance(answer, LostConnection)
    return answer


def parse(response: HttpResponse, service: str, operation: str) -> dict[str, Any]:
    """Return a response as botocore's parser does."""
    model = service_model(service)
    parser: Any = create_parser(model.metadata["protocol"])
    shape = model.operation_model(operation).output_shape
    raw = {"body": response.body, "headers": response.headers, "status_code": response.status}
    parsed: dict[str, Any] = parser.parse(raw, shape)
    if "Error" in parsed:
        modelled = model.shape_for_error_code(parsed["Error"]["Code"])
        if modelled is not None:
            parsed.update(parser.parse(raw, modelled))
    return parsed


def call(
    kms: KMSMock,
    service: str,
    operation: str,
    parameters: dict[str, Any] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Send a request of botocore, and return the response as botocore parses it."""
    response = send(kms, make_request(service, operation, parameters, **options))
    return parse(response, service, operation)
