"""The explanations beside AWS's errors for snapshots that are not found."""

from __future__ import annotations

import pytest

from tests.refusals import refused
from tests.services.ec2.world import EAST, SOURCE, TARGET, WEST

NOWHERE = "snap-0123456789abcdef0"
NOT_SHARED = f"belongs to account {SOURCE}, which has not shared it with account {TARGET}"
OWNERS_ONLY = f"Account {SOURCE} shares "
UNKNOWN = "it was never created, or has been deleted"


def modify(ec2, snapshot):
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": "777788889999"}]}
    )


def register(ec2, snapshot):
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}
    ec2.register_image(Name="web", RootDeviceName="/dev/xvda", BlockDeviceMappings=[device])


USES = {
    "describing": lambda ec2, name: ec2.describe_snapshots(SnapshotIds=[name]),
    "a volume": lambda ec2, name: ec2.create_volume(
        SnapshotId=name, AvailabilityZone=f"{ec2.meta.region_name}a"
    ),
    "an image": register,
    "tags": lambda ec2, name: ec2.create_tags(Resources=[name], Tags=[{"Key": "a"}]),
}
CHANGES = {
    "sharing": modify,
    "deleting": lambda ec2, name: ec2.delete_snapshot(SnapshotId=name),
    "a reset": lambda ec2, name: ec2.reset_snapshot_attribute(
        SnapshotId=name, Attribute="createVolumePermission"
    ),
}


def note(ec2, act, snapshot):
    with refused("InvalidSnapshot.NotFound") as caught:
        act(ec2, snapshot)
    return caught.value.__notes__[0]


@pytest.mark.parametrize("act", (USES | CHANGES).values(), ids=USES | CHANGES)
def test_the_note_tells_that_the_owner_has_not_shared_a_snapshot(world, act):
    assert NOT_SHARED in note(world.target_ec2, act, world.snapshot)


@pytest.mark.parametrize("act", CHANGES.values(), ids=CHANGES)
def test_the_note_tells_that_only_the_owner_may_change_a_shared_snapshot(world, act):
    world.share()

    told = note(world.target_ec2, act, world.snapshot)

    assert told.startswith(OWNERS_ONLY)
    assert "only its owner may do this" in told


@pytest.mark.parametrize("act", (USES | CHANGES).values(), ids=USES | CHANGES)
def test_the_note_tells_in_which_region_a_snapshot_is(world, act):
    elsewhere = world.source.client("ec2", WEST)

    assert f"{world.snapshot} is in {EAST} of account {SOURCE}, not in {WEST}." in note(
        elsewhere, act, world.snapshot
    )


@pytest.mark.parametrize("act", (USES | CHANGES).values(), ids=USES | CHANGES)
def test_the_note_tells_that_there_is_no_such_snapshot(world, act):
    assert UNKNOWN in note(world.target_ec2, act, NOWHERE)


def test_aws_itself_tells_nothing_of_that(world):
    with refused("InvalidSnapshot.NotFound", f"The snapshot '{world.snapshot}' does not exist."):
        world.describe(world.snapshot)


@pytest.mark.parametrize(
    ("parameters", "share", "told"),
    [
        ({}, False, NOT_SHARED),
        ({"SourceRegion": WEST}, True, f"is in {EAST} of account {SOURCE}, not in {WEST}."),
        ({"SourceSnapshotId": NOWHERE}, True, UNKNOWN),
    ],
    ids=["not shared", "in another Region", "does not exist"],
)
def test_why_tells_the_same_of_the_source_of_a_copy(kms, world, parameters, share, told):
    if share:
        world.share()

    copy = world.copy(**parameters)

    assert world.describe(copy)["StateMessage"] == "Source snapshot is not found"
    assert told in kms.ebs.why(copy)
