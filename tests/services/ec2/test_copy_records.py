"""The records that copying and sharing leave in the trails of both accounts."""

from __future__ import annotations

import pytest

from tests.authorization.documents import allow, deny, policy
from tests.services.ec2.world import EAST, SECRET, SOURCE, TARGET, operations

BACKGROUND = f"prod.kms-caller.ebs.{EAST}.amazonaws.com"


def records(kms, before, account):
    return [r for r in kms.trail[before:] if r["recipientAccountId"] == account]


def test_a_grant_that_is_refused_shows_in_the_trail_of_the_target_alone(kms, world):
    world.limit_key()
    world.share()
    before = len(kms.trail)
    world.copy()

    grants = [r for r in records(kms, before, TARGET) if r["eventName"] == "CreateGrant"]
    made, denied = grants
    assert made["requestParameters"]["keyId"] == world.target_key
    assert denied["errorCode"] == "AccessDenied"
    assert denied["requestParameters"] is None
    assert "resources" not in denied
    assert denied["userIdentity"]["invokedBy"] == BACKGROUND
    assert records(kms, before, SOURCE) == []


def test_the_background_still_has_the_session_of_the_role_that_copies(kms, world):
    world.share()
    role = world.target.role("Copier", policies=[policy(allow(["ec2:*", "kms:*"]))])
    before = len(kms.trail)
    world.copy(role.client("ec2"))

    seen = records(kms, before, TARGET)
    sent = {"ec2-frontend-api.amazonaws.com": 3, BACKGROUND: 1}
    forwarded = [r["userIdentity"] for r in seen if r["userIdentity"]["type"] == "AssumedRole"]
    assert [identity["invokedBy"] for identity in forwarded] == [
        name for name, times in sent.items() for _ in range(times)
    ]
    for identity in forwarded:
        attributes = identity["sessionContext"]["attributes"]
        assert attributes["mfaAuthenticated"] == "false"
        assert attributes["creationDate"].endswith("Z")
        assert identity["sessionContext"]["sessionIssuer"]["userName"] == "Copier"
    background = seen[3]
    assert background["eventName"] == "CreateGrant"
    assert background["sourceIPAddress"] == background["userAgent"] == BACKGROUND


def test_sharing_looks_at_the_default_key_in_the_trail_of_the_source(kms, world):
    before = len(kms.trail)
    world.share()

    (record,) = kms.trail[before:]
    assert (record["eventName"], record["recipientAccountId"]) == ("DescribeKey", SOURCE)
    assert record["requestParameters"] == {"keyId": "alias/aws/ebs"}
    assert record["userIdentity"]["invokedBy"] == "ec2-frontend-api.amazonaws.com"


def test_an_own_snapshot_is_copied_under_the_same_key(kms, world):
    before = len(kms.calls)
    copy = world.copy(world.source_ec2, KmsKeyId=world.source_key)

    assert world.describe(copy, world.source_ec2)["KmsKeyId"] == world.source_key
    assert {call.key_arn for call in kms.calls[before:]} == {world.source_key}
    assert operations(kms.calls[before:]) == [
        *("DescribeKey", "GenerateDataKeyWithoutPlaintext", "CreateGrant", "CreateGrant"),
        *("Decrypt", "Decrypt", "RetireGrant", "RetireGrant"),
    ]
    assert kms.ebs.read(copy, 0, len(SECRET)) == SECRET


@pytest.mark.parametrize("action", ["ec2:DescribeSnapshots", "ebs:*"])
def test_a_copy_needs_neither_to_see_nor_to_read_snapshots(world, action):
    world.share()
    statements = allow(["ec2:*", "kms:*"]), deny(action)
    caller = world.target.role("Copier", policies=[policy(*statements)])

    assert world.describe(world.copy(caller.client("ec2")))["State"] == "completed"
