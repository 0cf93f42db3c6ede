"""KMS over HTTP: read its requests, and write its responses.

Source: AWS KMS API Reference, "Making API requests"; responses as in debug logs of the AWS CLI.
Imported together with botocore, so slow imports are inside of functions.
"""

from __future__ import annotations

from kmsmock.aws.api_call import Answer, ApiCall
from kmsmock.aws.disruptions import CorruptResponse, LostConnection
from kmsmock.aws.installed_model import get_operation_model
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.protocols.scope import SignatureScope

#: What precedes the operation in the header ``X-Amz-Target``.
TARGET = "TrentService."
#: The headers of all responses of KMS.
HEADERS = {
    "cache-control": "no-cache, no-store, must-revalidate, private",
    "expires": "0",
    "pragma": "no-cache",
    "content-type": "application/x-amz-json-1.1",
}


def read_call(request: HttpRequest, scope: SignatureScope | None, region: str) -> ApiCall:
    """Read target, body and client of a request. region: of requests that are not signed.

    The call has no model if the request names no operation that botocore has.
    """
    headers = request.headers
    target = headers.get("x-amz-target", "")
    operation = target.removeprefix(TARGET)
    return ApiCall(
        operation,
        request.body or b"{}",
        None if scope is None else scope.access_key,
        region if scope is None else scope.region,
        get_operation_model(operation) if operation != target else None,
        headers.get("user-agent") or None,
        is_http=True,
    )


def write_answer(answer: Answer) -> HttpResponse:
    """Return the response that has an answer of KMS. answer: with no lost connection."""
    from kmsmock.aws.api_model import serialize_response

    request_id, result = answer
    assert not isinstance(result, LostConnection), "a lost connection has no response"
    if isinstance(result, dict):
        status, body = 200, serialize_response(result)
    elif isinstance(result, CorruptResponse):
        status, body = result.status, _corrupt_body(result)
    else:
        status, body = result.status, serialize_response(result.body())
    return HttpResponse(status, {"x-amzn-requestid": request_id, **HEADERS}, body)


def _corrupt_body(response: CorruptResponse) -> bytes:
    """Return the bytes that arrive instead of the body of a response."""
    from kmsmock.aws.api_model import serialize_response

    if response.body is not None:
        return response.body
    complete = serialize_response(response.result or {}) or b"{}"
    return complete[: len(complete) // 2]
