"""Volumes of instances while moto answers EC2, and filters by what moto does not know."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT

REASON = "Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state"
MADE = ["GenerateDataKeyWithoutPlaintext", "CreateGrant", "Decrypt", "RetireGrant"]
ATTACHED = ["CreateGrant", "Decrypt"]


@pytest.fixture
def ec2(kms):
    return kms.client("ec2")


@pytest.fixture
def other(kms):
    return kms.client().create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def plain_image(ec2):
    return ec2.register_image(Name="plain")["ImageId"]


@pytest.fixture
def launch(ec2, plain_image):
    """Launch an instance with one device, as the parameters say; return its id and volume."""

    def launch(**parameters):
        given = {"ImageId": plain_image, "MinCount": 1, "MaxCount": 1, **parameters}
        (instance,) = ec2.run_instances(**given)["Instances"]
        mappings = instance["BlockDeviceMappings"]
        return instance["InstanceId"], mappings[0]["Ebs"]["VolumeId"]

    return launch


def device(name="/dev/sda1", **ebs):
    given = {"VolumeSize": 8, "DeleteOnTermination": True, **ebs}
    return {"DeviceName": name, "Ebs": {k: v for k, v in given.items() if v is not None}}


@pytest.fixture
def encrypted(key):
    """Block device mappings with one volume under the customer managed key."""
    return {"BlockDeviceMappings": [device(Encrypted=True, KmsKeyId=key)]}


def operations(kms, since=0):
    return [call.operation for call in kms.calls[since:]]


def volume_of(ec2, volume):
    return ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]


def instance_of(ec2, instance):
    (reservation,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    return reservation["Instances"][0]


def grants(kms, key):
    return kms.client().list_grants(KeyId=key)["Grants"]


def test_a_volume_is_created_and_attached_with_its_instance(kms, ec2, launch, encrypted, key):
    before = len(kms.calls)
    instance, volume = launch(**encrypted)
    assert operations(kms, before) == [*MADE, *ATTACHED]
    seen = volume_of(ec2, volume)
    assert (seen["Encrypted"], seen["KmsKeyId"]) == (True, key)
    (grant,) = grants(kms, key)
    assert grant["GranteePrincipal"].endswith(f"assumed-role/aws:ec2-infrastructure/{instance}")
    assert grant["Constraints"] == {"EncryptionContextSubset": {"aws:ebs:id": volume}}


def test_a_volume_without_a_key_is_under_the_managed_key(kms, ec2, launch):
    _, volume = launch(BlockDeviceMappings=[device(Encrypted=True)])
    managed = kms.client().describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]["Arn"]
    assert volume_of(ec2, volume)["KmsKeyId"] == managed


@pytest.mark.parametrize("mappings", [None, [device()]], ids=["root volume", "a device"])
def test_volumes_of_instances_are_encrypted_by_default(ec2, launch, other, mappings):
    ec2.enable_ebs_encryption_by_default()
    ec2.modify_ebs_default_kms_key_id(KmsKeyId=other)
    _, volume = launch(**({} if mappings is None else {"BlockDeviceMappings": mappings}))
    seen = volume_of(ec2, volume)
    assert (seen["Encrypted"], seen["KmsKeyId"]) == (True, other)


def test_instances_without_encryption_make_no_calls(kms, launch):
    launch()
    launch(BlockDeviceMappings=[device()])
    assert operations(kms) == []


def test_each_instance_has_a_volume_of_its_own(kms, ec2, plain_image, encrypted, key):
    ec2.run_instances(ImageId=plain_image, MinCount=2, MaxCount=2, **encrypted)
    contexts = [grant["Constraints"]["EncryptionContextSubset"] for grant in grants(kms, key)]
    assert len({context["aws:ebs:id"] for context in contexts}) == 2


@pytest.fixture
def image(ec2, key):
    """An image with a snapshot under the customer managed key."""
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId=key)[
        "VolumeId"
    ]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    return ec2.register_image(
        Name="encrypted",
        RootDeviceName="/dev/sda1",
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot}}],
    )["ImageId"]


@pytest.mark.parametrize("mapping", [False, True], ids=["root volume", "a device"])
def test_an_instance_of_an_encrypted_image_has_the_key_of_its_snapshot(
    kms, ec2, launch, image, key, mapping
):
    before = len(kms.calls)
    given = {"BlockDeviceMappings": [device()]} if mapping else {}
    _, volume = launch(ImageId=image, **given)
    assert volume_of(ec2, volume)["KmsKeyId"] == key
    assert operations(kms, before) == ["ReEncrypt", *ATTACHED]


def test_an_instance_can_have_another_key_than_its_image(ec2, launch, image, other):
    mapping = device(Encrypted=True, KmsKeyId=other)
    _, volume = launch(ImageId=image, BlockDeviceMappings=[mapping])
    assert volume_of(ec2, volume)["KmsKeyId"] == other


def test_a_launch_template_says_how_volumes_are_encrypted(ec2, key, plain_image):
    mapping = device(Encrypted=True, KmsKeyId=key)
    ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={"ImageId": plain_image, "BlockDeviceMappings": [mapping]},
    )
    ec2.run_instances(LaunchTemplate={"LaunchTemplateName": "web"}, MinCount=1, MaxCount=1)
    volumes = ec2.describe_volumes(Filters=[{"Name": "encrypted", "Values": ["true"]}])["Volumes"]
    assert [volume["KmsKeyId"] for volume in volumes] == [key]


def test_an_image_of_an_instance_has_the_keys_of_its_volumes(ec2, launch, encrypted, key):
    instance, _ = launch(**encrypted)
    image = ec2.create_image(InstanceId=instance, Name="golden")["ImageId"]
    (mapping,) = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"]
    assert mapping["Ebs"]["Encrypted"]
    snapshot = mapping["Ebs"]["SnapshotId"]
    seen = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
    assert (seen["Encrypted"], seen["KmsKeyId"]) == (True, key)
    _, volume = launch(ImageId=image)
    assert volume_of(ec2, volume)["KmsKeyId"] == key


# --- keys that cannot be used -------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["disabled", "grant denied", "no such key"])
def test_an_instance_whose_key_cannot_be_used_is_terminated(kms, ec2, launch, key, lost):
    asked = key
    if lost == "disabled":
        kms.client().disable_key(KeyId=key)
    elif lost == "grant denied":
        deny(kms, key, "kms:CreateGrant")
    else:
        asked = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    instance, volume = launch(BlockDeviceMappings=[device(Encrypted=True, KmsKeyId=asked)])
    seen = instance_of(ec2, instance)
    assert seen["State"]["Name"] == "terminated"
    assert seen["StateReason"]["Message"] == REASON
    assert "kms:" in kms.ebs.why(instance)
    with pytest.raises(ClientError, match=r"InvalidVolume\.NotFound"):
        volume_of(ec2, volume)


def deny(kms, key, action):
    import json

    policy = json.loads(kms.client().get_key_policy(KeyId=key)["Policy"])
    denial = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    policy["Statement"].append(denial)
    kms.client().put_key_policy(KeyId=key, Policy=json.dumps(policy))


def test_a_stopped_instance_needs_the_key_to_start(kms, ec2, launch, encrypted, key):
    instance, _ = launch(**encrypted)
    ec2.stop_instances(InstanceIds=[instance])
    assert grants(kms, key) == []
    kms.client().disable_key(KeyId=key)
    ec2.start_instances(InstanceIds=[instance])
    seen = instance_of(ec2, instance)
    assert (seen["State"]["Name"], seen["StateReason"]["Message"]) == ("stopped", REASON)
    assert f"{key} is disabled" in kms.ebs.why(instance)

    kms.client().enable_key(KeyId=key)
    before = len(kms.calls)
    ec2.start_instances(InstanceIds=[instance])
    assert operations(kms, before) == ATTACHED
    seen = instance_of(ec2, instance)
    assert (seen["State"]["Name"], seen["StateReason"]["Message"]) == ("running", "")
    assert kms.ebs.why(instance) is None


def test_an_instance_that_runs_does_not_need_the_key(kms, ec2, launch, encrypted, key):
    instance, _ = launch(**encrypted)
    kms.client().disable_key(KeyId=key)
    ec2.reboot_instances(InstanceIds=[instance])
    assert instance_of(ec2, instance)["State"]["Name"] == "running"


def test_a_terminated_instance_gives_its_grants_back(kms, ec2, launch, encrypted, key):
    instance, _ = launch(**encrypted)
    ec2.terminate_instances(InstanceIds=[instance])
    assert grants(kms, key) == []


# --- filters ------------------------------------------------------------------------------------


def test_volumes_and_snapshots_are_found_by_whether_they_are_encrypted(ec2, key):
    ec2.enable_ebs_encryption_by_default()
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    ec2.disable_ebs_encryption_by_default()
    plain = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    source = ec2.create_snapshot(VolumeId=plain)["SnapshotId"]
    copy = ec2.copy_snapshot(
        SourceRegion="us-east-1", SourceSnapshotId=source, Encrypted=True, KmsKeyId=key
    )["SnapshotId"]
    for value, volumes, snapshots in (("true", {volume}, {copy}), ("false", {plain}, {source})):
        wanted = [{"Name": "encrypted", "Values": [value]}]
        found = ec2.describe_volumes(Filters=wanted)["Volumes"]
        assert {each["VolumeId"] for each in found} >= volumes
        assert {each["Encrypted"] for each in found} == {value == "true"}
        found = ec2.describe_snapshots(Filters=wanted)["Snapshots"]
        assert {each["SnapshotId"] for each in found} >= snapshots
        assert {each["Encrypted"] for each in found} == {value == "true"}


def test_failed_copies_are_found_by_their_state(kms, ec2, key, other):
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId=key)[
        "VolumeId"
    ]
    source = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    deny(kms, key, "kms:CreateGrant")
    copy = ec2.copy_snapshot(
        SourceRegion="us-east-1", SourceSnapshotId=source, Encrypted=True, KmsKeyId=other
    )["SnapshotId"]
    wanted = [
        {"Name": "status", "Values": ["err*"]},
        {"Name": "owner-id", "Values": [ACCOUNT]},
    ]
    found = ec2.describe_snapshots(Filters=wanted)["Snapshots"]
    assert [each["SnapshotId"] for each in found] == [copy]
