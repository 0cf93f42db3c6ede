"""Create boto3 clients and sessions that sign as a principal of the mock."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import UnknownServiceError
from botocore.handlers import BUILTIN_HANDLERS

from kmsmock.aws.installed_model import list_services
from kmsmock.aws.regions import region_of_service
from kmsmock.identities.credentials import Credentials
from kmsmock.misuse.suggestions import did_you_mean

#: Credentials of no particular principal; the mock takes their caller for its default principal.
UNKNOWN = Credentials.of("testing", "testing")


@lru_cache(maxsize=1)
def _get_session(handlers: int) -> Any:  # noqa: ARG001 - another number is another session
    """Return one session for all clients, which shares the models that botocore loads.

    handlers: how many handlers botocore registers with a new session. An older session would lack
    those of another mock that was imported since, such as moto, and its clients would reach AWS.
    """
    return boto3.Session(aws_access_key_id="unused", aws_secret_access_key="unused")  # noqa: S106


def make_client(service: str, region: str, credentials: Credentials) -> Any:
    """Create a boto3 client with credentials.

    service: as boto3 names it. Raises ValueError for a service that boto3 does not have.
    """
    return make_client_at(None, service, region, credentials)


def make_client_at(
    endpoint_url: str | None, service: str, region: str, credentials: Credentials
) -> Any:
    """Create a boto3 client for an endpoint. endpoint_url: None for that of AWS.

    With another endpoint, botocore does not know for which Region a global service is signed. The
    rest is as for `make_client`.
    """
    try:
        return _get_session(len(BUILTIN_HANDLERS)).client(
            service,
            region_name=region if endpoint_url is None else region_of_service(service, region),
            aws_access_key_id=credentials.access_key,
            aws_secret_access_key=credentials.secret_key,
            aws_session_token=credentials.session_token,
            endpoint_url=endpoint_url,
            config=None if endpoint_url is None else without_proxies(),
        )
    except UnknownServiceError:
        hint = did_you_mean(service, sorted(list_services()))
        raise ValueError(f"boto3 has no service {service!r}{hint}") from None


def without_proxies(config: Any = None) -> Any:
    """Return a client's configuration, with which it uses no proxies of the environment.

    config: what else is configured; None for nothing.
    """
    direct = Config(proxies={})
    return direct if config is None else direct.merge(config)


def make_session(region: str | None, credentials: Credentials) -> Any:
    """Create a boto3 session with credentials."""
    return boto3.Session(
        region_name=region,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.session_token,
    )
