"""The four steps: snapshot under the own key, key policy, share, copy under the target's key."""

from __future__ import annotations

import pytest

from kmsmock import mock_kms
from tests.authorization.documents import allow, deny, policy
from tests.refusals import refused
from tests.services.ec2.world import (
    EAST,
    SECRET,
    SOURCE,
    TARGET,
    WEST,
    World,
    operations,
    request_members,
)

UNUSABLE = "Given key ID is not accessible"
KEY_ACTIONS = ("kms:CreateGrant", "kms:GenerateDataKeyWithoutPlaintext")


@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
@pytest.mark.parametrize("region", [EAST, WEST])
def test_a_shared_snapshot_is_copied_under_a_key_of_the_target(wire, region):
    with mock_kms(isolated=True, wire=wire) as kms:
        world = World(kms, target_region=region)
        world.share()

        copy = world.copy()

        world.target_ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[copy])
        seen = world.describe(copy)
        assert seen["State"] == "completed"
        assert seen["Encrypted"] is True
        assert seen["KmsKeyId"] == world.target_key
        assert seen["OwnerId"] == TARGET
        assert kms.ebs.read(copy, 0, len(SECRET)) == SECRET


def test_the_copy_outlives_share_and_key_of_the_source(kms, world):
    world.share()
    copy = world.copy()

    world.source_ec2.reset_snapshot_attribute(
        SnapshotId=world.snapshot, Attribute="createVolumePermission"
    )
    world.source_ec2.delete_snapshot(SnapshotId=world.snapshot)
    world.source_kms.schedule_key_deletion(KeyId=world.source_key, PendingWindowInDays=7)
    kms.clock.advance(days=8)

    volume = world.make_volume(world.target_ec2, SnapshotId=copy)
    world.target_ec2.get_waiter("volume_available").wait(VolumeIds=[volume])
    assert kms.ebs.read(volume, 0, len(SECRET)) == SECRET


def test_the_kms_calls_of_a_copy_are_those_of_cloudtrail_records_of_aws(kms, world):
    world.share()
    before = len(kms.calls)
    copy = world.copy()

    calls = kms.calls[before:]
    new, old = {"aws:ebs:id": copy}, {"aws:ebs:id": world.volume}
    administrator, service = world.target.administrator.arn, f"ec2.{EAST}.amazonaws.com"
    assert [(c.operation, c.key_arn, c.caller) for c in calls] == [
        ("DescribeKey", world.target_key, administrator),
        ("GenerateDataKeyWithoutPlaintext", world.target_key, administrator),
        ("CreateGrant", world.target_key, administrator),
        ("CreateGrant", world.source_key, administrator),
        ("Decrypt", world.target_key, service),
        ("Decrypt", world.source_key, service),
        ("RetireGrant", world.target_key, service),
        ("RetireGrant", world.source_key, service),
    ]
    made, *grants = calls[1:4]
    assert made.encryption_context == calls[4].encryption_context == new
    assert request_members(made)["NumberOfBytes"] == 64
    assert calls[5].encryption_context == old
    for grant, context in zip(grants, (new, old), strict=True):
        assert request_members(grant)["GranteePrincipal"] == service
        assert request_members(grant)["RetiringPrincipal"] == service
        assert request_members(grant)["Operations"] == ["Decrypt"]
        assert request_members(grant)["Constraints"] == {"EncryptionContextEquals": context}
    assert world.source_kms.list_grants(KeyId=world.source_key)["Grants"] == []
    assert kms.costs.by_operation()["CreateGrant"] >= 2


def test_the_calls_are_made_from_the_addresses_of_ec2_and_ebs(kms, world):
    world.share()
    before = len(kms.calls)
    world.copy()

    frontend = ["ec2-frontend-api.amazonaws.com"] * 3
    background = [f"prod.kms-caller.ebs.{EAST}.amazonaws.com"] * 5
    assert [call.user_agent for call in kms.calls[before:]] == frontend + background


def test_the_trail_of_the_source_has_what_concerns_its_key(kms, world):
    world.share()
    before = len(kms.trail)
    world.copy()

    seen = [r for r in kms.trail[before:] if r["recipientAccountId"] == SOURCE]
    identities = {r["eventName"]: r["userIdentity"] for r in seen}
    assert [r["eventName"] for r in seen] == ["CreateGrant", "Decrypt", "RetireGrant"]
    assert identities["CreateGrant"]["type"] == "AWSAccount"
    assert identities["CreateGrant"]["accountId"] == TARGET
    assert (
        identities["Decrypt"]
        == identities["RetireGrant"]
        == {
            "type": "AWSService",
            "invokedBy": f"prod.kms-caller.ebs.{EAST}.amazonaws.com",
        }
    )
    assert all("sharedEventID" in r for r in seen)


def test_a_copy_of_a_copy_opens_it_by_the_id_of_the_snapshot(kms, world):
    world.share()
    first = world.copy()
    world.copy(SourceSnapshotId=first)

    decrypted = [c.encryption_context for c in kms.calls if c.operation == "Decrypt"]
    assert decrypted[-1] == {"aws:ebs:id": first}


def test_sharing_makes_no_grant_and_leaves_the_key_policy_alone(kms, world):
    policy_before = world.source_kms.get_key_policy(KeyId=world.source_key, PolicyName="default")[
        "Policy"
    ]
    before = len(kms.calls)
    world.share()

    assert operations(kms.calls[before:]) == ["DescribeKey"]
    assert kms.calls[-1].alias == "alias/aws/ebs"
    assert world.source_kms.list_grants(KeyId=world.source_key)["Grants"] == []
    assert (
        world.source_kms.get_key_policy(KeyId=world.source_key, PolicyName="default")["Policy"]
        == policy_before
    )


# --- half of the permission ------------------------------------------------------------------


def test_to_create_a_grant_is_all_that_a_copy_needs_of_the_key_policy(world):
    world.limit_key("kms:CreateGrant")
    world.share()

    assert world.describe(world.copy())["State"] == "completed"


def test_a_copy_without_the_key_policy_fails_after_the_answer(kms, world):
    world.limit_key()
    world.share()

    copy = world.copy()

    seen = world.describe(copy)
    assert (seen["State"], seen["StateMessage"], seen["Progress"]) == ("error", UNUSABLE, "0%")
    assert (seen["VolumeSize"], seen["Encrypted"]) == (1, True)
    assert seen["KmsKeyId"] == world.target_key
    assert not {"CompletionTime", "FullSnapshotSizeInBytes", "DataEncryptionKeyId"} & set(seen)
    why = kms.ebs.why(copy)
    assert "kms:CreateGrant" in why
    assert "no resource-based policy allows" in why or "key policy" in why
    # The grant on the key of the target had been made; none is left.
    assert world.target_kms.list_grants(KeyId=world.target_key)["Grants"] == []


@pytest.mark.parametrize("action", ["kms:CreateGrant", "kms:DescribeKey", "kms:Decrypt"])
def test_the_identity_policy_of_the_target_is_the_other_half(world, action):
    world.share()
    caller = world.target.role(
        "Copier",
        policies=[policy(allow("ec2:*"), allow("kms:*", world.target_key), allow("kms:List*"))]
        if action == "kms:CreateGrant"
        else [policy(allow(["ec2:*", "kms:*"]), deny(action, world.source_key))],
    )

    state = world.describe(world.copy(caller.client("ec2")))["State"]

    assert state == ("error" if action == "kms:CreateGrant" else "completed")


@pytest.mark.parametrize(
    ("action", "on", "state"),
    [
        ("kms:CreateGrant", "target_key", "error"),
        ("kms:CreateGrant", "source_key", "error"),
        ("kms:GenerateDataKeyWithoutPlaintext", "target_key", "error"),
        ("kms:GenerateDataKey", "target_key", "completed"),
        ("kms:Decrypt", "target_key", "completed"),
        ("kms:Decrypt", "source_key", "completed"),
        ("kms:ReEncrypt*", "source_key", "completed"),
        ("kms:DescribeKey", "source_key", "completed"),
    ],
)
def test_what_a_copy_needs_of_kms(world, action, on, state):
    world.share()
    statements = allow(["ec2:*", "kms:*"]), deny(action, getattr(world, on))
    caller = world.target.role("Copier", policies=[policy(*statements)])

    seen = world.describe(world.copy(caller.client("ec2")))

    assert seen["State"] == state
    assert seen.get("StateMessage") == (UNUSABLE if state == "error" else None)


def test_to_look_at_the_target_key_is_needed_before_there_is_a_snapshot(world):
    world.share()
    statements = allow(["ec2:*", "kms:*"]), deny("kms:DescribeKey")
    caller = world.target.role("Copier", policies=[policy(*statements)]).client("ec2")

    with refused("AuthFailure", f"Not authorized to use key {world.target_key} ") as caught:
        world.copy(caller)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    own = world.target_ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert own == []


# --- the source ------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["not shared", "does not exist", "in another Region"])
def test_a_source_that_cannot_be_seen_shows_after_the_answer(world, source):
    parameters = {}
    if source == "does not exist":
        parameters["SourceSnapshotId"] = "snap-0123456789abcdef0"
    elif source == "in another Region":
        world.share()
        parameters["SourceRegion"] = WEST

    copy = world.copy(**parameters)

    seen = world.describe(copy)
    assert (seen["State"], seen["StateMessage"]) == ("error", "Source snapshot is not found")
    assert (seen["VolumeSize"], seen["Progress"]) == (0, "0%")
    assert not {"CompletionTime", "FullSnapshotSizeInBytes"} & set(seen)


@pytest.mark.parametrize("state", ["disabled", "pending deletion", "deleted"])
def test_a_source_key_that_cannot_be_used_shows_after_the_answer(kms, world, state):
    world.share()
    if state == "disabled":
        world.source_kms.disable_key(KeyId=world.source_key)
    else:
        world.source_kms.schedule_key_deletion(KeyId=world.source_key, PendingWindowInDays=7)
    if state == "deleted":
        kms.clock.advance(days=8)

    copy = world.copy()

    seen = world.describe(copy)
    assert (seen["State"], seen["StateMessage"]) == ("error", UNUSABLE)
    assert kms.ebs.why(copy).startswith("Given key ID is not accessible: kms:CreateGrant")


# --- sharing ---------------------------------------------------------------------------------


def test_a_snapshot_under_the_aws_managed_key_cannot_be_shared(world):
    snapshot = world.take_snapshot(world.make_volume(Encrypted=True))

    with refused(
        "OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared"
    ) as caught:
        world.share(snapshot)

    assert "copy the snapshot under a customer managed key" in caught.value.__notes__[0]


@pytest.fixture
def blind(world):
    """A client of the source that may do everything but look at keys."""
    statements = allow("ec2:*"), deny("kms:DescribeKey")
    return world.source.role("Blind", policies=[policy(*statements)]).client("ec2")


def share_with_target(ec2, snapshot):
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": TARGET}]}
    )


def test_a_snapshot_under_the_aws_managed_key_is_not_shared_by_who_may_not_look_at_keys(
    world, blind
):
    snapshot = world.take_snapshot(world.make_volume(Encrypted=True))

    with refused(
        "OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared"
    ):
        share_with_target(blind, snapshot)

    with refused("InvalidSnapshot.NotFound"):
        world.describe(snapshot)


def test_a_snapshot_under_a_customer_key_is_shared_by_who_may_not_look_at_keys(kms, world, blind):
    share_with_target(blind, world.snapshot)

    looked = kms.calls[-1]
    assert (looked.operation, looked.error_code) == ("DescribeKey", "AccessDeniedException")
    assert world.describe(world.snapshot)["OwnerId"] == SOURCE


def test_a_copy_under_a_customer_key_makes_a_default_key_snapshot_shareable(world):
    snapshot = world.take_snapshot(world.make_volume(Encrypted=True))
    copy = world.copy(world.source_ec2, SourceSnapshotId=snapshot, KmsKeyId=world.source_key)
    world.share(copy)

    assert world.describe(world.copy(SourceSnapshotId=copy))["State"] == "completed"


def test_an_encrypted_snapshot_cannot_be_public(world):
    with refused("OperationNotPermitted", "Encrypted snapshots cannot be shared publicly"):
        world.source_ec2.modify_snapshot_attribute(
            SnapshotId=world.snapshot, CreateVolumePermission={"Add": [{"Group": "all"}]}
        )


def test_what_the_target_sees_of_a_shared_snapshot(world):
    describe = world.target_ec2.describe_snapshots
    with refused("InvalidSnapshot.NotFound"):
        describe(SnapshotIds=[world.snapshot])
    world.share()

    seen = describe(SnapshotIds=[world.snapshot])["Snapshots"][0]
    assert (seen["OwnerId"], seen["KmsKeyId"]) == (SOURCE, world.source_key)
    for parameters, is_found in (
        ({"OwnerIds": [SOURCE]}, True),
        ({"RestorableByUserIds": ["self"]}, True),
        ({"RestorableByUserIds": [TARGET]}, True),
        ({"OwnerIds": ["self"]}, False),
        ({"RestorableByUserIds": [SOURCE]}, False),
    ):
        assert bool(describe(**parameters)["Snapshots"]) is is_found, parameters


@pytest.mark.parametrize("operation", ["delete", "share", "see who shares it", "reset"])
def test_the_target_cannot_change_a_shared_snapshot(world, operation):
    world.share()
    ec2, name = world.target_ec2, world.snapshot
    attribute = {"SnapshotId": name, "Attribute": "createVolumePermission"}
    act = {
        "delete": lambda: ec2.delete_snapshot(SnapshotId=name),
        "share": lambda: ec2.modify_snapshot_attribute(
            SnapshotId=name, CreateVolumePermission={"Add": [{"UserId": "777788889999"}]}
        ),
        "see who shares it": lambda: ec2.describe_snapshot_attribute(**attribute),
        "reset": lambda: ec2.reset_snapshot_attribute(**attribute),
    }[operation]

    with refused("InvalidSnapshot.NotFound", f"The snapshot '{name}' does not exist."):
        act()


def test_each_account_has_tags_of_its_own_on_a_shared_snapshot(world):
    world.share()
    world.source_ec2.create_tags(Resources=[world.snapshot], Tags=[{"Key": "a", "Value": "1"}])
    world.target_ec2.create_tags(Resources=[world.snapshot], Tags=[{"Key": "b", "Value": "2"}])

    assert world.describe(world.snapshot)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert world.describe(world.snapshot, world.source_ec2)["Tags"] == [{"Key": "a", "Value": "1"}]
