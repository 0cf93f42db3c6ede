"""The operations are tested through both doors: answers must be the same.

What takes a while on the clock has tests of its own (test_delays.py); here nothing does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from kmsmock import KMSMock, mock_kms


@pytest.fixture(params=["before-call", "wire"])
def kms(request: pytest.FixtureRequest) -> Iterator[KMSMock]:
    with mock_kms(delays="none", wire=request.param == "wire") as kms:
        for name in ("App", "Admin"):
            kms.account("123456789012").role(name)
        yield kms


@pytest.fixture(scope="session")
def shared_client() -> Any:
    """Make one client for all tests, which takes an error for an answer at once."""
    with mock_kms():
        return boto3.client("kms", config=Config(retries={"max_attempts": 0}))


@pytest.fixture
def client(kms: KMSMock, shared_client: Any) -> Any:  # noqa: ARG001
    return shared_client


@pytest.fixture
def new_key(client: Any) -> Callable[..., Any]:
    """Give a function that creates a key and gives its metadata."""

    def create(**parameters: Any) -> Any:
        return client.create_key(**parameters)["KeyMetadata"]

    return create
