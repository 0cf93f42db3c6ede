"""A mock with two accounts, a snapshot in one of them, and a key in each."""

from __future__ import annotations

import pytest

from kmsmock import mock_kms
from tests.services.ec2.world import World


@pytest.fixture(scope="module")
def begun():
    """Begin a world once: clients of EC2 take long to make."""
    with mock_kms(isolated=True) as kms:
        world = World(kms)
        yield world, kms.checkpoint()


@pytest.fixture
def world(begun):
    world, checkpoint = begun
    world.kms.restore(checkpoint)
    return world


@pytest.fixture
def kms(world):
    return world.kms
