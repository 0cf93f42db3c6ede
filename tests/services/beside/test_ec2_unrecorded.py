"""Volumes and snapshots that moto stored without the mock."""

from __future__ import annotations

import pytest
from moto import mock_aws

from kmsmock import mock_kms
from tests.services.beside.test_ec2_instances import ATTACHED, device, grants, operations


@pytest.fixture
def ec2(kms):
    return kms.client("ec2")


@pytest.fixture
def unrecorded(kms, ec2, key):
    """A volume, its snapshot and an instance with another volume, which the mock forgets."""
    checkpoint = kms.checkpoint()
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId=key)[
        "VolumeId"
    ]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    image = ec2.register_image(Name="plain")["ImageId"]
    (instance,) = ec2.run_instances(
        ImageId=image,
        MinCount=1,
        MaxCount=1,
        BlockDeviceMappings=[device(Encrypted=True, KmsKeyId=key)],
    )["Instances"]
    kms.restore(checkpoint)
    assert grants(kms, key) == []
    return volume, snapshot, instance["InstanceId"]


def test_a_volume_that_was_created_unrecorded_needs_its_key(kms, ec2, unrecorded, key):
    volume, _, instance = unrecorded
    (seen,) = ec2.describe_volumes(VolumeIds=[volume])["Volumes"]
    assert (seen["Encrypted"], seen["KmsKeyId"]) == (True, key)
    before = len(kms.calls)
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    assert operations(kms, before) == ATTACHED
    assert kms.ebs.why(volume) is None


def test_a_snapshot_that_was_taken_unrecorded_needs_its_key(kms, ec2, unrecorded, key):
    _, snapshot, _ = unrecorded
    before = len(kms.calls)
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)["VolumeId"]
    assert operations(kms, before) == ["ReEncrypt"]
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["KmsKeyId"] == key
    kms.client().disable_key(KeyId=key)
    copy = ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)["SnapshotId"]
    (seen,) = ec2.describe_snapshots(SnapshotIds=[copy])["Snapshots"]
    assert seen["State"] == "error"


def test_an_instance_that_was_launched_unrecorded_needs_the_key_to_start(kms, ec2, unrecorded, key):
    _, _, instance = unrecorded
    ec2.stop_instances(InstanceIds=[instance])
    kms.client().disable_key(KeyId=key)
    ec2.start_instances(InstanceIds=[instance])
    (found,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert found["State"]["Name"] == "stopped"
    kms.client().enable_key(KeyId=key)
    ec2.start_instances(InstanceIds=[instance])
    assert len(grants(kms, key)) == 1
    ec2.terminate_instances(InstanceIds=[instance])
    assert grants(kms, key) == []


def test_an_image_of_an_instance_that_was_launched_unrecorded_is_encrypted(ec2, unrecorded, key):
    _, _, instance = unrecorded
    image = ec2.create_image(InstanceId=instance, Name="golden")["ImageId"]
    (mapping,) = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"]
    assert mapping["Ebs"]["Encrypted"]
    (seen,) = ec2.describe_snapshots(SnapshotIds=[mapping["Ebs"]["SnapshotId"]])["Snapshots"]
    assert seen["KmsKeyId"] == key


@pytest.mark.usefixtures("machine")
def test_encryption_by_default_is_as_moto_has_it():
    with mock_kms(isolated=True) as kms:
        other = kms.client().create_key()["KeyMetadata"]["Arn"]
        for _ in range(2):
            with mock_aws():
                ec2 = kms.client("ec2")
                made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
                assert not made["Encrypted"]
                assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"
                ec2.enable_ebs_encryption_by_default()
                ec2.modify_ebs_default_kms_key_id(KmsKeyId=other)
    with mock_aws():
        with mock_kms(isolated=True, services=["kms"]) as outside:
            outside.client("ec2").enable_ebs_encryption_by_default()
        with mock_kms(isolated=True) as kms:
            made = kms.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)
            assert made["Encrypted"]
