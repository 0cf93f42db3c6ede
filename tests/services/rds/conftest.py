"""A mock with two accounts, a database with a snapshot in one of them, and a key in each."""

from __future__ import annotations

import pytest

from kmsmock import mock_kms
from tests.services.rds.world import WORDS, World


@pytest.fixture(scope="module", params=WORDS, ids=lambda words: words.kind)
def begun(request):
    """Begin a world of each kind once: clients take long to make."""
    with mock_kms(isolated=True) as kms:
        world = World(kms, request.param)
        yield world, kms.checkpoint()


@pytest.fixture
def world(begun):
    world, checkpoint = begun
    world.kms.restore(checkpoint)
    return world


@pytest.fixture
def kms(world):
    return world.kms
