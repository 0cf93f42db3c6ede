"""What answers about RDS show while moto stores: keys, resource ids and states."""

from __future__ import annotations

import re

import pytest
from botocore.exceptions import ClientError

from tests.services.beside.conftest import ACCOUNT

ARN = f"arn:aws:rds:us-east-1:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/export"
RECOVERABLE = "inaccessible-encryption-credentials-recoverable"
LOST = "inaccessible-encryption-credentials"


@pytest.fixture
def rds(kms):
    return kms.client("rds")


@pytest.fixture
def other(kms):
    return kms.client().create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def shop(rds, key):
    """An instance with the name shop, as the answer describes it."""
    return create(rds, "shop", StorageEncrypted=True, KmsKeyId=key)


@pytest.fixture
def cluster(rds, key):
    """A cluster with the name fleet and a member with the name boat."""
    made = rds.create_db_cluster(
        DBClusterIdentifier="fleet",
        Engine="aurora-postgresql",
        StorageEncrypted=True,
        KmsKeyId=key,
        MasterUsername="ruler",
        MasterUserPassword="password",
    )["DBCluster"]
    rds.create_db_instance(
        DBInstanceIdentifier="boat",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-postgresql",
        DBClusterIdentifier="fleet",
    )
    return made


def create(rds, name, **parameters):
    return rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="ruler",
        MasterUserPassword="password",
        **parameters,
    )["DBInstance"]


def describe(rds, name):
    return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def instance(name="shop", **parameters):
    return {"DBInstanceIdentifier": name, **parameters}


def key_of(response):
    flag = "StorageEncrypted" if "StorageEncrypted" in response else "Encrypted"
    return response[flag], response.get("KmsKeyId")


#: Operation -> parameters, and the member of the answer.
SHOWING = {
    "modify_db_instance": (instance(BackupRetentionPeriod=2), "DBInstance"),
    "reboot_db_instance": (instance(), "DBInstance"),
    "stop_db_instance": (instance(), "DBInstance"),
    "delete_db_instance": (instance(SkipFinalSnapshot=True), "DBInstance"),
    "create_db_snapshot": (instance(DBSnapshotIdentifier="one"), "DBSnapshot"),
}


@pytest.mark.parametrize("operation", SHOWING)
def test_each_answer_shows_the_key(rds, shop, key, operation):
    parameters, member = SHOWING[operation]
    answer = getattr(rds, operation)(**parameters)[member]
    assert key_of(answer) == (True, key)
    assert answer["DbiResourceId"] == shop["DbiResourceId"]


def test_an_instance_keeps_key_and_resource_id_under_another_name(kms, rds, shop, key):
    changed = rds.modify_db_instance(**instance(NewDBInstanceIdentifier="Store"))["DBInstance"]
    for answer in (changed, describe(rds, "store")):
        assert key_of(answer) == (True, key)
        assert answer["DbiResourceId"] == shop["DbiResourceId"]
    rds.delete_db_instance(**instance("store", SkipFinalSnapshot=True))
    assert kms.client().list_grants(KeyId=key)["Grants"] == []


def test_a_cluster_keeps_its_key_under_another_name(rds, cluster, key):
    changed = rds.modify_db_cluster(
        DBClusterIdentifier="fleet", NewDBClusterIdentifier="navy", ApplyImmediately=True
    )["DBCluster"]
    assert key_of(changed) == (True, key)
    assert changed["DbClusterResourceId"] == cluster["DbClusterResourceId"]


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("operation", ["reboot_db_instance", "modify_db_instance"])
def test_members_show_the_key_of_their_cluster(rds, key, operation):
    assert key_of(getattr(rds, operation)(**instance("boat"))["DBInstance"]) == (True, key)


@pytest.mark.usefixtures("shop")
def test_a_read_replica_has_the_key_of_its_source(kms, rds, key):
    before = len(kms.calls)
    made = rds.create_db_instance_read_replica(
        **instance("copy", SourceDBInstanceIdentifier="shop")
    )["DBInstance"]
    assert key_of(made) == key_of(describe(rds, "copy")) == (True, key)
    assert re.fullmatch(r"db-[A-Z2-7]{26}", made["DbiResourceId"])
    assert made["DbiResourceId"] != describe(rds, "shop")["DbiResourceId"]
    assert [call.operation for call in kms.calls[before:]] == [
        *("DescribeKey", "CreateGrant", "GenerateDataKeyWithoutPlaintext"),
        *("CreateGrant", "Decrypt"),
    ]
    promoted = rds.promote_read_replica(**instance("copy"))["DBInstance"]
    assert key_of(promoted) == (True, key)


@pytest.mark.usefixtures("shop")
def test_a_read_replica_can_have_another_key(rds, other):
    rds.create_db_instance_read_replica(
        **instance("copy", SourceDBInstanceIdentifier="shop", KmsKeyId=other)
    )
    assert key_of(describe(rds, "copy")) == (True, other)


def test_a_read_replica_of_what_is_not_encrypted_has_no_key(rds, other):
    create(rds, "plain")
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        rds.create_db_instance_read_replica(
            **instance("copy", SourceDBInstanceIdentifier="plain", KmsKeyId=other)
        )
    rds.create_db_instance_read_replica(**instance("copy", SourceDBInstanceIdentifier="plain"))
    assert key_of(describe(rds, "copy")) == (False, None)


def test_a_read_replica_in_another_region_needs_a_key_of_it(kms, shop):
    western = kms.client("rds", region="us-west-2")
    given = instance("copy", SourceDBInstanceIdentifier=shop["DBInstanceArn"])
    with pytest.raises(ClientError) as caught:
        western.create_db_instance_read_replica(**given)
    assert caught.value.response["Error"]["Message"] == (
        "Cannot create a cross region unencrypted read replica from encrypted source."
    )
    key = kms.client(region="us-west-2").create_key()["KeyMetadata"]["Arn"]
    made = western.create_db_instance_read_replica(**given, KmsKeyId=key)["DBInstance"]
    assert key_of(made) == (True, key)


@pytest.mark.parametrize("by", ["name", "resource id"])
def test_an_instance_at_a_point_in_time_has_the_key_of_its_source(rds, shop, key, by):
    source = {"SourceDBInstanceIdentifier": "shop"}
    if by == "resource id":
        source = {"SourceDbiResourceId": shop["DbiResourceId"]}
    made = rds.restore_db_instance_to_point_in_time(
        **source, TargetDBInstanceIdentifier="again", UseLatestRestorableTime=True
    )["DBInstance"]
    assert key_of(made) == key_of(describe(rds, "again")) == (True, key)
    assert made["DbiResourceId"] != shop["DbiResourceId"]


@pytest.mark.usefixtures("cluster")
def test_a_cluster_at_a_point_in_time_can_have_another_key(rds, key, other):
    for name, asked, expected in (("same", {}, key), ("new", {"KmsKeyId": other}, other)):
        made = rds.restore_db_cluster_to_point_in_time(
            DBClusterIdentifier=name,
            SourceDBClusterIdentifier="fleet",
            UseLatestRestorableTime=True,
            **asked,
        )["DBCluster"]
        assert key_of(made) == (True, expected)


@pytest.mark.usefixtures("shop")
def test_what_is_made_from_a_database_needs_its_key(kms, rds, key):
    kms.client().disable_key(KeyId=key)
    with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault):
        rds.create_db_instance_read_replica(**instance("copy", SourceDBInstanceIdentifier="shop"))
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault):
        rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier="shop", TargetDBInstanceIdentifier="again"
        )


def test_automated_backups_show_the_key(rds, shop, key):
    (backup,) = rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
    assert key_of(backup) == (True, key)
    assert backup["DbiResourceId"] == shop["DbiResourceId"]
    named = rds.describe_db_instance_automated_backups(DbiResourceId=shop["DbiResourceId"])
    assert len(named["DBInstanceAutomatedBackups"]) == 1
    named = rds.describe_db_instance_automated_backups(DbiResourceId="db-" + "A" * 26)
    assert named["DBInstanceAutomatedBackups"] == []


def test_retained_backups_show_the_key_of_the_deleted_instance(rds, shop, key):
    rds.delete_db_instance(**instance(SkipFinalSnapshot=True, DeleteAutomatedBackups=False))
    (backup,) = rds.describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
    assert key_of(backup) == (True, key)
    (snapshot,) = rds.describe_db_snapshots(SnapshotType="automated")["DBSnapshots"]
    assert key_of(snapshot) == (True, key)
    assert snapshot["DbiResourceId"] == shop["DbiResourceId"]


def test_a_green_database_has_the_key_of_the_blue_one_also_after_the_switch(rds, shop, key):
    made = rds.create_blue_green_deployment(
        BlueGreenDeploymentName="next", Source=shop["DBInstanceArn"]
    )["BlueGreenDeployment"]
    green = describe(rds, made["Target"])
    assert key_of(green) == (True, key)
    rds.switchover_blue_green_deployment(
        BlueGreenDeploymentIdentifier=made["BlueGreenDeploymentIdentifier"]
    )
    assert describe(rds, "shop")["DbiResourceId"] == green["DbiResourceId"]
    assert describe(rds, "shop-old1")["DbiResourceId"] == shop["DbiResourceId"]


@pytest.mark.usefixtures("shop")
def test_an_export_shows_the_key_that_it_needs(kms, rds, other):
    rds.create_db_snapshot(**instance(DBSnapshotIdentifier="one"))
    export = {
        "ExportTaskIdentifier": "out",
        "SourceArn": f"{ARN}:snapshot:one",
        "S3BucketName": "bucket",
        "IamRoleArn": ROLE,
        "KmsKeyId": other,
    }
    before = len(kms.calls)
    assert rds.start_export_task(**export)["KmsKeyId"] == other
    assert [call.operation for call in kms.calls[before:]] == [
        *("DescribeKey", "CreateGrant", "RetireGrant")
    ]
    (task,) = rds.describe_export_tasks()["ExportTasks"]
    assert task["KmsKeyId"] == other

    kms.client().disable_key(KeyId=other)
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault):
        rds.start_export_task(**{**export, "ExportTaskIdentifier": "again"})
    export |= {"ExportTaskIdentifier": "none", "SourceArn": f"{ARN}:snapshot:none"}
    with pytest.raises(rds.exceptions.DBSnapshotNotFoundFault):
        rds.start_export_task(**export)


def test_databases_and_snapshots_are_found_by_their_resource_id(rds, shop):
    create(rds, "plain")
    rds.create_db_snapshot(**instance(DBSnapshotIdentifier="one"))
    rds.create_db_snapshot(**instance("plain", DBSnapshotIdentifier="two"))
    wanted = {"Name": "dbi-resource-id", "Values": [shop["DbiResourceId"]]}
    found = rds.describe_db_instances(Filters=[wanted])["DBInstances"]
    assert [each["DBInstanceIdentifier"] for each in found] == ["shop"]
    found = rds.describe_db_snapshots(Filters=[wanted], SnapshotType="manual")["DBSnapshots"]
    assert [each["DBSnapshotIdentifier"] for each in found] == ["one"]
    engine = {"Name": "engine", "Values": ["mysql"]}
    assert rds.describe_db_instances(Filters=[wanted, engine])["DBInstances"] == []


def test_a_cluster_is_found_by_its_resource_id(rds, cluster):
    for resource_id, count in ((cluster["DbClusterResourceId"], 1), ("cluster-NONE", 0)):
        wanted = {"Name": "db-cluster-resource-id", "Values": [resource_id]}
        assert len(rds.describe_db_clusters(Filters=[wanted])["DBClusters"]) == count


# --- keys that are lost -------------------------------------------------------------------------


@pytest.mark.usefixtures("shop")
def test_an_instance_whose_key_is_disabled_is_inaccessible_until_it_is_started(kms, rds, key):
    kms.client().disable_key(KeyId=key)
    assert describe(rds, "shop")["DBInstanceStatus"] == RECOVERABLE
    assert kms.rds.why(f"{ARN}:db:shop") == f"{key} is in state Disabled"
    for act in (
        lambda: rds.create_db_snapshot(**instance(DBSnapshotIdentifier="one")),
        lambda: rds.stop_db_instance(**instance()),
        lambda: rds.reboot_db_instance(**instance()),
        lambda: rds.modify_db_instance(**instance(BackupRetentionPeriod=2)),
        lambda: rds.delete_db_instance(**instance(FinalDBSnapshotIdentifier="last")),
    ):
        with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault):
            act()
    with pytest.raises(rds.exceptions.KMSKeyNotAccessibleFault):
        rds.start_db_instance(**instance())

    kms.client().enable_key(KeyId=key)
    assert describe(rds, "shop")["DBInstanceStatus"] == RECOVERABLE
    started = rds.start_db_instance(**instance())["DBInstance"]
    assert started["KmsKeyId"] == key
    assert describe(rds, "shop")["DBInstanceStatus"] == "available"
    assert kms.rds.why(f"{ARN}:db:shop") is None


@pytest.mark.usefixtures("shop")
def test_an_inaccessible_instance_is_lost_after_a_week(kms, rds, key):
    kms.client().disable_key(KeyId=key)
    kms.clock.advance(days=8)
    kms.client().enable_key(KeyId=key)
    assert describe(rds, "shop")["DBInstanceStatus"] == LOST
    with pytest.raises(rds.exceptions.InvalidDBInstanceStateFault):
        rds.start_db_instance(**instance())
    rds.delete_db_instance(**instance(SkipFinalSnapshot=True))
    assert create(rds, "shop")["DBInstanceStatus"] == "available"


@pytest.mark.usefixtures("cluster")
def test_members_are_as_inaccessible_as_their_cluster(kms, rds, key):
    kms.client().disable_key(KeyId=key)
    assert rds.describe_db_clusters()["DBClusters"][0]["Status"] == RECOVERABLE
    assert describe(rds, "boat")["DBInstanceStatus"] == RECOVERABLE
    kms.client().enable_key(KeyId=key)
    assert rds.start_db_cluster(DBClusterIdentifier="fleet")["DBCluster"]["KmsKeyId"] == key
    assert describe(rds, "boat")["DBInstanceStatus"] == "available"
