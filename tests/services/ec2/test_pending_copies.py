"""CopySnapshot: copies that are not there yet, on the clock of the mock."""

from __future__ import annotations

import pytest

from kmsmock import mock_kms
from tests.refusals import refused
from tests.services.ec2.world import SECRET, World


@pytest.fixture
def slow():
    with mock_kms(isolated=True, delays="all", waiting="clock") as kms:
        yield kms


@pytest.fixture
def slow_world(slow):
    return World(slow, wait=lambda: slow.clock.advance(minutes=5))


def test_a_copy_is_pending_until_its_time_has_come(slow, slow_world):
    world = slow_world
    world.share()
    copy = world.copy(CompletionDurationMinutes=15)

    seen = world.describe(copy)
    assert (seen["State"], seen["StateMessage"]) == ("pending", "Metadata not updated")
    assert (seen["Progress"], seen["VolumeSize"], seen["Encrypted"]) == ("0%", 0, False)
    assert seen["TransferType"] == "time-based"
    assert "KmsKeyId" not in seen
    slow.clock.advance(minutes=5)
    seen = world.describe(copy)
    assert (seen["State"], seen["Progress"], seen["VolumeSize"]) == ("completed", "100%", 1)
    assert "StateMessage" not in seen
    assert seen["FullSnapshotSizeInBytes"] == 512 * 1024


def test_a_source_that_is_pending_shows_later(slow, slow_world):
    world = slow_world
    pending = world.take_snapshot(world.volume)
    world.share(pending)

    copy = world.copy(SourceSnapshotId=pending)
    slow.clock.advance(minutes=5)

    assert world.describe(copy)["StateMessage"] == "Source snapshot is not complete"


@pytest.mark.parametrize("meanwhile", ["the share is revoked", "the source is deleted"])
def test_a_copy_that_has_begun_needs_neither_share_nor_source(slow, slow_world, meanwhile):
    world = slow_world
    world.share()
    copy = world.copy()
    if meanwhile == "the share is revoked":
        world.source_ec2.reset_snapshot_attribute(
            SnapshotId=world.snapshot, Attribute="createVolumePermission"
        )
    else:
        world.source_ec2.delete_snapshot(SnapshotId=world.snapshot)
    slow.clock.advance(minutes=5)

    assert world.describe(copy)["State"] == "completed"
    assert slow.ebs.read(copy, 0, len(SECRET)) == SECRET


def test_a_target_key_that_is_disabled_meanwhile_shows_later(slow, slow_world):
    world = slow_world
    world.share()
    copy = world.copy()
    world.target_kms.disable_key(KeyId=world.target_key)
    slow.clock.advance(minutes=5)

    assert world.describe(copy)["StateMessage"] == "Given key ID is not accessible"
    assert "is disabled" in slow.ebs.why(copy)


def test_twenty_copies_can_be_in_progress(slow_world):
    world = slow_world
    world.share()
    for _ in range(20):
        world.copy()

    with refused("ResourceLimitExceeded"):
        world.copy()


def test_a_copy_that_is_deleted_before_it_is_there_stays_away(slow, slow_world):
    world = slow_world
    world.share()
    copy = world.copy()
    world.target_ec2.delete_snapshot(SnapshotId=copy)
    slow.clock.advance(minutes=5)

    with refused("InvalidSnapshot.NotFound"):
        world.describe(copy)


def test_copies_come_back_with_a_checkpoint(slow, slow_world):
    world = slow_world
    world.share()
    copy = world.copy()
    checkpoint = slow.checkpoint()
    slow.clock.advance(minutes=5)
    assert world.describe(copy)["State"] == "completed"

    slow.restore(checkpoint)

    assert world.describe(copy)["State"] == "pending"
    slow.clock.advance(minutes=5)
    assert world.describe(copy)["State"] == "completed"
    assert slow.ebs.read(copy, 0, len(SECRET)) == SECRET
