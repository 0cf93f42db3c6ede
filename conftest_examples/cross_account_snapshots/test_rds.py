"""Encrypted RDS and Aurora snapshots are copied to another account: the steps and faults."""

import json

import pytest

LOGIN = {"MasterUsername": "ruler", "MasterUserPassword": "long enough"}


def allow(action, **more):
    return {"Effect": "Allow", "Action": action, "Resource": "*", **more}


def key_policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def source_key(kms_accounts):
    """Step 1: a key of the source account."""
    source, target = kms_accounts
    own = allow("kms:*", Principal={"AWS": source.root.arn})
    # Step 2: the key policy allows the other account to describe the key and create grants.
    shared = allow(["kms:DescribeKey", "kms:CreateGrant"], Principal={"AWS": target.root.arn})
    return source.client().create_key(Policy=key_policy(own, shared))["KeyMetadata"]["Arn"]


@pytest.fixture
def target_key(kms_accounts):
    return kms_accounts[1].client().create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def snapshot(kms, kms_accounts, source_key):
    """A snapshot of a DB instance with data, encrypted under the source's key."""
    rds = kms_accounts[0].client("rds")
    database = rds.create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        StorageEncrypted=True,
        KmsKeyId=source_key,
        **LOGIN,
    )["DBInstance"]
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="orders")
    kms.rds.write(database["DBInstanceArn"], 0, b"rows")
    taken = rds.create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier="before")
    return taken["DBSnapshot"]["DBSnapshotArn"]


def share(kms_accounts, snapshot="before"):
    """Step 3: share the snapshot."""
    source, target = kms_accounts
    source.client("rds").modify_db_snapshot_attribute(
        DBSnapshotIdentifier=snapshot, AttributeName="restore", ValuesToAdd=[target.id]
    )


def copy(rds, snapshot, key):
    """Step 4: the target copies the snapshot under its own key; RDS raises errors at once."""
    rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier=snapshot, TargetDBSnapshotIdentifier="copy", KmsKeyId=key
    )
    rds.get_waiter("db_snapshot_available").wait(DBSnapshotIdentifier="copy")
    return rds.describe_db_snapshots(DBSnapshotIdentifier="copy")["DBSnapshots"][0]


def test_the_copy_depends_on_the_target_s_key_only(
    kms, kms_accounts, source_key, snapshot, target_key
):
    source, target = kms_accounts
    rds = target.client("rds")
    share(kms_accounts)

    assert copy(rds, snapshot, target_key)["KmsKeyId"] == target_key

    # The copy does not depend on the source's key.
    source.client().schedule_key_deletion(KeyId=source_key, PendingWindowInDays=7)
    kms.clock.advance(days=7)
    restored = rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="orders", DBSnapshotIdentifier="copy"
    )["DBInstance"]
    assert kms.rds.read(restored["DBInstanceArn"], 0, 4) == b"rows"


def test_the_same_with_aurora(kms, kms_accounts, source_key, target_key):
    source, target = (account.client("rds") for account in kms_accounts)
    cluster = source.create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        StorageEncrypted=True,
        KmsKeyId=source_key,
        **LOGIN,
    )["DBCluster"]
    kms.rds.write(cluster["DBClusterArn"], 0, b"rows")
    snapshot = source.create_db_cluster_snapshot(
        DBClusterIdentifier="orders", DBClusterSnapshotIdentifier="before"
    )["DBClusterSnapshot"]["DBClusterSnapshotArn"]
    source.modify_db_cluster_snapshot_attribute(
        DBClusterSnapshotIdentifier="before",
        AttributeName="restore",
        ValuesToAdd=[kms_accounts[1].id],
    )

    copied = target.copy_db_cluster_snapshot(
        SourceDBClusterSnapshotIdentifier=snapshot,
        TargetDBClusterSnapshotIdentifier="copy",
        KmsKeyId=target_key,
    )["DBClusterSnapshot"]

    assert kms.rds.read(copied["DBClusterSnapshotArn"], 0, 4) == b"rows"


def test_the_copy_fails_if_the_snapshot_is_not_shared(kms_accounts, snapshot, target_key):
    with pytest.raises(Exception, match="DBSnapshot not found"):
        copy(kms_accounts[1].client("rds"), snapshot, target_key)


def test_the_copy_fails_if_the_key_policy_lacks_create_grant(
    kms_accounts, source_key, snapshot, target_key
):
    source, target = kms_accounts
    own = allow("kms:*", Principal={"AWS": source.root.arn})
    usual = allow(["kms:DescribeKey", "kms:Decrypt"], Principal={"AWS": target.root.arn})
    source.client().put_key_policy(
        KeyId=source_key, PolicyName="default", Policy=key_policy(own, usual)
    )
    share(kms_accounts)

    with pytest.raises(Exception, match="The source snapshot KMS key") as caught:
        copy(target.client("rds"), snapshot, target_key)

    # This is all that AWS shows; the note also has the denied call and the missing permission.
    assert "kms:CreateGrant was refused" in caught.value.__notes__[0]


def test_a_snapshot_under_the_aws_managed_key_cannot_be_shared(kms_accounts):
    rds = kms_accounts[0].client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        StorageEncrypted=True,
        **LOGIN,
    )
    rds.create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier="before")

    with pytest.raises(Exception, match="default service key for RDS"):
        share(kms_accounts)


@pytest.mark.usefixtures("snapshot")
def test_an_encrypted_snapshot_cannot_be_shared_with_everybody(kms_accounts):
    with pytest.raises(Exception, match="InvalidDBSnapshotState"):
        kms_accounts[0].client("rds").modify_db_snapshot_attribute(
            DBSnapshotIdentifier="before", AttributeName="restore", ValuesToAdd=["all"]
        )


def test_an_instance_cannot_be_restored_without_a_copy(kms_accounts, snapshot):
    share(kms_accounts)

    with pytest.raises(Exception, match="both shared and encrypted"):
        kms_accounts[1].client("rds").restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier="orders", DBSnapshotIdentifier=snapshot
        )


def test_the_copy_fails_if_the_source_s_key_is_disabled(
    kms_accounts, source_key, snapshot, target_key
):
    share(kms_accounts)
    kms_accounts[0].client().disable_key(KeyId=source_key)

    with pytest.raises(Exception, match="The source snapshot KMS key"):
        copy(kms_accounts[1].client("rds"), snapshot, target_key)


def test_a_copy_to_another_region_needs_a_key_there(kms_accounts, snapshot):
    west = kms_accounts[0].client("rds", "us-west-2")

    with pytest.raises(Exception, match="Must specify new KMS key for cross region"):
        west.copy_db_snapshot(
            SourceDBSnapshotIdentifier=snapshot,
            TargetDBSnapshotIdentifier="copy",
            SourceRegion="us-east-1",
        )
