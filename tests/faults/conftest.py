"""What tests of faults share."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config


@pytest.fixture
def once(kms):  # noqa: ARG001 - the mock answers it
    """A client that does not retry."""
    return make_client(attempts=1)


def make_client(attempts, mode="standard", region="us-east-1", **members):
    retries = {"total_max_attempts": attempts, "mode": mode}
    return boto3.client("kms", region, config=Config(retries=retries), **members)
