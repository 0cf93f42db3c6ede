"""A mock, its administrator's client, a key, and a role without any permission."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import kmsmock.operations  # noqa: F401 - declares what the engine, tested alone, looks up
from kmsmock import KMSMock, Principal, mock_kms
from tests.authorization.documents import ACCOUNT


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with mock_kms(isolated=True) as kms:
        yield kms


@pytest.fixture
def client(kms: KMSMock) -> Any:
    return kms.client()


@pytest.fixture
def key(client: Any) -> Any:
    return client.create_key()["KeyMetadata"]


@pytest.fixture
def role(kms: KMSMock) -> Principal:
    return kms.account(ACCOUNT).role("App")
