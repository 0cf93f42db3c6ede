"""RDS while moto answers it: what it does with KMS is done all the same."""

from __future__ import annotations

import json
import re

import pytest

from kmsmock import mock_kms
from tests.services.beside.conftest import ACCOUNT


@pytest.fixture
def rds(kms):
    return kms.client("rds")


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


@pytest.fixture
def create(rds, key):
    """Create a DB instance under the customer managed key, or as told."""

    def create(client=rds, **parameters):
        given = {"StorageEncrypted": True, "KmsKeyId": key, **parameters}
        return client.create_db_instance(
            DBInstanceIdentifier="shop",
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            AllocatedStorage=20,
            MasterUsername="ruler",
            MasterUserPassword="password",
            **{name: value for name, value in given.items() if value is not None},
        )["DBInstance"]

    return create


def test_an_encrypted_instance_has_a_grant_for_rds(kms, rds, create, key):
    described = create()
    assert described["KmsKeyId"] == key
    assert operations(kms, 1) == [
        *("DescribeKey", "CreateGrant", "GenerateDataKeyWithoutPlaintext"),
        *("CreateGrant", "Decrypt"),
    ]
    grant, of_volume = kms.client().list_grants(KeyId=key)["Grants"]
    assert grant["GranteePrincipal"] == "rds.us-east-1.amazonaws.com"
    assert of_volume["GranteePrincipal"] == "ec2.us-east-1.amazonaws.com"
    assert re.fullmatch(r"db-[A-Z2-7]{26}", described["DbiResourceId"])
    context = {"aws:rds:db-id": described["DbiResourceId"]}
    assert grant["Constraints"] == {"EncryptionContextSubset": context}
    found = rds.describe_db_instances()["DBInstances"][0]
    assert found["DbiResourceId"] == described["DbiResourceId"]


@pytest.mark.parametrize("action", ["kms:DescribeKey", "kms:CreateGrant"])
def test_an_instance_without_its_key_is_refused_at_once(kms, rds, create, key, action):
    deny(kms, key, action)
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault):
        create()
    assert rds.describe_db_instances()["DBInstances"] == []


def test_a_deleted_instance_gives_its_grant_back(kms, rds, create, key):
    create()
    rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    assert kms.client().list_grants(KeyId=key)["Grants"] == []


def test_an_instance_that_is_there_already_leaves_no_grant(kms, rds, create, key):
    create()
    before = kms.client().list_grants(KeyId=key)["Grants"]
    with pytest.raises(rds.exceptions.DBInstanceAlreadyExistsFault):
        create()
    assert kms.client().list_grants(KeyId=key)["Grants"] == before


def test_a_copied_snapshot_is_under_another_key_and_restores_under_it(kms, rds, create, key, other):
    create()
    rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="one")
    copy = rds.copy_db_snapshot(
        SourceDBSnapshotIdentifier="one", TargetDBSnapshotIdentifier="two", KmsKeyId=other
    )["DBSnapshot"]
    assert copy["KmsKeyId"] == other
    assert operations(kms)[-9:] == [
        *("DescribeKey", "DescribeKey", "CreateGrant", "CreateGrant"),
        *("GenerateDataKeyWithoutPlaintext", "Decrypt", "Decrypt", "RetireGrant", "RetireGrant"),
    ]
    kms.client().disable_key(KeyId=key)
    restored = rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="again", DBSnapshotIdentifier="two"
    )["DBInstance"]
    assert restored["KmsKeyId"] == other


def test_a_copy_needs_the_key_of_its_source(kms, rds, create, key, other):
    create()
    rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="one")
    deny(kms, key, "kms:CreateGrant")
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault, match="The source snapshot KMS"):
        rds.copy_db_snapshot(
            SourceDBSnapshotIdentifier="one", TargetDBSnapshotIdentifier="two", KmsKeyId=other
        )


def test_a_copy_that_its_target_key_refuses_leaves_no_grant(kms, rds, create, key, other):
    create()
    rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier="one")
    deny(kms, other, "kms:CreateGrant")
    before = kms.client().list_grants(KeyId=key)["Grants"]
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault, match="The target KMS key"):
        rds.copy_db_snapshot(
            SourceDBSnapshotIdentifier="one", TargetDBSnapshotIdentifier="two", KmsKeyId=other
        )
    assert kms.client().list_grants(KeyId=key)["Grants"] == before


def test_without_a_key_the_managed_key_is_used(kms, create):
    described = create(KmsKeyId=None)
    managed = kms.client().describe_key(KeyId="alias/aws/rds")["KeyMetadata"]["Arn"]
    assert described["KmsKeyId"] == managed


def test_an_account_is_as_the_callers(create):
    assert create()["DBInstanceArn"] == f"arn:aws:rds:us-east-1:{ACCOUNT}:db:shop"


def take_snapshot(rds, name="one"):
    rds.create_db_snapshot(DBInstanceIdentifier="shop", DBSnapshotIdentifier=name)


def snapshot_of(rds, name="one"):
    return rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]


def test_an_instance_that_exists_already_under_that_name_is_not_restored_over(
    kms, rds, create, key
):
    create()
    take_snapshot(rds)
    before = kms.client().list_grants(KeyId=key)["Grants"]
    with pytest.raises(rds.exceptions.DBInstanceAlreadyExistsFault):
        rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier="shop", DBSnapshotIdentifier="one"
        )
    assert kms.client().list_grants(KeyId=key)["Grants"] == before


def test_a_running_instance_is_not_started_and_keeps_its_grants(kms, rds, create, key):
    create()
    before = kms.client().list_grants(KeyId=key)["Grants"]
    with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault):
        rds.start_db_instance(DBInstanceIdentifier="shop")
    assert kms.client().list_grants(KeyId=key)["Grants"] == before


def test_a_start_that_moto_refuses_leaves_no_grant(kms, rds, create, key):
    create()
    rds.stop_db_instance(DBInstanceIdentifier="shop")
    with mock_kms(isolated=True, services=["kms"]):
        rds.start_db_instance(DBInstanceIdentifier="shop")
    before = kms.client().list_grants(KeyId=key)["Grants"]
    with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault):
        rds.start_db_instance(DBInstanceIdentifier="shop")
    assert kms.client().list_grants(KeyId=key)["Grants"] == before


def test_an_instance_whose_key_cannot_be_used_later_has_failed(kms, rds, create, key):
    deny(kms, key, "kms:GenerateDataKeyWithoutPlaintext")
    arn = create()["DBInstanceArn"]
    assert rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "failed"
    assert "kms:GenerateDataKeyWithoutPlaintext was refused" in kms.rds.why(arn)

    rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    create(StorageEncrypted=None, KmsKeyId=None)
    assert rds.describe_db_instances()["DBInstances"][0]["DBInstanceStatus"] == "available"
    assert kms.rds.why(arn) is None


def test_a_copy_whose_key_cannot_be_used_later_has_failed(kms, rds, create, key, other):
    create()
    take_snapshot(rds)
    deny(kms, key, "kms:Decrypt")
    copy = {"SourceDBSnapshotIdentifier": "one", "TargetDBSnapshotIdentifier": "two"}
    arn = rds.copy_db_snapshot(**copy, KmsKeyId=other)["DBSnapshot"]["DBSnapshotArn"]
    assert snapshot_of(rds, "two")["Status"] == "failed"
    assert "kms:Decrypt was refused" in kms.rds.why(arn)


def test_a_snapshot_has_key_and_resource_id_of_its_instance(rds, create, key):
    created = create()
    take_snapshot(rds)
    described = snapshot_of(rds)
    assert (described["Encrypted"], described["KmsKeyId"]) == (True, key)
    assert described["DbiResourceId"] == created["DbiResourceId"]


@pytest.mark.parametrize("leave", ["delete", "stop"])
def test_a_snapshot_that_an_instance_leaves_has_its_key(rds, create, key, leave):
    create()
    if leave == "delete":
        rds.delete_db_instance(DBInstanceIdentifier="shop", FinalDBSnapshotIdentifier="one")
    else:
        rds.stop_db_instance(DBInstanceIdentifier="shop", DBSnapshotIdentifier="one")
    assert snapshot_of(rds)["KmsKeyId"] == key


def test_automated_snapshots_have_the_key_of_their_instance(kms, rds, create, key):
    create()
    (automated,) = rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]
    assert automated["KmsKeyId"] == key
    kms.client().disable_key(KeyId=key)
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault, match="The source snapshot KMS"):
        rds.copy_db_snapshot(
            SourceDBSnapshotIdentifier=automated["DBSnapshotIdentifier"],
            TargetDBSnapshotIdentifier="two",
        )


def test_a_name_that_is_used_again_says_nothing_of_the_key_before(kms, rds, create):
    create()
    take_snapshot(rds)
    rds.delete_db_snapshot(DBSnapshotIdentifier="one")
    rds.delete_db_instance(DBInstanceIdentifier="shop", SkipFinalSnapshot=True)
    create(StorageEncrypted=None, KmsKeyId=None)
    take_snapshot(rds)
    before = len(kms.calls)
    rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="again", DBSnapshotIdentifier="one"
    )
    assert operations(kms, before) == []


def test_members_show_the_key_of_their_cluster(rds, key):
    engine = {"Engine": "aurora-postgresql", "DBClusterIdentifier": "shop"}
    rds.create_db_cluster(
        **engine,
        StorageEncrypted=True,
        KmsKeyId=key,
        MasterUsername="ruler",
        MasterUserPassword="password",
    )
    member = {"DBInstanceIdentifier": "member", "DBInstanceClass": "db.r6g.large"}
    created = rds.create_db_instance(**engine, **member)["DBInstance"]
    assert (created["StorageEncrypted"], created["KmsKeyId"]) == (True, key)
    cluster = rds.describe_db_clusters()["DBClusters"][0]
    assert re.fullmatch(r"cluster-[A-Z2-7]{26}", cluster["DbClusterResourceId"])


def test_contents_that_moto_does_not_store_cannot_be_read(kms):
    arn = f"arn:aws:rds:us-east-1:{ACCOUNT}:db:orders"
    for act in (lambda: kms.rds.write(arn, 0, b"text"), lambda: kms.rds.read(arn, 0, 4)):
        with pytest.raises(ValueError, match=r"moto stores .* contents only without it"):
            act()
