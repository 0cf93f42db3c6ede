"""The door of services beside KMS: by the parameters of the call, before they become a query."""

from __future__ import annotations

from typing import Any

from botocore.awsrequest import AWSResponse

from kmsmock.interception.active import active
from kmsmock.interception.everyday import access_key
from kmsmock.interception.moto import moto_answers
from kmsmock.interception.parsed import to_client

_PARAMETERS = "kmsmock_parameters"


def keep_parameters(*, params: Any, context: Any, **_: Any) -> None:
    """Keep what a call was given, before botocore makes a query of it."""
    if active:
        context[_PARAMETERS] = params


def answer_service_before_call(
    *, model: Any, request_signer: Any, context: Any, **_: Any
) -> tuple[AWSResponse, dict[str, Any]] | None:
    """Answer a call of another service than KMS; None when it is not one of the mock's.

    This is the only door for these services, with ``wire=True`` too.
    """
    service = model.service_model.service_name
    if not active or service not in active[-1].services or moto_answers():
        return None
    answer = active[-1].answer_service(
        service,
        model.name,
        context.get(_PARAMETERS, {}),
        access_key=access_key(request_signer._credentials),  # noqa: SLF001
        region=context["client_region"],
    )
    return to_client(answer, None if isinstance(answer.result, dict) else model)
