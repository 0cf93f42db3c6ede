"""AWS services beside KMS that are answered, each as far as tests of key access need it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.backend import Backend
from kmsmock.errors import ServiceError
from kmsmock.protocol import Answer
from kmsmock.services import sts
from kmsmock.services.errors import InvalidAction, InvalidClientTokenId
from kmsmock.services.registry import Handler, ServiceCall

SERVICES: dict[str, Mapping[str, Handler]] = {"sts": sts.OPERATIONS}


def answer(
    backend: Backend,
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    access_key: str | None,
    region: str,
) -> Answer:
    """Answer a request to another service than KMS; parameters as boto3 takes them."""
    with backend.lock:
        now = backend.clock.now()
        backend.clock.settle(now)
        request_id = backend.new_uuid()
        result: dict[str, Any] | ServiceError
        try:
            principal = backend.identities.caller(access_key, backend.identities.partition)
            if principal is None or backend.identities.has_expired(access_key, now):
                raise InvalidClientTokenId("The security token included in the request is invalid.")
            handler = SERVICES[service].get(operation)
            if handler is None:
                raise InvalidAction(
                    f"Could not find operation {operation} for version 2011-06-15",
                    explanation=f"{operation} of {service} is not emulated; these are: "
                    f"{', '.join(SERVICES[service])}.",
                )
            result = handler(ServiceCall(backend, principal, region, now, parameters))
        except ServiceError as error:
            result = error
    return Answer(request_id, result)
