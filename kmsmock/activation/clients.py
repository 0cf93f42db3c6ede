"""Making boto3 clients that sign as a principal of the mock."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import boto3

from kmsmock.identities.credentials import Credentials

#: Credentials that lead to no principal in particular.
UNKNOWN = Credentials("testing", "testing")


@lru_cache(maxsize=1)
def _session() -> Any:
    """Give one session for all clients: what botocore loads for the first serves the others."""
    return boto3.Session(aws_access_key_id="unused", aws_secret_access_key="unused")  # noqa: S106


def make_client(service: str, region: str, credentials: Credentials) -> Any:
    """Make a client that signs with these credentials."""
    return _session().client(
        service,
        region_name=region,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.session_token,
    )


def make_session(region: str | None, credentials: Credentials) -> Any:
    """Make a session that signs with these credentials."""
    return boto3.Session(
        region_name=region,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.session_token,
    )
