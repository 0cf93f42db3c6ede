"""Calls that tests of request quotas make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from kmsmock import KMSMock, Principal

OWN, OTHER = "123456789012", "111122223333"


def make_client(
    attempts: int = 1,
    mode: str = "standard",
    region: str = "us-east-1",
    principal: Principal | None = None,
    **settings: Any,
) -> Any:
    """Return a client with configured retries; by default it makes none."""
    retries: Any = {"total_max_attempts": attempts, "mode": mode}
    config = Config(retries=retries, **settings)
    session: Any = boto3 if principal is None else principal.session()
    return session.client("kms", region, config=config)


def count_answered(call: Callable[[], object], most: int = 20) -> int:
    """Make calls until one is throttled; return how many were not."""
    for answered in range(most):
        try:
            call()
        except ClientError as error:  # noqa: PERF203
            assert error.response["Error"]["Code"] == "ThrottlingException"  # noqa: PT017
            return answered
    return most


def new_key(kms: KMSMock, spec: str = "SYMMETRIC_DEFAULT", usage: str = "ENCRYPT_DECRYPT") -> str:
    """Create a key in us-east-1, which counts once as CreateKey; return its ARN."""
    created = kms.client(region="us-east-1").create_key(KeySpec=spec, KeyUsage=usage)
    arn: str = created["KeyMetadata"]["Arn"]
    return arn


def codes(kms: KMSMock, operation: str) -> list[str | None]:
    """Return the error codes of the recorded calls of an operation."""
    return [event.error_code for event in kms.calls.filter(operation)]
