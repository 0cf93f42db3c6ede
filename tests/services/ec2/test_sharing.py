"""The forms of ModifySnapshotAttribute, and public snapshots."""

from __future__ import annotations

import pytest

from tests.refusals import refused
from tests.services.ec2.world import SOURCE, TARGET

THIRD = "777788889999"
PERMISSION = "createVolumePermission"


@pytest.fixture
def plain(world):
    return world.take_snapshot(world.make_volume())


def shared_with(world, snapshot):
    answer = world.source_ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute=PERMISSION)
    return [next(iter(entry.values())) for entry in answer["CreateVolumePermissions"]]


def modify(world, snapshot, **parameters):
    world.source_ec2.modify_snapshot_attribute(SnapshotId=snapshot, **parameters)


def test_a_snapshot_is_shared_and_unshared(world, plain):
    modify(world, plain, CreateVolumePermission={"Add": [{"UserId": TARGET}, {"UserId": THIRD}]})
    assert shared_with(world, plain) == [TARGET, THIRD]

    modify(world, plain, CreateVolumePermission={"Remove": [{"UserId": TARGET}]})
    assert shared_with(world, plain) == [THIRD]
    with refused("InvalidSnapshot.NotFound"):
        world.describe(plain)


def test_the_older_form_does_the_same(world, plain):
    older = {"Attribute": PERMISSION, "UserIds": [TARGET]}
    modify(world, plain, OperationType="add", **older)
    assert shared_with(world, plain) == [TARGET]

    modify(world, plain, OperationType="remove", **older)
    assert shared_with(world, plain) == []


def test_the_own_account_is_accepted_and_not_listed(world, plain):
    modify(world, plain, CreateVolumePermission={"Add": [{"UserId": SOURCE}]})

    assert shared_with(world, plain) == []


def test_a_reset_shares_with_nobody(world, plain):
    modify(world, plain, CreateVolumePermission={"Add": [{"UserId": TARGET}, {"Group": "all"}]})
    world.source_ec2.reset_snapshot_attribute(SnapshotId=plain, Attribute=PERMISSION)

    assert shared_with(world, plain) == []


REFUSED = {
    "add and remove": (
        {"CreateVolumePermission": {"Add": [{"UserId": TARGET}], "Remove": [{"UserId": THIRD}]}},
        "InvalidParameterCombination",
        "One and only one operation type may be specified for createVolumePermissions",
    ),
    "nothing": ({}, "InvalidParameterCombination", "No attributes specified."),
    "no operation": (
        {"Attribute": PERMISSION, "UserIds": [TARGET]},
        "InvalidParameterCombination",
        "No operation specified for createVolumePermission attribute.",
    ),
    "an unknown operation": (
        {"Attribute": PERMISSION, "OperationType": "lend", "UserIds": [TARGET]},
        "InvalidParameterCombination",
        "No operation specified for createVolumePermission attribute.",
    ),
    "product codes": (
        {"Attribute": "productCodes", "OperationType": "add", "UserIds": [TARGET]},
        "InvalidParameterValue",
        "Unrecognized attribute.",
    ),
    "product codes beside permissions": (
        {"Attribute": "productCodes", "CreateVolumePermission": {"Add": [{"UserId": TARGET}]}},
        "InvalidParameterValue",
        "Unrecognized attribute.",
    ),
    "too many with the own account": (
        {
            "CreateVolumePermission": {
                "Add": [{"UserId": a} for a in (SOURCE, *(f"{n:012}" for n in range(500)))]
            }
        },
        "InvalidParameterValue",
        "Modification size must not be greater than 500.",
    ),
    "an unknown attribute": (
        {"Attribute": "colour", "OperationType": "add", "UserIds": [TARGET]},
        "InvalidParameterValue",
        "Unrecognized attribute.",
    ),
    "too many": (
        {"CreateVolumePermission": {"Add": [{"UserId": TARGET}] * 501}},
        "InvalidParameterValue",
        "Modification size must not be greater than 500.",
    ),
    "no account": (
        {"CreateVolumePermission": {"Add": [{"UserId": "12345"}]}},
        "InvalidAMIAttributeItemValue",
        "UserId 12345",
    ),
    "no account in the older form": (
        {"Attribute": PERMISSION, "OperationType": "add", "UserIds": ["12345"]},
        "InvalidAMIAttributeItemValue",
        "UserId (12345) is invalid.",
    ),
    "an unknown group": (
        {"CreateVolumePermission": {"Add": [{"Group": "some"}]}},
        "InvalidAMIAttributeItemValue",
        "UserGroup some",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_change_that_is_refused(world, plain, case):
    parameters, code, message = REFUSED[case]

    with refused(code, message):
        modify(world, plain, **parameters)

    assert shared_with(world, plain) == []


def test_five_hundred_accounts_can_be_added_at_a_time(world, plain):
    accounts = [f"{number:012}" for number in range(500)]
    modify(world, plain, CreateVolumePermission={"Add": [{"UserId": a} for a in accounts]})

    assert shared_with(world, plain) == accounts


def test_a_public_snapshot_is_everybodys(kms, world, plain):
    modify(world, plain, CreateVolumePermission={"Add": [{"Group": "all"}]})

    others = kms.account(THIRD).client("ec2")
    found = others.describe_snapshots(RestorableByUserIds=["all"])["Snapshots"]
    assert [snapshot["SnapshotId"] for snapshot in found] == [plain]
    assert world.describe(world.copy(others, SourceSnapshotId=plain, KmsKeyId=None), others)


def test_an_encrypted_snapshot_cannot_be_public_in_the_older_form_either(world):
    with refused("OperationNotPermitted", "Encrypted snapshots cannot be shared publicly"):
        modify(
            world,
            world.snapshot,
            Attribute=PERMISSION,
            OperationType="add",
            GroupNames=["all"],
        )

    assert shared_with(world, world.snapshot) == []


@pytest.mark.parametrize("state", ["block-all-sharing", "block-new-sharing"])
def test_block_public_access(kms, world, plain, state):
    modify(world, plain, CreateVolumePermission={"Add": [{"Group": "all"}]})
    ec2 = world.source_ec2
    assert ec2.get_snapshot_block_public_access_state()["State"] == "unblocked"

    assert ec2.enable_snapshot_block_public_access(State=state)["State"] == state

    with refused(
        "OperationNotPermitted", "Public sharing of snapshots is blocked for this account."
    ):
        modify(world, plain, CreateVolumePermission={"Add": [{"Group": "all"}]})
    others = kms.account(THIRD).client("ec2")
    seen = others.describe_snapshots()["Snapshots"]
    assert len(seen) == (0 if state == "block-all-sharing" else 1)
    assert ec2.disable_snapshot_block_public_access()["State"] == "unblocked"
    assert len(others.describe_snapshots()["Snapshots"]) == 1
