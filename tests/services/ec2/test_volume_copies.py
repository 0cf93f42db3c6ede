"""Copies of volumes."""

from __future__ import annotations

import pytest

from tests.models import has_operation
from tests.refusals import refused
from tests.services.ec2.world import SECRET, operations

if not has_operation("ec2", "CopyVolumes"):
    pytest.skip("this botocore does not have CopyVolumes", allow_module_level=True)


def copy(world, volume=None, **parameters):
    (made,) = world.source_ec2.copy_volumes(SourceVolumeId=volume or world.volume, **parameters)[
        "Volumes"
    ]
    return made


def describe(world, volume):
    return world.source_ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]


@pytest.mark.parametrize("asked", [{}, {"Encrypted": False}, {"Encrypted": True}])
def test_a_copy_of_an_encrypted_volume_has_its_key_and_contents(kms, world, asked):
    before = len(kms.calls)
    made = copy(world, **asked)

    assert made["SourceVolumeId"] == world.volume
    seen = describe(world, made["VolumeId"])
    assert (seen["Encrypted"], seen["KmsKeyId"]) == (True, world.source_key)
    assert kms.ebs.read(made["VolumeId"], 0, len(SECRET)) == SECRET
    assert operations(kms.calls[before:]) == ["ReEncrypt"]
    kms.ebs.write(made["VolumeId"], 0, b"changed")
    assert kms.ebs.read(world.volume, 0, len(SECRET)) == SECRET


def test_a_copy_can_have_another_key(kms, world):
    key = world.source_kms.create_key()["KeyMetadata"]["Arn"]
    before = len(kms.calls)
    made = copy(world, Encrypted=True, KmsKeyId=key)["VolumeId"]

    assert describe(world, made)["KmsKeyId"] == key
    assert operations(kms.calls[before:]) == [
        *("ReEncrypt", "GenerateDataKeyWithoutPlaintext", "CreateGrant"),
        *("Decrypt", "Decrypt", "RetireGrant"),
    ]
    assert kms.ebs.read(made, 0, len(SECRET)) == SECRET


def test_a_copy_of_a_plain_volume_can_be_encrypted(world):
    plain = world.make_volume()
    assert not describe(world, copy(world, plain)["VolumeId"])["Encrypted"]

    made = copy(world, plain, Encrypted=True, KmsKeyId=world.source_key)["VolumeId"]
    assert describe(world, made)["KmsKeyId"] == world.source_key
    world.source_ec2.enable_ebs_encryption_by_default()
    assert describe(world, copy(world, plain)["VolumeId"])["Encrypted"]


def test_a_copy_without_the_key_vanishes(kms, world):
    world.source_kms.disable_key(KeyId=world.source_key)
    made = copy(world)["VolumeId"]

    with refused("InvalidVolume.NotFound"):
        describe(world, made)
    assert "kms:ReEncrypt" in kms.ebs.why(made)


def test_a_copy_has_the_requested_size_type_and_tags(world):
    tags = [{"Key": "Name", "Value": "copy"}]
    made = copy(
        world,
        Size=5,
        VolumeType="gp3",
        TagSpecifications=[{"ResourceType": "volume", "Tags": tags}],
    )
    assert (made["Size"], made["VolumeType"], made["Tags"]) == (5, "gp3", tags)
    assert made["AvailabilityZone"] == describe(world, world.volume)["AvailabilityZone"]
    listed = world.source_ec2.describe_volumes(
        Filters=[{"Name": "source-volume-id", "Values": [world.volume]}]
    )["Volumes"]
    assert [each["VolumeId"] for each in listed] == [made["VolumeId"]]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"SourceVolumeId": "vol-0123456789abcdef0"}, "InvalidVolume.NotFound"),
        ({"SourceVolumeId": "nonsense"}, "InvalidVolumeID.Malformed"),
        ({"KmsKeyId": "alias/aws/ebs"}, "InvalidParameterDependency"),
        ({"Size": 0}, "InvalidParameterValue"),
    ],
    ids=["no such volume", "malformed", "a key without Encrypted", "smaller"],
)
def test_copies_that_are_refused(world, parameters, code):
    with refused(code):
        world.source_ec2.copy_volumes(**{"SourceVolumeId": world.volume, **parameters})
