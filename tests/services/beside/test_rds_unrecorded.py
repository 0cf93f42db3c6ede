"""Databases and snapshots that moto stored without the mock, and those that moto has no more."""

from __future__ import annotations

import json

import pytest
from moto import mock_aws

from kmsmock import mock_kms
from tests.services.beside.test_rds_answers import create, describe, instance, key_of


@pytest.fixture
def rds(kms):
    return kms.client("rds")


@pytest.fixture
def unrecorded(kms, rds, key):
    """An instance with the name shop and a snapshot with the name one, which the mock forgets."""
    checkpoint = kms.checkpoint()
    create(rds, "shop", StorageEncrypted=True, KmsKeyId=key)
    rds.create_db_snapshot(**instance(DBSnapshotIdentifier="one"))
    kms.restore(checkpoint)


def operations(kms, since=0):
    return [call.operation for call in kms.calls[since:]]


@pytest.mark.usefixtures("unrecorded")
def test_an_instance_that_was_made_unrecorded_shows_and_needs_its_key(kms, rds, key):
    assert key_of(describe(rds, "shop")) == (True, key)
    rds.stop_db_instance(**instance())
    kms.client().disable_key(KeyId=key)
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault):
        rds.start_db_instance(**instance())
    kms.client().enable_key(KeyId=key)
    rds.start_db_instance(**instance())
    rds.delete_db_instance(**instance(SkipFinalSnapshot=True))
    assert kms.client().list_grants(KeyId=key)["Grants"] == []


@pytest.mark.usefixtures("unrecorded")
def test_an_instance_that_was_made_unrecorded_becomes_inaccessible(kms, rds, key):
    describe(rds, "shop")
    kms.client().disable_key(KeyId=key)
    assert describe(rds, "shop")["DBInstanceStatus"].startswith("inaccessible-encryption")


@pytest.mark.usefixtures("unrecorded")
def test_a_snapshot_that_was_taken_unrecorded_needs_its_key(kms, rds, key):
    other = kms.client().create_key()["KeyMetadata"]["Arn"]
    before = len(kms.calls)
    copy = {"SourceDBSnapshotIdentifier": "one", "KmsKeyId": other}
    made = rds.copy_db_snapshot(**copy, TargetDBSnapshotIdentifier="two")["DBSnapshot"]
    assert key_of(made) == (True, other)
    assert operations(kms, before).count("Decrypt") == 2
    kms.client().disable_key(KeyId=key)
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault, match="The source snapshot"):
        rds.copy_db_snapshot(**copy, TargetDBSnapshotIdentifier="three")


@pytest.mark.usefixtures("machine")
def test_an_instance_that_was_made_before_the_mock_is_under_the_managed_key():
    with mock_aws():
        with mock_kms(isolated=True, services=["kms"]) as outside:
            create(outside.client("rds"), "shop", StorageEncrypted=True)
        with mock_kms(isolated=True) as kms:
            rds = kms.client("rds")
            managed = kms.client().describe_key(KeyId="alias/aws/rds")["KeyMetadata"]["Arn"]
            assert key_of(describe(rds, "shop")) == (True, managed)
            before = len(kms.calls)
            rds.create_db_snapshot(**instance(DBSnapshotIdentifier="one"))
            assert operations(kms, before) == ["DescribeKey"]


def test_a_database_of_a_stack_has_the_key_of_its_template(kms, rds, key):
    pytest.importorskip("openapi_spec_validator", reason="moto's CloudFormation needs it")
    properties = {
        "DBInstanceIdentifier": "shop",
        "DBInstanceClass": "db.t3.micro",
        "Engine": "postgres",
        "AllocatedStorage": 20,
        "MasterUsername": "ruler",
        "MasterUserPassword": "password",
        "StorageEncrypted": True,
        "KmsKeyId": key,
    }
    resource = {"Type": "AWS::RDS::DBInstance", "Properties": properties}
    kms.client("cloudformation").create_stack(
        StackName="shop", TemplateBody=json.dumps({"Resources": {"Shop": resource}})
    )
    (found,) = rds.describe_db_instances()["DBInstances"]
    assert key_of(found) == (True, key)
    made = rds.create_db_instance_read_replica(
        **instance("copy", SourceDBInstanceIdentifier=found["DBInstanceIdentifier"])
    )["DBInstance"]
    assert key_of(made) == (True, key)


@pytest.mark.usefixtures("machine")
def test_what_moto_has_no_more_is_forgotten():
    with mock_kms(isolated=True) as kms:
        key = kms.client().create_key()["KeyMetadata"]["Arn"]
        with mock_aws():
            create(kms.client("rds"), "shop", StorageEncrypted=True, KmsKeyId=key)
        kms.client().disable_key(KeyId=key)
        with mock_aws():
            made = create(kms.client("rds"), "shop")
            assert key_of(made) == (False, None)
            assert made["DBInstanceStatus"] == "available"
            rds = kms.client("rds")
            rds.create_db_snapshot(**instance(DBSnapshotIdentifier="one"))
            assert key_of(describe(rds, "shop")) == (False, None)


@pytest.mark.parametrize("seen", [True, False], ids=["recorded", "unrecorded"])
def test_the_databases_of_other_accounts_have_their_keys_where_moto_has_one_account(kms, seen):
    account = kms.account("111122223333")
    key = account.client().create_key()["KeyMetadata"]["Arn"]
    rds = account.client("rds")
    checkpoint = kms.checkpoint()
    create(rds, "shop", StorageEncrypted=True, KmsKeyId=key)
    if not seen:
        kms.restore(checkpoint)
    rds.stop_db_instance(**instance(DBSnapshotIdentifier="one"))
    assert len(account.client().list_grants(KeyId=key)["Grants"]) == 1
    made = rds.copy_db_snapshot(SourceDBSnapshotIdentifier="one", TargetDBSnapshotIdentifier="two")[
        "DBSnapshot"
    ]
    assert key_of(made) == (True, key)
    assert key_of(describe(rds, "shop")) == (True, key)
    rds.delete_db_instance(**instance(SkipFinalSnapshot=True))
    assert account.client().list_grants(KeyId=key)["Grants"] == []
