"""An encrypted EBS snapshot is copied to another account: the four steps, and what can go wrong."""

import json

import pytest

REGION = "us-east-1"


def allow(action, **more):
    return {"Effect": "Allow", "Action": action, "Resource": "*", **more}


def key_policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def source_key(kms_accounts):
    """Step 1: a key of the source account."""
    source, target = kms_accounts
    own = allow("kms:*", Principal={"AWS": source.root.arn})
    # Step 2: the key policy allows the other account to create grants, only for AWS resources.
    shared = allow(
        "kms:CreateGrant",
        Principal={"AWS": target.root.arn},
        Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )
    return source.client().create_key(Policy=key_policy(own, shared))["KeyMetadata"]["Arn"]


@pytest.fixture
def snapshot(kms, kms_accounts, source_key):
    """A snapshot, encrypted under the source's key, of a volume with data."""
    ec2 = kms_accounts[0].client("ec2")
    volume = ec2.create_volume(
        AvailabilityZone=f"{REGION}a", Size=1, Encrypted=True, KmsKeyId=source_key
    )["VolumeId"]
    kms.ebs.write(volume, 0, b"orders")
    return ec2.create_snapshot(VolumeId=volume)["SnapshotId"]


@pytest.fixture
def target_key(kms_accounts):
    return kms_accounts[1].client().create_key()["KeyMetadata"]["Arn"]


def share(kms_accounts, snapshot):
    """Step 3: share the snapshot."""
    source, target = kms_accounts
    source.client("ec2").modify_snapshot_attribute(
        SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": target.id}]}
    )


def copy(ec2, snapshot, key):
    """Step 4: the target copies the snapshot under its own key, and describes the copy."""
    name = ec2.copy_snapshot(
        SourceRegion=REGION, SourceSnapshotId=snapshot, Encrypted=True, KmsKeyId=key
    )["SnapshotId"]
    return ec2.describe_snapshots(SnapshotIds=[name])["Snapshots"][0]


def test_the_copy_depends_on_the_target_s_key_only(
    kms, kms_accounts, source_key, snapshot, target_key
):
    source, target = kms_accounts
    share(kms_accounts, snapshot)

    copied = copy(target.client("ec2"), snapshot, target_key)

    assert (copied["State"], copied["KmsKeyId"]) == ("completed", target_key)
    # The copy does not depend on the source's key.
    source.client().schedule_key_deletion(KeyId=source_key, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    volume = target.client("ec2").create_volume(
        AvailabilityZone=f"{REGION}a", SnapshotId=copied["SnapshotId"]
    )["VolumeId"]
    assert kms.ebs.read(volume, 0, 6) == b"orders"


def test_the_copy_can_go_to_another_region(kms, kms_accounts, snapshot):
    share(kms_accounts, snapshot)
    west = kms_accounts[1].client("ec2", "us-west-2")
    key = kms_accounts[1].client("kms", "us-west-2").create_key()["KeyMetadata"]["Arn"]

    copied = copy(west, snapshot, key)

    assert kms.ebs.read(copied["SnapshotId"], 0, 6) == b"orders"


def test_the_copy_fails_if_the_snapshot_is_not_shared(kms_accounts, snapshot, target_key):
    # CopySnapshot returns an id all the same; the copy fails later.
    copied = copy(kms_accounts[1].client("ec2"), snapshot, target_key)

    assert copied["State"] == "error"
    assert copied["StateMessage"] == "Source snapshot is not found"


def test_the_copy_fails_without_the_key_policy(kms, kms_accounts, source_key, snapshot, target_key):
    source, target = kms_accounts
    own = allow("kms:*", Principal={"AWS": source.root.arn})
    source.client().put_key_policy(KeyId=source_key, PolicyName="default", Policy=key_policy(own))
    share(kms_accounts, snapshot)

    copied = copy(target.client("ec2"), snapshot, target_key)

    assert copied["State"] == "error"
    assert copied["StateMessage"] == "Given key ID is not accessible"
    # This is all that AWS shows; the mock also has the denied call and the missing permission.
    assert "kms:CreateGrant was refused" in kms.ebs.why(copied["SnapshotId"])


def test_the_copy_fails_if_the_role_is_not_allowed_the_source_s_key(
    kms, kms_accounts, snapshot, target_key
):
    share(kms_accounts, snapshot)
    policies = [
        {"Statement": [allow("ec2:*"), {**allow("kms:*"), "Resource": target_key}]},
    ]
    role = kms_accounts[1].role("Copier", policies=policies)

    copied = copy(role.client("ec2"), snapshot, target_key)

    assert copied["StateMessage"] == "Given key ID is not accessible"
    assert "no identity-based policy allows" in kms.ebs.why(copied["SnapshotId"])


def test_a_snapshot_under_the_aws_managed_key_cannot_be_shared(kms_accounts):
    ec2 = kms_accounts[0].client("ec2")
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1, Encrypted=True)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]

    with pytest.raises(Exception, match="with EBS default key cannot be shared"):
        share(kms_accounts, snapshot)


def test_an_encrypted_snapshot_cannot_be_shared_with_everybody(kms_accounts, snapshot):
    with pytest.raises(Exception, match="Encrypted snapshots cannot be shared publicly"):
        kms_accounts[0].client("ec2").modify_snapshot_attribute(
            SnapshotId=snapshot, CreateVolumePermission={"Add": [{"Group": "all"}]}
        )


def test_the_copy_fails_if_the_target_s_key_is_disabled(kms_accounts, snapshot, target_key):
    share(kms_accounts, snapshot)
    kms_accounts[1].client().disable_key(KeyId=target_key)

    # EC2 describes the target's key during the call, so this error is raised at once.
    with pytest.raises(Exception, match=f"The specified keyId {target_key} is disabled"):
        copy(kms_accounts[1].client("ec2"), snapshot, target_key)


def test_the_copy_fails_if_the_source_s_key_is_disabled(
    kms, kms_accounts, source_key, snapshot, target_key
):
    share(kms_accounts, snapshot)
    kms_accounts[0].client().disable_key(KeyId=source_key)

    copied = copy(kms_accounts[1].client("ec2"), snapshot, target_key)

    assert copied["StateMessage"] == "Given key ID is not accessible"
    assert f"{source_key} is disabled" in kms.ebs.why(copied["SnapshotId"])
