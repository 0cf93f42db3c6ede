"""A mock with two accounts, a snapshot in one of them, and a key in each."""

from __future__ import annotations

import pytest

from kmsmock import mock_kms
from tests.services.ec2.world import World


@pytest.fixture
def kms():
    with mock_kms(isolated=True) as kms:
        yield kms


@pytest.fixture
def world(kms):
    return World(kms)
