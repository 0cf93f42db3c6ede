"""Volumes: what CreateVolume refuses at once, and volumes that vanish without their key."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import WaiterError

from kmsmock import mock_kms
from tests.authorization.documents import allow, deny, policy
from tests.refusals import refused
from tests.services.ec2.world import EAST, World

MISSING_KEY = f"arn:aws:kms:{EAST}:111122223333:key/00000000-0000-4000-8000-000000000000"


def gone(ec2, volume):
    with refused("InvalidVolume.NotFound", f"The volume '{volume}' does not exist.") as caught:
        ec2.describe_volumes(VolumeIds=[volume])
    return caught.value.__notes__[0]


def describe(ec2, volume):
    return ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]


# --- refused at once -------------------------------------------------------------------------

AT_ONCE = {
    "a snapshot that is not shared": (
        {"SnapshotId": "snapshot"},
        "InvalidSnapshot.NotFound",
        "Snapshot does not exist",
    ),
    "a snapshot that does not exist": (
        {"SnapshotId": "snap-0123456789abcdef0"},
        "InvalidSnapshot.NotFound",
        "Snapshot does not exist",
    ),
    "an id that is none": (
        {"SnapshotId": "snap-x"},
        "InvalidSnapshotID.Malformed",
        "Value ( snap-x ) for parameter SNAPSHOT is invalid. ",
    ),
    "a key without encryption": (
        {"KmsKeyId": MISSING_KEY},
        "InvalidParameterDependency",
        "The parameter [KmsKeyId] requires the parameter Encrypted to be set.",
    ),
    "an unknown type": ({"VolumeType": "gp9"}, "UnknownVolumeType", None),
    "a size that the type has not": (
        {"VolumeType": "io1", "Iops": 100},
        "InvalidParameterValue",
        None,
    ),
    "a type that needs IOPS": ({"VolumeType": "io2", "Size": 8}, "MissingParameter", None),
    "a zone elsewhere": ({"AvailabilityZone": "eu-west-1a"}, "InvalidZone.NotFound", None),
    "an initialization rate without a snapshot": (
        {"VolumeInitializationRate": 100},
        "InvalidParameterCombination",
        None,
    ),
    "an Outpost": ({"OutpostArn": "arn:aws:outposts:x"}, "UnsupportedOperation", None),
}


@pytest.mark.parametrize("case", AT_ONCE)
def test_a_volume_that_is_refused_at_once(world, case):
    parameters, code, message = AT_ONCE[case]
    if parameters.get("SnapshotId") == "snapshot":
        parameters = {"SnapshotId": world.snapshot}

    with refused(code, message):
        world.make_volume(world.target_ec2, **parameters)


def test_a_volume_of_an_encrypted_snapshot_cannot_be_unencrypted(world):
    with refused(
        "InvalidParameterCombination",
        "EncryptedVolume parameter [false] is inconsistent with snapshot encryption state [true]",
    ):
        world.make_volume(SnapshotId=world.snapshot, Encrypted=False)


def test_a_volume_is_no_smaller_than_its_snapshot(world):
    snapshot = world.take_snapshot(world.make_volume(Size=8))

    with refused(
        "InvalidParameterValue",
        f"Volume of 7GiB is smaller than snapshot '{snapshot}', expect size >= 8GiB",
    ):
        world.make_volume(SnapshotId=snapshot, Size=7)


def test_a_snapshot_that_is_pending_makes_no_volume():
    with mock_kms(isolated=True, delays="all", waiting="clock") as kms:
        world = World(kms, wait=lambda: kms.clock.advance(minutes=5))
        pending = world.take_snapshot(world.volume)

        with refused("IncorrectState", "Snapshot is in invalid state - pending"):
            world.make_volume(SnapshotId=pending)


# --- volumes that vanish ---------------------------------------------------------------------


def test_a_volume_whose_key_does_not_exist_vanishes(kms, world):
    volume = world.make_volume(Encrypted=True, KmsKeyId=MISSING_KEY)

    assert "NotFoundException" in gone(world.source_ec2, volume)
    assert "GenerateDataKeyWithoutPlaintext" in kms.ebs.why(volume)
    with pytest.raises(WaiterError):
        world.source_ec2.get_waiter("volume_available").wait(VolumeIds=[volume])
    world.source_ec2.get_waiter("volume_deleted").wait(VolumeIds=[volume])


def test_a_volume_whose_key_is_disabled_vanishes(world):
    world.source_kms.disable_key(KeyId=world.source_key)

    volume = world.make_volume(SnapshotId=world.snapshot)

    assert f"{world.source_key} is disabled." in gone(world.source_ec2, volume)


@pytest.mark.parametrize(
    ("action", "on", "vanishes"),
    [
        ("kms:ReEncryptFrom", "source_key", True),
        ("kms:ReEncryptTo", "target_key", True),
        ("kms:CreateGrant", "target_key", True),
        ("kms:GenerateDataKeyWithoutPlaintext", "target_key", True),
        ("kms:CreateGrant", "source_key", False),
        ("kms:Decrypt", "source_key", False),
        ("kms:DescribeKey", "source_key", False),
    ],
)
def test_what_a_volume_from_a_shared_snapshot_needs_of_kms(world, action, on, vanishes):
    world.share()
    statements = allow(["ec2:*", "kms:*"]), deny(action, getattr(world, on))
    ec2 = world.target.role("Maker", policies=[policy(*statements)]).client("ec2")

    volume = world.make_volume(
        ec2, SnapshotId=world.snapshot, Encrypted=True, KmsKeyId=world.target_key
    )

    if vanishes:
        assert action in gone(ec2, volume)
    else:
        assert describe(ec2, volume)["State"] == "available"


# --- the rest --------------------------------------------------------------------------------


def test_a_volume_is_creating_until_its_time_has_come():
    with mock_kms(isolated=True, delays="all", waiting="clock") as kms:
        ec2 = boto3.client("ec2")
        volume = ec2.create_volume(AvailabilityZone=f"{EAST}b", Size=1)["VolumeId"]

        assert describe(ec2, volume)["State"] == "creating"
        with refused("IncorrectState"):
            ec2.create_snapshot(VolumeId=volume)
        kms.clock.advance(minutes=5)
        assert describe(ec2, volume)["State"] == "available"


def test_a_client_token_makes_one_volume(world):
    make = {"AvailabilityZone": f"{EAST}a", "Size": 1, "ClientToken": "once"}
    first = world.source_ec2.create_volume(**make)["VolumeId"]

    assert world.source_ec2.create_volume(**make)["VolumeId"] == first
    with refused("IdempotentParameterMismatch"):
        world.source_ec2.create_volume(**make | {"Size": 2})


@pytest.mark.parametrize(
    ("parameters", "iops", "throughput"),
    [
        ({}, 300, None),
        ({"VolumeType": "gp3"}, 3000, 125),
        ({"VolumeType": "gp3", "Iops": 4000, "Throughput": 250}, 4000, 250),
        ({"VolumeType": "io1", "Iops": 200}, 200, None),
        ({"VolumeType": "standard"}, None, None),
    ],
)
def test_a_volume_has_the_performance_of_its_type(world, parameters, iops, throughput):
    volume = describe(world.source_ec2, world.make_volume(Size=100, **parameters))

    assert (volume.get("Iops"), volume.get("Throughput")) == (iops, throughput)


@pytest.mark.parametrize("rate", [100, 300])
def test_a_volume_from_a_snapshot_shows_its_initialization_rate(world, rate):
    answer = world.source_ec2.create_volume(
        AvailabilityZone=f"{EAST}a", SnapshotId=world.snapshot, VolumeInitializationRate=rate
    )

    assert answer["VolumeInitializationRate"] == rate
    assert describe(world.source_ec2, answer["VolumeId"])["VolumeInitializationRate"] == rate
    assert "VolumeInitializationRate" not in describe(world.source_ec2, world.volume)


@pytest.mark.parametrize("rate", [99, 301])
def test_an_initialization_rate_is_100_to_300_mib_a_second(world, rate):
    with refused("InvalidParameterValue"):
        world.make_volume(SnapshotId=world.snapshot, VolumeInitializationRate=rate)


def test_volumes_are_listed_by_filters_and_pages(world):
    ec2 = world.source_ec2
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "team", "Value": "blue"}]}]
    tagged = world.make_volume(Size=3, TagSpecifications=tags)
    for _ in range(6):
        world.make_volume()

    def found(**filters):
        given = [{"Name": n.replace("_", "-"), "Values": v} for n, v in filters.items()]
        return [v["VolumeId"] for v in ec2.describe_volumes(Filters=given)["Volumes"]]

    assert found(encrypted=["true"]) == [world.volume]
    assert found(size=["3"]) == found(tag_key=["te?m"]) == [tagged]
    assert found(**{"tag:team": ["b*"]}) == [tagged]
    assert found(**{"tag:team": ["red"]}) == []
    with refused("InvalidParameterValue", "The filter 'colour' is invalid"):
        found(colour=["blue"])
    pages = list(ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page["Volumes"]) for page in pages] == [5, 3]


def test_a_volume_can_be_deleted(world):
    world.source_ec2.delete_volume(VolumeId=world.volume)

    with refused("InvalidVolume.NotFound"):
        world.source_ec2.describe_volumes(VolumeIds=[world.volume])
    assert world.describe(world.snapshot, world.source_ec2)["State"] == "completed"


def test_resource_tags_decide_who_may_delete(world):
    blue = {"StringEquals": {"aws:ResourceTag/team": "blue"}}
    ec2 = world.source.role(
        "Blue", policies=[policy(allow("ec2:DeleteVolume", Condition=blue))]
    ).client("ec2")
    with refused("UnauthorizedOperation"):
        ec2.delete_volume(VolumeId=world.volume)
    world.source_ec2.create_tags(Resources=[world.volume], Tags=[{"Key": "team", "Value": "blue"}])

    ec2.delete_volume(VolumeId=world.volume)
