"""The default handler for KMS: requests are answered before they are serialized to HTTP."""

from __future__ import annotations

from typing import Any

from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse

from kmsmock.aws.api_call import ApiCall, HttpNeededError
from kmsmock.aws.regions import KNOWN_REGIONS
from kmsmock.interception.endpoints import explain_region, require_endpoint
from kmsmock.interception.other_mocks import explain_other_mocks
from kmsmock.interception.parsed_responses import to_botocore_response
from kmsmock.process.active_mocks import answering
from kmsmock.process.bound_clients import MOCK
from kmsmock.process.environment import DUMMY


def answer_before_call(
    *, model: Any, params: Any, request_signer: Any, context: Any, **_: Any
) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Answer a call of a KMS client; None if no mock is active, or if it answers HTTP.

    It does so also if a request quota throttles the call, which botocore then retries.

    Handles ``before-call``. Raises EndpointConnectionError for a Region that cannot exist.
    """
    # As `get_mock` does, without the call, since this runs for each call.
    mock = context.get(MOCK) or answering[0]
    if mock is None:
        return None
    region = context["client_region"]
    if region not in KNOWN_REGIONS:
        require_endpoint(params["url"], region)
    if mock.answers_http(model.name):
        return None
    call = ApiCall(
        model.name,
        params["body"],
        read_access_key(request_signer),
        region,
        model,
        params["headers"].get("User-Agent"),
    )
    try:
        answer = mock.answer(call)
    except HttpNeededError:
        return None
    if not isinstance(answer.result, dict):
        explain_other_mocks(mock, answer, call.body, call.access_key)
        explain_region(answer, region)
    return to_botocore_response(answer, model)


def read_access_key(signer: Any) -> str | None:
    """Return the access key that a client signs with; None if it does not sign requests.

    A client that just has no credentials signs with dummies. signer: botocore's RequestSigner.
    """
    if signer._signature_version is UNSIGNED:  # noqa: SLF001 - there is no public attribute
        return None
    credentials = signer._credentials  # noqa: SLF001 - as above
    if credentials is None:
        return DUMMY
    # Not the property of refreshable credentials, which would refresh them.
    members = vars(credentials)
    key: str | None = members.get("access_key") or members.get("_access_key")
    return key or DUMMY
