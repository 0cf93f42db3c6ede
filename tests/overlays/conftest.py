"""The KMS side of services is tested with moto as their storage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from kmsmock import KMSMock, mock_kms


@pytest.fixture
def kms() -> Iterator[KMSMock]:
    with mock_aws(), mock_kms(seed=1) as kms:
        yield kms


@pytest.fixture
def key(kms):
    """A customer managed key: its ARN."""
    return kms.client().create_key()["KeyMetadata"]["Arn"]
