"""EBS while moto answers EC2: what it does with KMS is done all the same."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from kmsmock import mock_kms
from tests.services.beside.conftest import ACCOUNT


@pytest.fixture
def ec2(kms):
    return kms.client("ec2")


@pytest.fixture
def volume(ec2, key):
    """A volume under the customer managed key: its id."""
    given = {"Encrypted": True, "KmsKeyId": key}
    return ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, **given)["VolumeId"]


@pytest.fixture
def image(ec2, volume):
    """An image of a snapshot of the volume: its id."""
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    device = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot}}
    return ec2.register_image(Name="one", RootDeviceName="/dev/sda1", BlockDeviceMappings=[device])[
        "ImageId"
    ]


@pytest.fixture
def instance(ec2):
    """An instance: its id."""
    any_image = ec2.register_image(Name="any")["ImageId"]
    launched = ec2.run_instances(ImageId=any_image, MinCount=1, MaxCount=1)
    return launched["Instances"][0]["InstanceId"]


@pytest.fixture
def other(kms):
    """A second customer managed key: its ARN."""
    return kms.client().create_key()["KeyMetadata"]["Arn"]


def operations(kms, since=0):
    return [call.operation for call in kms.calls[since:]]


def deny(kms, key, action):
    """Deny an action to everybody in a key policy."""
    policy = json.loads(kms.client().get_key_policy(KeyId=key)["Policy"])
    denial = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    policy["Statement"].append(denial)
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))


def test_an_encrypted_volume_has_a_data_key_and_a_grant(kms, ec2, volume, key):
    assert operations(kms, 1) == [
        *("GenerateDataKeyWithoutPlaintext", "CreateGrant", "Decrypt", "RetireGrant"),
    ]
    assert kms.calls[1].encryption_context == {"aws:ebs:id": volume}
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["KmsKeyId"] == key


def test_a_volume_without_encryption_makes_no_calls(kms, ec2):
    ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    assert operations(kms) == []


def test_a_volume_whose_key_cannot_be_used_is_there_no_more(kms, ec2, key):
    kms.client().disable_key(KeyId=key)
    volume_id = ec2.create_volume(
        AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId=key
    )["VolumeId"]
    with pytest.raises(ClientError, match=r"InvalidVolume\.NotFound"):
        ec2.describe_volumes(VolumeIds=[volume_id])
    assert volume_id not in [v["VolumeId"] for v in ec2.describe_volumes()["Volumes"]]


def test_a_copy_is_under_a_key_of_its_own(kms, ec2, volume, other):
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    before = len(kms.calls)
    copy = ec2.copy_snapshot(
        SourceRegion="us-east-1", SourceSnapshotId=snapshot, Encrypted=True, KmsKeyId=other
    )["SnapshotId"]
    assert operations(kms, before) == [
        *("DescribeKey", "GenerateDataKeyWithoutPlaintext", "CreateGrant", "CreateGrant"),
        *("Decrypt", "Decrypt", "RetireGrant", "RetireGrant"),
    ]
    described = ec2.describe_snapshots(SnapshotIds=[copy])["Snapshots"][0]
    assert (described["State"], described["KmsKeyId"]) == ("completed", other)


def test_a_copy_without_the_key_of_its_source_is_in_state_error(kms, ec2, volume, key, other):
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    deny(kms, key, "kms:CreateGrant")
    copy = ec2.copy_snapshot(
        SourceRegion="us-east-1", SourceSnapshotId=snapshot, Encrypted=True, KmsKeyId=other
    )["SnapshotId"]
    described = ec2.describe_snapshots(SnapshotIds=[copy])["Snapshots"][0]
    assert described["State"] == "error"
    assert described["StateMessage"] == "Given key ID is not accessible"


def test_a_copy_under_a_disabled_key_is_refused_at_once(kms, ec2, volume, other):
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    kms.client().disable_key(KeyId=other)
    with pytest.raises(ClientError, match=r"The specified keyId .* is disabled"):
        ec2.copy_snapshot(
            SourceRegion="us-east-1", SourceSnapshotId=snapshot, Encrypted=True, KmsKeyId=other
        )


@pytest.mark.parametrize(
    ("shared_with", "words"),
    [
        (
            {"UserIds": ["444455556666"]},
            "Encrypted snapshots with EBS default key cannot be shared",
        ),
        ({"GroupNames": ["all"]}, "Encrypted snapshots cannot be shared publicly"),
    ],
    ids=["another account", "everybody"],
)
def test_a_snapshot_under_the_managed_key_cannot_be_shared(ec2, shared_with, words):
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    with pytest.raises(ClientError) as caught:
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot,
            Attribute="createVolumePermission",
            OperationType="add",
            **shared_with,
        )
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("OperationNotPermitted", words)


def test_a_snapshot_under_an_own_key_can_be_shared(ec2, volume):
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot,
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=["444455556666"],
    )


def test_a_snapshot_has_the_key_of_its_volume(kms, ec2, volume, key):
    before = len(kms.calls)
    snapshot = ec2.create_snapshot(VolumeId=volume)
    assert snapshot["Encrypted"]
    assert "KmsKeyId" not in snapshot
    described = ec2.describe_snapshots(SnapshotIds=[snapshot["SnapshotId"]])["Snapshots"][0]
    assert (described["Encrypted"], described["KmsKeyId"]) == (True, key)
    assert operations(kms, before) == []


def test_volumes_are_encrypted_by_default_under_the_default_key(ec2, other):
    ec2.enable_ebs_encryption_by_default()
    assert ec2.modify_ebs_default_kms_key_id(KmsKeyId=other)["KmsKeyId"] == other
    assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == other
    created = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)
    assert created["Encrypted"]
    described = ec2.describe_volumes(VolumeIds=[created["VolumeId"]])["Volumes"][0]
    assert (described["Encrypted"], described["KmsKeyId"]) == (True, other)
    assert ec2.reset_ebs_default_kms_key_id()["KmsKeyId"] == "alias/aws/ebs"


def test_an_attached_volume_gives_its_instance_a_grant_until_it_is_detached(
    kms, ec2, volume, key, instance
):
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    (grant,) = kms.client().list_grants(KeyId=key)["Grants"]
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/aws:ec2-infrastructure"
    assert grant["GranteePrincipal"] == f"{role}/{instance}"
    assert grant["Constraints"] == {"EncryptionContextSubset": {"aws:ebs:id": volume}}

    ec2.detach_volume(VolumeId=volume, InstanceId=instance)
    assert kms.client().list_grants(KeyId=key)["Grants"] == []


def test_a_volume_whose_key_an_instance_cannot_use_is_available_again(
    kms, ec2, volume, key, instance
):
    kms.client().disable_key(KeyId=key)
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    described = ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
    assert (described["State"], described["Attachments"]) == ("available", [])
    assert f"could not be attached to {instance}" in kms.ebs.why(volume)

    kms.client().enable_key(KeyId=key)
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "in-use"
    assert kms.ebs.why(volume) is None


def test_keys_of_volumes_come_back_with_a_checkpoint(kms, ec2, volume, key, instance):
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    checkpoint = kms.checkpoint()
    ec2.detach_volume(VolumeId=volume, InstanceId=instance)
    kms.restore(checkpoint)

    assert len(kms.client().list_grants(KeyId=key)["Grants"]) == 1
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["KmsKeyId"] == key


def test_a_copied_image_has_its_snapshot_under_the_key_of_the_copy(ec2, image, other):
    copy = ec2.copy_image(
        Name="two", SourceRegion="us-east-1", SourceImageId=image, Encrypted=True, KmsKeyId=other
    )["ImageId"]
    (device,) = ec2.describe_images(ImageIds=[copy])["Images"][0]["BlockDeviceMappings"]
    assert device["Ebs"]["Encrypted"]
    snapshot = device["Ebs"]["SnapshotId"]
    described = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
    assert (described["Encrypted"], described["KmsKeyId"]) == (True, other)


def test_an_image_that_is_copied_without_its_key_has_failed(kms, ec2, image, key, other):
    deny(kms, key, "kms:CreateGrant")
    copy = ec2.copy_image(
        Name="two", SourceRegion="us-east-1", SourceImageId=image, Encrypted=True, KmsKeyId=other
    )["ImageId"]
    described = ec2.describe_images(ImageIds=[copy])["Images"][0]
    assert described["State"] == "failed"
    assert described["StateReason"]["Message"] == (
        "AMI snapshot copy failed with error: Given key ID is not accessible. You must have "
        "DescribeKey permissions on the default CMK"
    )
    assert "kms:CreateGrant was refused" in kms.ebs.why(copy)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("copy_snapshot", {"SourceSnapshotId": "", "SourceRegion": "us-east-1"}),
        ("modify_snapshot_attribute", {"SnapshotId": "", "OperationType": "add"}),
        ("copy_volumes", {"SourceVolumeId": "vol-0123456789abcdef0"}),
    ],
    ids=["CopySnapshot", "ModifySnapshotAttribute", "CopyVolumes"],
)
def test_a_dry_run_ends_before_a_key_is_looked_at(kms, ec2, volume, operation, parameters):
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    before = len(kms.calls)
    given = {name: value or snapshot for name, value in parameters.items()}
    if not hasattr(ec2, operation):
        pytest.skip("this botocore does not have the operation")
    with pytest.raises(ClientError, match="DryRunOperation"):
        getattr(ec2, operation)(DryRun=True, **given)
    assert operations(kms, before) == []


@pytest.mark.usefixtures("machine")
def test_a_volume_of_a_snapshot_under_an_unknown_key_comes_with_a_warning():
    client = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    made_up = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    with mock_aws():
        ec2 = boto3.client("ec2", "us-east-1", **client)
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        source = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        snapshot = ec2.copy_snapshot(
            SourceRegion="us-east-1", SourceSnapshotId=source, KmsKeyId=made_up
        )["SnapshotId"]
        with (
            mock_kms(isolated=True) as kms,
            pytest.warns(UserWarning, match=f"The snapshot {snapshot} is encrypted"),
        ):
            ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)
        assert operations(kms) == []


@pytest.mark.usefixtures("machine")
def test_what_was_made_before_the_mock_is_under_the_managed_key():
    client = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    with mock_aws():
        ec2 = boto3.client("ec2", "us-east-1", **client)
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
        snapshot = ec2.create_snapshot(VolumeId=volume["VolumeId"])["SnapshotId"]
        with mock_kms(isolated=True) as kms:
            made = ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)
            managed = kms.client().describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
            assert made["KmsKeyId"] == managed
            assert "ReEncrypt" in operations(kms)


def test_contents_that_moto_does_not_store_cannot_be_read(kms, volume):
    for act in (lambda: kms.ebs.write(volume, 0, b"text"), lambda: kms.ebs.read(volume, 0, 4)):
        with pytest.raises(ValueError, match=r"moto stores .* contents only without it"):
            act()
