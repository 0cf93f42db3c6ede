"""What DescribeSnapshots returns, and the data keys that snapshots share."""

from __future__ import annotations

import pytest

from tests.services.ec2.world import EAST, SOURCE


def data_key(world, snapshot, ec2=None):
    return world.describe(snapshot, ec2 or world.source_ec2).get("DataEncryptionKeyId")


def test_the_answer_to_a_new_snapshot_shows_neither_progress_nor_keys(world):
    answer = world.source_ec2.create_snapshot(VolumeId=world.volume, Description="nightly")

    described = {name: answer.get(name) for name in ("State", "Progress", "OwnerId", "Description")}
    assert described == {
        "State": "pending",
        "Progress": "",
        "OwnerId": SOURCE,
        "Description": "nightly",
    }
    assert (answer["VolumeId"], answer["VolumeSize"]) == (world.volume, 1)
    assert answer["Encrypted"] is True
    assert not {"KmsKeyId", "DataEncryptionKeyId"} & set(answer)
    assert world.describe(answer["SnapshotId"], world.source_ec2)["KmsKeyId"] == world.source_key


def test_snapshots_of_one_volume_have_the_same_data_key(world):
    again = world.take_snapshot(world.volume)

    assert data_key(world, again) == data_key(world, world.snapshot)
    assert data_key(world, again) is not None


@pytest.mark.parametrize("same_key", [True, False], ids=["same key", "another key"])
def test_a_volume_inherits_the_data_key_of_a_snapshot_under_the_same_key(world, same_key):
    other = {} if same_key else {"Encrypted": True, "KmsKeyId": "alias/aws/ebs"}
    volume = world.make_volume(SnapshotId=world.snapshot, **other)

    inherited = data_key(world, world.take_snapshot(volume)) == data_key(world, world.snapshot)

    assert inherited is same_key


def test_a_copy_has_a_data_key_of_its_own(world):
    world.share()
    copy = world.copy()

    assert data_key(world, copy, world.target_ec2) is not None
    assert data_key(world, copy, world.target_ec2) != data_key(world, world.snapshot)


def test_what_is_not_encrypted_has_no_data_key(world):
    assert data_key(world, world.take_snapshot(world.make_volume())) is None


def test_no_snapshot_has_an_alias_of_amazon_for_its_owner(world):
    def found(*aliases):
        filters = [{"Name": "owner-alias", "Values": list(aliases)}]
        return world.source_ec2.describe_snapshots(Filters=filters)["Snapshots"]

    assert found("amazon") == found("*") == []
    assert "OwnerAlias" not in world.describe(world.snapshot, world.source_ec2)


def test_a_failed_copy_has_no_size_and_no_data_key(world):
    copy = world.copy(SourceSnapshotId="snap-0123456789abcdef0", SourceRegion=EAST)

    seen = world.describe(copy)
    assert seen["State"] == "error"
    assert not {"FullSnapshotSizeInBytes", "DataEncryptionKeyId", "CompletionTime"} & set(seen)
