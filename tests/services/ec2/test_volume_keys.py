"""The keys of volumes: which it is, and what CreateVolume does with it."""

from __future__ import annotations

import pytest

from tests.authorization.documents import allow, deny, policy
from tests.services.ec2.world import EAST, SECRET, operations, request_members

#: The calls for a volume from a snapshot whose data key it cannot have.
WITH_A_NEW_DATA_KEY = [
    *("ReEncrypt", "GenerateDataKeyWithoutPlaintext", "CreateGrant"),
    *("Decrypt", "Decrypt", "RetireGrant"),
]
#: The calls for a volume whose contents come from nothing that is encrypted.
OF_A_NEW_VOLUME = ["GenerateDataKeyWithoutPlaintext", "CreateGrant", "Decrypt", "RetireGrant"]


def describe(ec2, volume):
    return ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]


# --- calls of KMS ----------------------------------------------------------------------------


def test_the_kms_calls_of_a_new_volume(kms, world):
    before = len(kms.calls)
    volume = world.make_volume(Encrypted=True, KmsKeyId=world.source_key)

    made, grant, opened, retired = kms.calls[before:]
    context = {"aws:ebs:id": volume}
    assert operations((made, grant, opened, retired)) == OF_A_NEW_VOLUME
    assert request_members(made)["NumberOfBytes"] == 64
    assert made.encryption_context == opened.encryption_context == context
    assert request_members(grant)["Constraints"] == {"EncryptionContextSubset": context}
    assert request_members(grant)["Operations"] == ["Decrypt"]
    assert made.caller == grant.caller == world.source.administrator.arn
    assert opened.caller == retired.caller == f"ec2.{EAST}.amazonaws.com"


def test_a_volume_from_an_own_snapshot_takes_a_single_call(kms, world):
    before = len(kms.calls)
    volume = world.make_volume(SnapshotId=world.snapshot)

    (call,) = kms.calls[before:]
    assert call.operation == "ReEncrypt"
    assert request_members(call)["SourceEncryptionContext"] == {"aws:ebs:id": world.volume}
    assert request_members(call)["DestinationEncryptionContext"] == {"aws:ebs:id": volume}
    assert kms.ebs.read(volume, 0, len(SECRET)) == SECRET


def test_a_volume_from_a_shared_snapshot_gets_a_data_key_of_its_own(kms, world):
    world.share()
    before = len(kms.calls)
    volume = world.make_volume(world.target_ec2, SnapshotId=world.snapshot)

    calls = kms.calls[before:]
    assert operations(calls) == WITH_A_NEW_DATA_KEY
    re_encrypted, made, grant, *opened, retired = calls
    context = {"aws:ebs:id": volume}
    assert request_members(re_encrypted)["SourceEncryptionContext"] == {"aws:ebs:id": world.volume}
    assert request_members(re_encrypted)["DestinationEncryptionContext"] == context
    assert [call.encryption_context for call in (made, *opened)] == [context] * 3
    assert request_members(grant)["Constraints"] == {"EncryptionContextSubset": context}
    administrator, service = world.target.administrator.arn, f"ec2.{EAST}.amazonaws.com"
    assert [call.caller for call in (re_encrypted, made, grant)] == [administrator] * 3
    assert [call.caller for call in (*opened, retired)] == [service] * 3
    assert {call.key_arn for call in (made, grant, *opened, retired)} == {
        describe(world.target_ec2, volume)["KmsKeyId"]
    }
    assert kms.ebs.read(volume, 0, len(SECRET)) == SECRET


def test_the_trail_shows_who_opens_and_ends_what_a_volume_was_given(kms, world):
    world.share()
    before = len(kms.trail)
    world.make_volume(
        world.target_ec2, SnapshotId=world.snapshot, Encrypted=True, KmsKeyId=world.target_key
    )
    world.target_ec2.describe_volumes()

    by_services = [
        (record["eventName"], record["userIdentity"]["invokedBy"], record["requestParameters"])
        for record in kms.trail[before:]
        if record["userIdentity"]["type"] == "AWSService"
    ]
    opened = [parameters for name, by, parameters in by_services if name == "Decrypt"]
    assert {name: by for name, by, _ in by_services} == {
        "Decrypt": "ebs.amazonaws.com",
        "RetireGrant": "AWS Internal",
    }
    assert len(opened) == 2
    assert all("keyId" not in parameters for parameters in opened)


def test_a_volume_from_an_own_snapshot_under_another_key_gets_a_data_key_of_its_own(kms, world):
    other = world.source_kms.create_key()["KeyMetadata"]["Arn"]
    before = len(kms.calls)
    volume = world.make_volume(SnapshotId=world.snapshot, Encrypted=True, KmsKeyId=other)

    assert operations(kms.calls[before:]) == WITH_A_NEW_DATA_KEY
    assert describe(world.source_ec2, volume)["KmsKeyId"] == other
    assert kms.ebs.read(volume, 0, len(SECRET)) == SECRET


def test_a_snapshot_needs_no_permission_of_kms(kms, world):
    statements = allow("ec2:*"), deny("kms:*")
    caller = world.source.role("Keeper", policies=[policy(*statements)]).client("ec2")
    before = len(kms.calls)

    snapshot = caller.create_snapshot(VolumeId=world.volume)["SnapshotId"]

    assert world.describe(snapshot, world.source_ec2)["State"] == "completed"
    assert kms.calls[before:] == []


# --- which key -------------------------------------------------------------------------------

KEYS = {
    "nothing asked": ({}, None),
    "encrypted": ({"Encrypted": True}, "alias/aws/ebs"),
    "encrypted with a key": ({"Encrypted": True, "KmsKeyId": "alias/own"}, "alias/own"),
    "own snapshot": ({"SnapshotId": "own"}, "alias/source"),
    "own snapshot, encrypted": ({"SnapshotId": "own", "Encrypted": True}, "alias/source"),
    "own snapshot with a key": (
        {"SnapshotId": "own", "Encrypted": True, "KmsKeyId": "alias/own"},
        "alias/own",
    ),
}


@pytest.mark.parametrize("case", KEYS)
def test_the_key_of_a_volume(world, case):
    parameters, alias = KEYS[case]
    own = world.source_kms.create_key()["KeyMetadata"]["KeyId"]
    for name, key in (("alias/own", own), ("alias/source", world.source_key)):
        world.source_kms.create_alias(AliasName=name, TargetKeyId=key)
    if "SnapshotId" in parameters:
        parameters = {**parameters, "SnapshotId": world.snapshot}

    volume = describe(world.source_ec2, world.make_volume(**parameters))

    assert volume["Encrypted"] is (alias is not None)
    expected = alias and world.source_kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
    assert volume.get("KmsKeyId") == expected


def test_a_volume_from_a_shared_snapshot_is_under_the_default_key(world):
    world.share()

    volume = describe(
        world.target_ec2, world.make_volume(world.target_ec2, SnapshotId=world.snapshot)
    )

    own = world.target_kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
    assert volume["KmsKeyId"] == own


def test_a_volume_from_a_shared_snapshot_is_under_the_default_key_that_the_target_has_chosen(world):
    world.share()
    world.target_ec2.modify_ebs_default_kms_key_id(KmsKeyId=world.target_key)

    volume = describe(
        world.target_ec2, world.make_volume(world.target_ec2, SnapshotId=world.snapshot)
    )

    assert volume["KmsKeyId"] == world.target_key


FROM_PLAIN = {
    "nothing asked": ({}, None),
    "encrypted": ({"Encrypted": True}, "alias/aws/ebs"),
    "encrypted with a key": ({"Encrypted": True, "KmsKeyId": "alias/own"}, "alias/own"),
}


@pytest.mark.parametrize("case", FROM_PLAIN)
def test_the_key_of_a_volume_from_a_snapshot_that_is_not_encrypted(kms, world, case):
    parameters, alias = FROM_PLAIN[case]
    world.source_kms.create_alias(AliasName="alias/own", TargetKeyId=world.source_key)
    plain = world.make_volume()
    kms.ebs.write(plain, 700, SECRET)
    snapshot = world.take_snapshot(plain)
    before = len(kms.calls)

    volume = world.make_volume(SnapshotId=snapshot, **parameters)

    assert operations(kms.calls[before:]) == (OF_A_NEW_VOLUME if alias else [])
    seen = describe(world.source_ec2, volume)
    assert seen["Encrypted"] is (alias is not None)
    assert seen.get("KmsKeyId") == (
        alias and world.source_kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
    )
    assert kms.ebs.read(volume, 700, len(SECRET)) == SECRET


def test_the_answer_shows_an_inherited_key_that_is_the_default_key_as_well(world):
    world.source_ec2.modify_ebs_default_kms_key_id(KmsKeyId=world.source_key)
    create, where = world.source_ec2.create_volume, {"AvailabilityZone": f"{EAST}a"}

    assert create(**where, SnapshotId=world.snapshot)["KmsKeyId"] == world.source_key
    assert "KmsKeyId" not in create(**where, Size=1, Encrypted=True)


def test_the_answer_shows_no_key_that_is_chosen_later(world):
    create = world.source_ec2.create_volume
    where = {"AvailabilityZone": f"{EAST}a"}

    assert "KmsKeyId" not in create(**where, Size=1, Encrypted=True)
    assert create(**where, SnapshotId=world.snapshot)["KmsKeyId"] == world.source_key
    named = create(**where, Size=1, Encrypted=True, KmsKeyId=world.source_key)
    assert (named["State"], named["KmsKeyId"]) == ("creating", world.source_key)
