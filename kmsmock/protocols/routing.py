"""Which service an HTTP request is for."""

from __future__ import annotations

from functools import cache

from kmsmock.aws.installed_model import get_service_model, list_services
from kmsmock.aws.services import ANSWERED
from kmsmock.protocols.boundaries import MAX_BODY
from kmsmock.protocols.errors import MalformedQueryString
from kmsmock.protocols.forms import read_form
from kmsmock.protocols.messages import HttpRequest
from kmsmock.protocols.scope import SignatureScope


def find_service(request: HttpRequest, scope: SignatureScope | None) -> str | None:
    """Return the name that signatures have for the service of a request; None if it is unclear.

    The signature tells it; without one the header ``X-Amz-Target``, else the version of the API,
    which is another for each service, so that services can refuse unsigned requests.
    """
    if scope is not None:
        return scope.service
    target = request.headers.get("x-amz-target")
    if target is not None:
        return _by_target().get(target.rpartition(".")[0].rpartition(".")[2])
    if len(request.body) > MAX_BODY:  # refused anyway
        return None
    try:
        version = read_form(request).get("Version", "")
    except MalformedQueryString:
        return None
    return _by_version().get(version)


def get_protocol_name(service: str) -> str | None:
    """Return the name of the protocol of a service in botocore's model; None if it has no such."""
    if service not in list_services():
        return None
    return str(get_service_model(service).metadata["protocol"])


@cache
def _by_target() -> dict[str, str]:
    """Return the services by the last part of what precedes operations in ``X-Amz-Target``."""
    prefixes = {service: _get_metadata(service).get("targetPrefix") for service in ANSWERED}
    return {prefix.rpartition(".")[2]: service for service, prefix in prefixes.items() if prefix}


@cache
def _by_version() -> dict[str, str]:
    """Return the services with the query protocols by the version of their API."""
    return {
        _get_metadata(service)["apiVersion"]: service
        for service in ANSWERED
        if _get_metadata(service)["protocol"] in ("query", "ec2")
    }


def _get_metadata(service: str) -> dict[str, str]:
    metadata: dict[str, str] = get_service_model(service).metadata
    return metadata
