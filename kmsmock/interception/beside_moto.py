"""Handlers for services whose requests something else, such as moto, answers.

The mock refuses credentials that are not valid, and makes the KMS calls of such a service, before
and after the request is answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from botocore.awsrequest import AWSResponse

from kmsmock.aws.api_call import Answer
from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.hosts import is_aws_host, read_host
from kmsmock.aws.services import ANSWERED
from kmsmock.interception.endpoints import explain_region
from kmsmock.interception.other_mocks import explain_other_mocks
from kmsmock.interception.parsed_responses import to_botocore_response
from kmsmock.interception.services import get_parameters, read_access_key_for
from kmsmock.interception.stores import find_store, is_asking
from kmsmock.interception.waiters import explain_failures
from kmsmock.process.bound_clients import get_mock
from kmsmock.process.moto import is_moto_active
from kmsmock.process.moto_changes import set_changes_nothing

_PENDING = "kmsmock_pending_call"


def begin_before_call(
    *, model: Any, params: Any, request_signer: Any, context: Any, **_: Any
) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Admit a request, and make the KMS calls that its service makes before it stores.

    Returns an error response or None.

    Handles ``before-call``.
    """
    service = model.service_model.service_name
    # A client created before botocore was patched can have the handlers twice.
    mock = get_mock(context)
    if mock is None or service not in mock.services or _PENDING in context or is_asking():
        return None
    if service in ANSWERED and not is_moto_active():
        return None
    parameters = get_parameters(context)
    access_key = read_access_key_for(model, request_signer)
    pending, error = mock.begin(
        model=model,
        parameters=parameters,
        access_key=access_key,
        region=context["client_region"],
        is_secure=not _lacks_tls(params["url"]),
        store=find_store(service, params["url"], parameters.get("Bucket"), request_signer),
    )
    if error is not None:
        explain_other_mocks(mock, error, parameters, access_key)
        explain_region(error, context["client_region"])
        return _to_botocore_error(error, model)
    if pending is not None:
        context[_PENDING] = pending
        _change_request(params, pending.changes)
    return None


def _change_request(params: dict[str, Any], changes: Mapping[str, str | None]) -> None:
    for name, value in changes.items():
        if value is None:
            params["body"].pop(name, None)
        else:
            params["body"][name] = value


def _lacks_tls(url: str) -> bool:
    """Return whether a request goes to AWS without TLS; emulators may have no certificate."""
    return url.startswith("http:") and is_aws_host(read_host(url))


def finish_after_call(
    *, http_response: Any, parsed: dict[str, Any], model: Any, context: Any, **_: Any
) -> None:
    """Make the KMS calls that a service makes after it has stored, and complete its response.

    Handles ``after-call``.
    """
    set_changes_nothing(changes_nothing=False)
    pending = context.pop(_PENDING, None) if isinstance(context, dict) else None
    if pending is None:
        _explain(parsed, context)
        return
    if http_response.status_code >= 300:
        answer = pending.abandon(parsed.get("Error", {}).get("Code", ""))
        if answer is not None:
            metadata = {**parsed["ResponseMetadata"], "HTTPStatusCode": 200}
            _replace_answer(http_response, parsed, 200, {**answer, "ResponseMetadata": metadata})
        return
    error = pending.finish(parsed)
    if error is None:
        _explain(parsed, context)
    else:
        response, parsed_error = _to_botocore_error(error, model)
        _replace_answer(http_response, parsed, response.status_code, parsed_error)


def _explain(parsed: dict[str, Any], context: Any) -> None:
    mock = get_mock(context) if isinstance(context, dict) else None
    if mock is not None:
        explain_failures(mock, parsed)


def _to_botocore_error(answer: Answer, model: Any) -> tuple[AWSResponse, dict[str, Any]]:
    if model.http.get("method") == "HEAD" and isinstance(answer.result, ServiceError):
        answer = answer._replace(result=_without_body(answer.result))
    response, parsed = to_botocore_response(answer, model)
    parsed.get("Error", {}).update(getattr(answer.result, "members", {}))
    query_code = getattr(answer.result, "query_code", None)
    if query_code is not None:
        # As botocore does for the header x-amzn-query-error.
        error = parsed["Error"]
        error["QueryErrorCode"], error["Code"] = error["Code"], query_code
        error["Type"] = "Sender"
    return response, parsed


def _without_body(error: ServiceError) -> ServiceError:
    """Return an error as the response to a HEAD request has it, which is only an HTTP status."""
    explanation = " ".join(text for text in (error.message, error.explanation) if text)
    phrase = HTTPStatus(error.status).phrase
    return CodedError(str(error.status), phrase, status=error.status, explanation=explanation)


def _replace_answer(
    http_response: Any, parsed: dict[str, Any], status: int, answer: dict[str, Any]
) -> None:
    # botocore reads only these two objects after the event.
    http_response.status_code = status
    parsed.clear()
    parsed.update(answer)
