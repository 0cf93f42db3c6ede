"""Encryption by default, and the default key."""

from __future__ import annotations

import pytest

from tests.refusals import refused
from tests.services.ec2.world import EAST, WEST


def describe(world, volume):
    return world.source_ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]


def test_encryption_by_default_encrypts_what_is_made_from_then_on(world):
    ec2 = world.source_ec2
    before = world.make_volume()
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False

    assert ec2.enable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is True

    after = describe(world, world.make_volume(Encrypted=False))
    managed = world.source_kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
    assert (after["Encrypted"], after["KmsKeyId"]) == (True, managed)
    assert describe(world, before)["Encrypted"] is False
    assert ec2.disable_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False
    assert describe(world, world.make_volume())["Encrypted"] is False


def test_encryption_by_default_is_a_matter_of_account_and_region(world):
    world.source_ec2.enable_ebs_encryption_by_default()

    for ec2 in (world.target_ec2, world.source.client("ec2", WEST)):
        assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"] is False


@pytest.mark.parametrize("form", ["ARN", "id", "alias"])
def test_the_default_key_can_be_another(world, form):
    world.source_kms.create_alias(AliasName="alias/disks", TargetKeyId=world.source_key)
    named = {
        "ARN": world.source_key,
        "id": world.source_key.rpartition("/")[2],
        "alias": "alias/disks",
    }
    ec2 = world.source_ec2
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"

    answer = ec2.modify_ebs_default_kms_key_id(KmsKeyId=named[form])

    assert answer["KmsKeyId"] == world.source_key
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == world.source_key
    assert describe(world, world.make_volume(Encrypted=True))["KmsKeyId"] == world.source_key
    copy = world.copy(ec2, KmsKeyId=None)
    assert world.describe(copy, ec2)["KmsKeyId"] == world.source_key
    assert ec2.reset_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"


def test_a_default_key_that_is_lost_makes_volumes_vanish(kms, world):
    world.source_ec2.modify_ebs_default_kms_key_id(KmsKeyId=world.source_key)
    world.source_kms.schedule_key_deletion(KeyId=world.source_key, PendingWindowInDays=7)
    kms.clock.advance(days=8)

    volume = world.make_volume(Encrypted=True)

    assert world.source_ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == world.source_key
    assert "does not exist" in kms.ebs.why(volume)


def test_a_snapshot_under_another_default_key_can_be_shared(world):
    world.source_ec2.modify_ebs_default_kms_key_id(KmsKeyId=world.source_key)
    snapshot = world.take_snapshot(world.make_volume(Encrypted=True))
    world.share(snapshot)

    assert world.describe(world.copy(SourceSnapshotId=snapshot))["State"] == "completed"


def test_a_setting_needs_permission(world):
    nobody = world.source.role("Nobody", policies=[]).client("ec2", EAST)

    with refused("UnauthorizedOperation"):
        nobody.enable_ebs_encryption_by_default()
