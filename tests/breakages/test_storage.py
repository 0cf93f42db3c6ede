"""Snapshots, volumes, images and databases: why waiters fail, and how to wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from kmsmock import KMSMock, mock_kms
from tests.breakages.table import ACCOUNT, OTHER, Table, read_note

TABLE = Table()
AT_ONCE = {"Delay": 0, "MaxAttempts": 1}


def make_snapshot(kms: KMSMock, account: str = ACCOUNT) -> tuple[str, str]:
    """Return an encrypted snapshot, and the ARN of its key."""
    owner = kms.account(account)
    ec2, key = owner.client("ec2"), owner.client().create_key()["KeyMetadata"]["Arn"]
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True, KmsKeyId=key)
    return ec2.create_snapshot(VolumeId=volume["VolumeId"])["SnapshotId"], key


def make_copy_without_key(kms: KMSMock) -> tuple[Any, str]:
    """Return a client, and its copy of a snapshot whose key it cannot use."""
    snapshot, _ = make_snapshot(kms)
    kms.client("ec2").modify_snapshot_attribute(
        SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": OTHER}]}
    )
    target = kms.account(OTHER)
    own = target.client().create_key()["KeyMetadata"]["Arn"]
    copy = target.client("ec2").copy_snapshot(
        SourceRegion="us-east-1", SourceSnapshotId=snapshot, Encrypted=True, KmsKeyId=own
    )
    return target.client("ec2"), copy["SnapshotId"]


def make_database(kms: KMSMock) -> tuple[Any, str]:
    """Return a client of RDS, and the key of its database ``db``."""
    rds, key = kms.client("rds"), kms.client().create_key()["KeyMetadata"]["Arn"]
    rds.create_db_instance(
        DBInstanceIdentifier="db",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="u",
        MasterUserPassword="password1",
        StorageEncrypted=True,
        KmsKeyId=key,
    )
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="db")
    return rds, key


@TABLE.breakage("kms:CreateGrant was refused")
def a_copy_of_a_snapshot_whose_key_is_not_shared(kms):
    ec2, copy = make_copy_without_key(kms)
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[copy])


@TABLE.breakage("kms:CreateGrant was refused")
def a_waiter_that_finds_the_copy_by_a_filter(kms):
    ec2, _ = make_copy_without_key(kms)
    ec2.get_waiter("snapshot_completed").wait(OwnerIds=["self"])


@TABLE.breakage("EnableKey makes it usable again")
def a_volume_that_vanishes_since_its_key_is_disabled(kms):
    snapshot, key = make_snapshot(kms)
    kms.client().disable_key(KeyId=key)
    ec2 = kms.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume])


@TABLE.breakage("is in state Disabled")
def a_database_whose_key_is_disabled(kms):
    rds, key = make_database(kms)
    kms.client().disable_key(KeyId=key)
    kms.clock.advance(hours=2)
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier="db", WaiterConfig=AT_ONCE)


@TABLE.breakage("which has not shared it with account 444455556666 (ModifySnapshotAttribute)")
def a_snapshot_that_is_not_shared(kms):
    snapshot, _ = make_snapshot(kms)
    kms.account(OTHER).client("ec2").get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot])


@TABLE.breakage("No other account can ever use the AWS managed key alias/aws/ebs")
def sharing_a_snapshot_under_the_managed_key(kms):
    ec2 = kms.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": OTHER}]}
    )


@TABLE.parametrize()
def test_the_note_names_the_fix(sentence: str, run: Callable[[KMSMock], Any]) -> None:
    assert sentence in read_note(run)


def test_a_waiter_that_does_not_wait_long_enough_says_what_it_waits_for() -> None:
    def run(kms: KMSMock) -> None:
        ec2 = kms.client("ec2")
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig=AT_ONCE)

    note = read_note(run, delays="all", waiting="clock")

    assert "until State is available" in note
    assert "kms.clock.advance(" in note


@pytest.mark.parametrize(
    ("name", "states"),
    [("volume_in_use", "State 'available'"), ("volume_deleted", "State 'available'")],
)
def test_a_waiter_for_what_never_happens_says_what_is(name: str, states: str) -> None:
    def run(kms: KMSMock) -> None:
        ec2 = kms.client("ec2")
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        ec2.get_waiter(name).wait(VolumeIds=[volume], WaiterConfig=AT_ONCE)

    assert read_note(run) == f"The last answer has {states}."


def test_a_waiter_for_a_table_whose_key_is_disabled_says_so() -> None:
    mock_aws = pytest.importorskip("moto").mock_aws
    attribute: dict[str, Any] = {"AttributeName": "a", "AttributeType": "S"}

    def run(kms: KMSMock) -> None:
        with mock_aws():
            key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
            dynamodb = kms.client("dynamodb", region="us-east-1")
            dynamodb.create_table(
                TableName="t",
                KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
                AttributeDefinitions=[attribute],
                BillingMode="PAY_PER_REQUEST",
                SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key_id},
            )
            kms.client().disable_key(KeyId=key_id)
            kms.clock.advance(minutes=20)
            dynamodb.get_waiter("table_exists").wait(TableName="t", WaiterConfig=AT_ONCE)

    assert "TableStatus 'INACCESSIBLE_ENCRYPTION_CREDENTIALS'" in read_note(run)


def test_a_waiter_has_the_note_of_the_client_error_that_ends_it() -> None:
    with mock_kms() as kms:
        ec2, arguments = kms.account(OTHER).client("ec2"), {"SnapshotIds": [make_snapshot(kms)[0]]}
        with pytest.raises(ClientError) as of_client:
            ec2.describe_snapshots(**arguments)
        with pytest.raises(WaiterError) as of_waiter:
            ec2.get_waiter("snapshot_completed").wait(**arguments)

    assert of_waiter.value.__notes__ == of_client.value.__notes__  # type: ignore[attr-defined]
    assert "InvalidSnapshot.NotFound" in str(of_waiter.value)


def test_a_waiter_of_one_mock_says_nothing_of_the_failures_of_another() -> None:
    def run(kms: KMSMock) -> None:
        with mock_kms(isolated=True) as other:
            make_copy_without_key(other)
            kms.client("ec2").get_waiter("snapshot_completed").wait(SnapshotIds=["snap-0"])

    assert "CreateGrant" not in read_note(run)


def test_waiters_say_the_same_of_snapshots_that_moto_stores() -> None:
    mock_aws = pytest.importorskip("moto").mock_aws

    def run(kms: KMSMock) -> None:
        with mock_aws():
            a_copy_of_a_snapshot_whose_key_is_not_shared(kms)

    assert "kms:CreateGrant was refused" in read_note(run)
