"""The handlers for other services than KMS: requests are answered from their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSResponse

from kmsmock.aws.regions import CLIENT_REGIONS
from kmsmock.interception.endpoints import explain_region, require_endpoint
from kmsmock.interception.kms import read_access_key
from kmsmock.interception.other_mocks import explain_other_mocks
from kmsmock.interception.parsed_responses import to_botocore_response
from kmsmock.interception.waiters import explain_failures
from kmsmock.process.bound_clients import get_mock
from kmsmock.process.environment import DUMMY
from kmsmock.process.moto import is_moto_active

_PARAMETERS = "kmsmock_parameters"


def keep_parameters(*, params: Any, context: Any, **_: Any) -> None:
    """Store the parameters of a call before botocore serializes them.

    Handles ``before-parameter-build``.
    """
    context[_PARAMETERS] = params


def get_parameters(context: Any) -> Mapping[str, Any]:
    """Return the stored parameters of a call, as the boto3 client received them."""
    parameters: Mapping[str, Any] = context.get(_PARAMETERS, {})
    return parameters


def read_access_key_for(model: Any, signer: Any) -> str | None:
    """Return the access key that signs a request; None for one that must be signed, and is not.

    model: botocore's model of the operation. signer: botocore's RequestSigner.
    """
    access_key = read_access_key(signer)
    if access_key is not None or model.auth_type != "none":
        return access_key
    return DUMMY


def answer_service_before_call(
    *, model: Any, params: Any, request_signer: Any, context: Any, **_: Any
) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Answer a call of another service than KMS; None if the mock does not answer the service.

    Handles ``before-call``, also with ``wire=True``. Raises EndpointConnectionError for a Region
    that cannot exist.
    """
    service = model.service_model.service_name
    mock = get_mock(context)
    if mock is None or service not in mock.services:
        return None
    if is_moto_active() or mock.forward is not None:
        return None
    parameters, region = get_parameters(context), context["client_region"]
    if region not in CLIENT_REGIONS:
        require_endpoint(params["url"], region)
    access_key = read_access_key_for(model, request_signer)
    answer = mock.answer_service(
        service=service,
        operation=model.name,
        parameters=parameters,
        access_key=access_key,
        region=region,
        model=model,
    )
    if isinstance(answer.result, dict):
        explain_failures(mock, answer.result)
        return to_botocore_response(answer, None)
    explain_other_mocks(mock, answer, parameters, access_key)
    explain_region(answer, region)
    return to_botocore_response(answer, model)
