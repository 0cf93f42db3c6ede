"""The door of services beside KMS: by the parameters of the call, before they become a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSResponse

from kmsmock.interception.kms import access_key
from kmsmock.interception.parsed import to_client
from kmsmock.process.active import active
from kmsmock.process.moto import moto_answers

_PARAMETERS = "kmsmock_parameters"


def keep_parameters(*, params: Any, context: Any, **_: Any) -> None:
    """Keep what a call was given, before botocore makes a query of it."""
    if active:
        context[_PARAMETERS] = params


def parameters_of(context: Any) -> Mapping[str, Any]:
    """Give the parameters of a call, as boto3 takes them."""
    parameters: Mapping[str, Any] = context.get(_PARAMETERS, {})
    return parameters


def answer_service_before_call(
    *, model: Any, request_signer: Any, context: Any, **_: Any
) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Answer a call of another service than KMS; None when it is not one of the mock's.

    This is the only door for these services, with ``wire=True`` too.
    """
    service = model.service_model.service_name
    if not active or service not in active[-1].services:
        return None
    if moto_answers():
        return None
    answer = active[-1].answer_service(
        service=service,
        operation=model.name,
        parameters=parameters_of(context),
        access_key=access_key(request_signer),
        region=context["client_region"],
        model=model,
    )
    return to_client(answer, None if isinstance(answer.result, dict) else model)
