"""The default handler for KMS: requests are answered before they are serialized to HTTP."""

from __future__ import annotations

from typing import Any

from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse

from kmsmock.aws.api_call import ApiCall
from kmsmock.interception.other_mocks import explain_other_mocks
from kmsmock.interception.parsed_responses import to_botocore_response
from kmsmock.interception.sessions import get_access_key
from kmsmock.process.bound_clients import get_mock


def answer_before_call(
    *, model: Any, params: Any, request_signer: Any, context: Any, **_: Any
) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Answer a call of a KMS client; None if no mock is active, or if it answers HTTP (``wire``).

    Handles ``before-call``.
    """
    mock = get_mock(context)
    if mock is None or mock.wire:
        return None
    call = ApiCall(
        model.name,
        params["body"],
        read_access_key(request_signer),
        context["client_region"],
        model,
        params["headers"].get("User-Agent"),
    )
    answer = mock.answer(call)
    if not isinstance(answer.result, dict):
        explain_other_mocks(mock, answer, call.body, call.access_key)
    return to_botocore_response(answer, model)


def read_access_key(signer: Any) -> str | None:
    """Return the access key that a client signs with; None if it does not sign requests.

    signer: botocore's RequestSigner.
    """
    credentials = signer._credentials  # noqa: SLF001 - there is no public attribute
    if credentials is None or signer._signature_version is UNSIGNED:  # noqa: SLF001 - as above
        return None
    return get_access_key(credentials)
