"""CopySnapshot: the key of the copy, and who may copy."""

from __future__ import annotations

import boto3
import pytest

from tests.authorization.documents import allow, deny, policy, to
from tests.refusals import refused
from tests.services.ec2.world import EAST, SECRET, WEST, World


def key_named(kms_client, alias):
    return kms_client.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]


# --- the key of the copy ---------------------------------------------------------------------


@pytest.mark.parametrize("encrypted", [None, True, False])
def test_an_encrypted_snapshot_is_copied_under_the_default_key_and_not_its_own(world, encrypted):
    copy = world.copy(world.source_ec2, KmsKeyId=None, Encrypted=encrypted)

    seen = world.describe(copy, world.source_ec2)
    assert seen["Encrypted"] is True
    assert seen["KmsKeyId"] == key_named(world.source_kms, "alias/aws/ebs") != world.source_key


def test_a_copy_without_a_key_makes_the_aws_managed_key_of_the_target(kms, world):
    world.share()
    assert world.target_kms.list_keys()["Keys"] == [
        {"KeyId": world.target_key.rpartition("/")[2], "KeyArn": world.target_key}
    ]

    copy = world.copy(KmsKeyId=None, Encrypted=None)

    assert world.describe(copy)["KmsKeyId"] == key_named(world.target_kms, "alias/aws/ebs")
    assert kms.ebs.read(copy, 0, len(SECRET)) == SECRET


def test_a_copy_to_another_region_needs_no_key(kms):
    world = World(kms, target_region=WEST)
    world.share()

    copy = world.copy(KmsKeyId=None, Encrypted=None)

    seen = world.describe(copy)
    assert (seen["State"], seen["KmsKeyId"].split(":")[3]) == ("completed", WEST)


def test_a_copy_without_a_key_is_under_the_default_key_that_the_target_has_chosen(world):
    world.share()
    world.target_ec2.modify_ebs_default_kms_key_id(KmsKeyId=world.target_key)

    assert world.describe(world.copy(KmsKeyId=None))["KmsKeyId"] == world.target_key


@pytest.mark.parametrize("form", ["id", "ARN", "alias", "alias ARN"])
def test_the_copy_shows_the_arn_however_its_key_was_named(world, form):
    world.target_kms.create_alias(AliasName="alias/copies", TargetKeyId=world.target_key)
    names = {
        "id": world.target_key.rpartition("/")[2],
        "ARN": world.target_key,
        "alias": "alias/copies",
        "alias ARN": f"arn:aws:kms:{EAST}:444455556666:alias/copies",
    }
    world.share()

    assert world.describe(world.copy(KmsKeyId=names[form]))["KmsKeyId"] == world.target_key


@pytest.mark.parametrize(
    ("parameters", "by_default", "key"),
    [
        ({}, False, None),
        ({"Encrypted": False}, False, None),
        ({}, True, "alias/aws/ebs"),
        ({"Encrypted": True}, False, "alias/aws/ebs"),
        ({"Encrypted": True, "KmsKeyId": "alias/own"}, False, "alias/own"),
    ],
)
def test_the_key_of_a_copy_of_what_is_not_encrypted(kms, world, parameters, by_default, key):
    world.source_kms.create_alias(AliasName="alias/own", TargetKeyId=world.source_key)
    plain = world.make_volume()
    if by_default:
        world.source_ec2.enable_ebs_encryption_by_default()
    kms.ebs.write(plain, 700, SECRET)
    before = len(kms.calls)

    copy = world.source_ec2.copy_snapshot(
        SourceRegion=EAST, SourceSnapshotId=world.take_snapshot(plain), **parameters
    )["SnapshotId"]

    assert len(kms.calls[before:]) == (0 if key is None else 5)
    seen = world.describe(copy, world.source_ec2)
    assert seen["Encrypted"] is (key is not None)
    assert seen.get("KmsKeyId") == (key and key_named(world.source_kms, key))
    assert kms.ebs.read(copy, 700, len(SECRET)) == SECRET


def test_nothing_of_the_source_but_its_contents_is_copied(world):
    world.source_ec2.create_tags(Resources=[world.snapshot], Tags=[{"Key": "a", "Value": "1"}])
    world.share()

    answer = world.target_ec2.copy_snapshot(
        SourceRegion=EAST,
        SourceSnapshotId=world.snapshot,
        TagSpecifications=[
            {"ResourceType": "snapshot", "Tags": [{"Key": "b", "Value": "2"}]},
        ],
    )

    assert answer["Tags"] == [{"Key": "b", "Value": "2"}]
    seen = world.describe(answer["SnapshotId"])
    assert seen["Tags"] == answer["Tags"]
    assert (seen["Description"], seen["VolumeId"]) == ("", "vol-ffffffff")
    permissions = world.target_ec2.describe_snapshot_attribute(
        SnapshotId=answer["SnapshotId"], Attribute="createVolumePermission"
    )
    assert permissions["CreateVolumePermissions"] == []


# --- who may ---------------------------------------------------------------------------------


@pytest.mark.parametrize("denied", ["source", "copy", "tags"])
def test_the_identity_policy_must_allow_source_and_copy_and_tags(world, denied):
    world.share()
    source = f"arn:aws:ec2:{EAST}::snapshot/{world.snapshot}"
    action, resource, statements = {
        "source": ("CopySnapshot", source, [allow("ec2:*"), deny("ec2:*", source)]),
        "copy": (
            "CopySnapshot",
            f"arn:aws:ec2:{EAST}::snapshot/*",
            [allow("ec2:CopySnapshot", source)],
        ),
        "tags": (
            "CreateTags",
            f"arn:aws:ec2:{EAST}::snapshot/*",
            [allow("ec2:CopySnapshot")],
        ),
    }[denied]
    caller = world.target.role("Copier", policies=[policy(allow("kms:*"), *statements)])
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "1"}]}]

    with refused("UnauthorizedOperation") as caught:
        world.copy(caller.client("ec2"), TagSpecifications=tags)

    assert caught.value.response["Error"]["Message"].startswith(
        "You are not authorized to perform this operation. User: "
        "arn:aws:sts::444455556666:assumed-role/Copier/session is not authorized to perform: "
        f"ec2:{action} on resource: {resource} "
    )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_tags_may_be_allowed_for_copies_alone(world):
    world.share()
    while_copying = {"StringEquals": {"ec2:CreateAction": "CopySnapshot"}}
    statements = (
        allow(["ec2:CopySnapshot", "kms:*"]),
        allow("ec2:CreateTags", Condition=while_copying),
    )
    caller = world.target.role("Copier", policies=[policy(*statements)]).client("ec2")
    tags = [{"Key": "a", "Value": "1"}]

    copy = world.copy(caller, TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}])

    with refused("UnauthorizedOperation"):
        caller.create_tags(Resources=[copy], Tags=tags)


def test_a_key_policy_can_ask_for_grants_through_ec2_for_aws_resources_alone(world):
    through = {
        "StringEquals": {"kms:ViaService": f"ec2.{EAST}.amazonaws.com"},
        "Bool": {"kms:GrantIsForAWSResource": "true"},
    }
    document = policy(
        allow("kms:*", **to("arn:aws:iam::111122223333:root")),
        allow("kms:CreateGrant", **to("arn:aws:iam::444455556666:root"), Condition=through),
    )
    world.source_kms.put_key_policy(KeyId=world.source_key, PolicyName="default", Policy=document)
    world.share()

    assert world.describe(world.copy())["State"] == "completed"


def test_a_client_without_credentials_copies_too(kms, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    ec2 = boto3.client("ec2", WEST)

    copy = ec2.copy_snapshot(SourceRegion=EAST, SourceSnapshotId="snap-0123456789abcdef0")

    assert kms.ebs.why(copy["SnapshotId"]).startswith("Source snapshot is not found")
