"""Instances and clusters: created, described, stopped, started and deleted."""

from __future__ import annotations

import re

import pytest

from tests.authorization.documents import allow, deny, policy
from tests.refusals import refused
from tests.services.rds.world import (
    EAST,
    LOGIN,
    SECRET,
    SOURCE,
    TARGET,
    UNUSABLE,
    of_clusters,
    of_instances,
)


def specified_fault(key):
    return refused("KMSKeyNotAccessibleFault", UNUSABLE.format(f"Specified KMS key [{key}]"))


def test_a_database_is_created_and_then_available(world):
    made = world.make("Second", Tags=[{"Key": "team", "Value": "orders"}])

    assert (made[world.words.identifier], made[world.words.status]) == ("second", "creating")
    seen = world.describe_database("second")
    assert seen[world.words.status] == "available"
    assert (seen["StorageEncrypted"], seen["MasterUsername"]) == (False, "ruler")
    assert "MasterUserPassword" not in seen
    assert seen["TagList"] == [{"Key": "team", "Value": "orders"}]
    assert "KmsKeyId" not in seen
    prefix = "db" if world.words.kind == "instance" else "cluster"
    assert made[world.words.arn] == f"arn:aws:rds:{EAST}:{SOURCE}:{prefix}:second"
    assert re.fullmatch(rf"{prefix}-[A-Z2-7]{{26}}", made[world.words.resource_id])


def test_an_encrypted_database_has_the_aws_managed_key_unless_another_is_requested(world):
    made = world.make("second", StorageEncrypted=True)

    key = world.source_kms.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]
    assert (made["KmsKeyId"], key["KeyManager"]) == (key["Arn"], "AWS")
    assert world.describe_database()["KmsKeyId"] == world.source_key


@pytest.mark.parametrize("state", ["disabled", "no such key", "another Region's"])
def test_a_key_that_cannot_be_used_is_refused_with_its_name_as_given(world, state):
    key = world.source_key
    if state == "disabled":
        world.source_kms.disable_key(KeyId=key)
    elif state == "no such key":
        key = "alias/nothing"
    else:
        key = key.replace(EAST, "eu-west-1")

    with specified_fault(key):
        world.make("second", StorageEncrypted=True, KmsKeyId=key)


@pytest.mark.parametrize("action", ["kms:DescribeKey", "kms:CreateGrant"])
def test_the_caller_needs_both_actions_on_the_key(world, action):
    statements = allow(["rds:*", "kms:*"]), deny(action, world.source_key)
    caller = world.source.role("Maker", policies=[policy(*statements)]).client("rds")

    with specified_fault(world.source_key) as caught:
        world.make("second", caller, StorageEncrypted=True, KmsKeyId=world.source_key)

    assert f"{action} was refused" in caught.value.__notes__[0]


def test_the_aws_managed_key_needs_no_permission_of_kms(world):
    caller = world.source.role("Maker", policies=[policy(allow("rds:*"))]).client("rds")

    assert world.make("second", caller, StorageEncrypted=True)["StorageEncrypted"]


def test_a_key_without_encryption_is_refused(world):
    with refused(
        "InvalidParameterCombination",
        "You must enable StorageEncrypted when you specify KmsKeyId for DB engine "
        + world.words.asked["Engine"],
    ):
        world.make("second", KmsKeyId=world.source_key)


def test_a_key_of_another_account_can_be_used(world):
    made = world.make(
        "shared-key", world.target_rds, StorageEncrypted=True, KmsKeyId=world.source_key
    )

    assert made["KmsKeyId"] == world.source_key


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Engine": "oracle-of-delphi"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
        ({"MasterUsername": ""}, "InvalidParameterValue"),
        ({"BackupRetentionPeriod": 36}, "InvalidParameterValue"),
        ({"ManageMasterUserPassword": True}, "InvalidParameterValue"),
    ],
    ids=["engine", "password", "user", "retention", "not emulated"],
)
def test_what_a_database_cannot_be_like_is_refused(world, changes, code):
    with refused(code):
        world.make("second", **changes)


def test_a_name_is_taken_once(world):
    code = "DBInstanceAlreadyExists"
    if world.words.kind == "cluster":
        code = "DBClusterAlreadyExistsFault"

    with refused(code):
        world.make("ORDERS")


def test_an_account_has_no_more_than_40_databases_of_a_kind(world):
    for number in range(39):
        world.make(f"number-{number}")
    code = "InstanceQuotaExceeded"
    if world.words.kind == "cluster":
        code = "DBClusterQuotaExceededFault"

    with refused(code):
        world.make("one-more")


def test_a_database_that_is_not_there_is_not_found(world):
    code = "DBInstanceNotFound"
    if world.words.kind == "cluster":
        code = "DBClusterNotFoundFault"

    for act in (world.describe_database, world.act):
        arguments = ("stop", "nothing") if act == world.act else ("nothing",)
        with refused(code, f"{world.words.database} nothing not found."):
            act(*arguments)
    with refused(code):
        world.take("later", "nothing")
    with refused(code):
        world.describe_database(rds=world.target_rds)


def test_a_database_can_be_named_by_its_arn(world):
    assert world.describe_database(world.database[world.words.arn])["KmsKeyId"] == world.source_key


def test_the_grants_of_a_database_are_issued_by_an_account(world):
    grants = world.source_kms.list_grants(KeyId=world.source_key)["Grants"]

    assert {grant["IssuingAccount"] for grant in grants} == {f"arn:aws:iam::{SOURCE}:root"}


def test_a_deleted_database_leaves_a_last_snapshot_and_no_grant(world):
    before = world.source_kms.list_grants(KeyId=world.source_key)["Grants"]

    answer = world.act("delete", FinalDBSnapshotIdentifier="last")

    assert answer[world.words.status] == "deleting"
    assert len(before) == (2 if world.words.kind == "instance" else 1)
    assert world.source_kms.list_grants(KeyId=world.source_key)["Grants"] == []
    names = [s[world.words.snapshot_identifier] for s in world.list(world.source_rds)]
    assert names == ["before", "last"]
    restored = world.restore("last", world.source_rds, "orders")
    assert restored["KmsKeyId"] == world.source_key
    assert restored[world.words.resource_id] != world.database[world.words.resource_id]
    assert world.read(restored[world.words.arn]) == SECRET


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."),
        ({"SkipFinalSnapshot": True, "FinalDBSnapshotIdentifier": "last"}, None),
    ],
    ids=["neither", "both"],
)
def test_the_last_snapshot_is_named_or_skipped(world, parameters, message):
    with refused("InvalidParameterCombination", message):
        world.act("delete", **parameters)


def test_a_last_snapshot_has_a_name_of_its_own(world):
    with refused(world.words.not_found.replace("NotFound", "AlreadyExists")):
        world.act("delete", FinalDBSnapshotIdentifier="before")


def test_what_is_protected_is_not_deleted(world):
    world.make("second", DeletionProtection=True)
    what = "DB Instance" if world.words.kind == "instance" else "Cluster"

    with refused(
        "InvalidParameterCombination",
        f"Cannot delete protected {what}, please disable deletion protection and try again.",
    ):
        world.act("delete", "second", SkipFinalSnapshot=True)


def test_a_stopped_database_needs_its_key_to_start(world):
    world.act("stop")
    assert world.state() == "stopped"
    world.source_kms.disable_key(KeyId=world.source_key)
    assert world.state() == "stopped"
    with specified_fault(world.source_key) as caught:
        world.act("start")
    assert "is in state Disabled" in caught.value.__notes__[0]

    world.source_kms.enable_key(KeyId=world.source_key)
    assert world.act("start")[world.words.status] == "starting"
    assert world.state() == "available"
    assert world.read(world.database[world.words.arn]) == SECRET


def test_only_what_runs_is_stopped_and_only_what_is_stopped_starts(world):
    code = "InvalidDBInstanceState"
    if world.words.kind == "cluster":
        code = "InvalidDBClusterStateFault"
    with refused(code):
        world.act("start")
    world.act("stop")
    with refused(code):
        world.act("stop")


def test_databases_are_listed_by_page_and_filter(world):
    for number in range(25):
        world.make(f"number-{number:02}", StorageEncrypted=number == 3)
    word = "db_instances" if world.words.kind == "instance" else "db_clusters"
    pages = list(
        world.source_rds.get_paginator(f"describe_{word}").paginate(
            PaginationConfig={"PageSize": 20}
        )
    )

    members = [page[f"{world.words.database}s"] for page in pages]
    assert [len(member) for member in members] == [20, 6]
    describe = getattr(world.source_rds, f"describe_{word}")
    prefix = "db-instance" if world.words.kind == "instance" else "db-cluster"
    for name, values, count in (
        (f"{prefix}-id", ["orders", "number-01"], 2),
        ("engine", [world.words.asked["Engine"]], 26),
        ("engine", ["mysql"], 0),
    ):
        found = describe(Filters=[{"Name": name, "Values": values}])
        assert len(found[f"{world.words.database}s"]) == count
    with refused("InvalidParameterValue", "Unrecognized filter name: colour"):
        describe(Filters=[{"Name": "colour", "Values": ["red"]}])
    with refused("InvalidParameterValue"):
        describe(Marker="made up")
    with refused("InvalidParameterValue"):
        describe(MaxRecords=5)


def test_who_may_make_databases_is_up_to_the_policies(world):
    encrypted = {"Bool": {"rds:StorageEncrypted": "true"}}
    action = f"rds:Create{world.words.database}"
    caller = world.source.role(
        "Maker", policies=[policy(allow(action, Condition=encrypted), allow("kms:*"))]
    ).client("rds")

    world.make("second", caller, StorageEncrypted=True)
    for refusing in ({}, {"StorageEncrypted": True, "Tags": [{"Key": "a", "Value": "b"}]}):
        with refused("AccessDenied"):
            world.make("third", caller, **refusing)


# --- clusters and their members --------------------------------------------------------------


def member(name="orders-1", **changes):
    given = {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": "db.r6g.large",
        "Engine": "aurora-postgresql",
        "DBClusterIdentifier": "orders",
    }
    return {**given, **changes}


@of_clusters
def test_members_have_the_storage_of_their_cluster(kms, world):
    before = len(kms.calls)
    made = world.source_rds.create_db_instance(**member())["DBInstance"]

    assert len(kms.calls) == before
    assert (made["StorageEncrypted"], made["KmsKeyId"]) == (True, world.source_key)
    assert made["DBClusterIdentifier"] == "orders"
    (seen,) = world.describe_database()["DBClusterMembers"]
    assert (seen["DBInstanceIdentifier"], seen["IsClusterWriter"]) == ("orders-1", True)
    assert world.read(made["DBInstanceArn"]) == SECRET
    listed = world.source_rds.describe_db_instances(
        Filters=[{"Name": "db-cluster-id", "Values": ["orders"]}]
    )
    assert len(listed["DBInstances"]) == 1


@of_clusters
@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (
            {"KmsKeyId": "alias/aws/rds"},
            "InvalidParameterCombination",
            "The requested DB Instance will be a member of a DB Cluster and its storage encryption "
            "key should not be set directly.",
        ),
        (
            {"Engine": "aurora-mysql"},
            "InvalidParameterCombination",
            "The engine name requested for your DB instance (aurora-mysql) doesn't match the "
            "engine name of your DB cluster (aurora-postgresql).",
        ),
        ({"DBClusterIdentifier": "nothing"}, "DBClusterNotFoundFault", None),
    ],
    ids=["key", "engine", "no cluster"],
)
def test_members_fit_their_cluster(world, changes, code, message):
    with refused(code, message):
        world.source_rds.create_db_instance(**member(**changes))


@of_clusters
def test_a_member_has_no_snapshots_of_its_own(world):
    world.source_rds.create_db_instance(**member())

    with refused(
        "InvalidParameterValue",
        "The specified instance is a member of a cluster and a snapshot cannot be created "
        "directly. Please use the CreateDBClusterSnapshot API instead.",
    ):
        world.source_rds.create_db_snapshot(
            DBSnapshotIdentifier="one", DBInstanceIdentifier="orders-1"
        )
    assert world.source_rds.describe_db_snapshots()["DBSnapshots"] == []


@of_clusters
def test_a_cluster_goes_after_its_members(world):
    world.source_rds.create_db_instance(**member())
    with refused(
        "InvalidDBClusterStateFault",
        "Cluster cannot be deleted, it still contains DB instances in non-deleting state.",
    ):
        world.act("delete", SkipFinalSnapshot=True)

    world.source_rds.delete_db_instance(DBInstanceIdentifier="orders-1")
    world.act("delete", SkipFinalSnapshot=True)

    with refused("DBClusterNotFoundFault"):
        world.describe_database()


@of_clusters
def test_members_are_stopped_with_their_cluster(world):
    world.source_rds.create_db_instance(**member())

    for act in (world.source_rds.stop_db_instance, world.source_rds.start_db_instance):
        with refused("InvalidDBClusterStateFault"):
            act(DBInstanceIdentifier="orders-1")


@of_clusters
def test_clusters_shared_through_ram_are_not_emulated(world):
    with refused("InvalidParameterValue"):
        world.source_rds.describe_db_clusters(IncludeShared=True)


@of_instances
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"AllocatedStorage": None}, "InvalidParameterValue"),
        ({"AllocatedStorage": 1}, "InvalidParameterValue"),
        ({"Engine": "aurora-mysql"}, "InvalidParameterCombination"),
    ],
    ids=["no size", "too small", "Aurora"],
)
def test_an_instance_has_storage_of_its_own(world, changes, code):
    given = {"DBInstanceIdentifier": "second", **world.words.asked, **changes}

    with refused(code):
        world.source_rds.create_db_instance(**{k: v for k, v in given.items() if v is not None})


@of_instances
def test_an_instance_shows_what_it_was_given(world):
    made = world.source_rds.create_db_instance(
        DBInstanceIdentifier="second",
        DBInstanceClass="db.m6i.large",
        Engine="mysql",
        AllocatedStorage=50,
        Port=3307,
        VpcSecurityGroupIds=["sg-1"],
        DBSubnetGroupName="inside",
        DBParameterGroupName="mine",
        OptionGroupName="options",
        EnableIAMDatabaseAuthentication=True,
        **LOGIN,
    )["DBInstance"]

    assert made["VpcSecurityGroups"] == [{"VpcSecurityGroupId": "sg-1", "Status": "active"}]
    assert made["DBSubnetGroup"] == {"DBSubnetGroupName": "inside"}
    assert made["DBParameterGroups"][0]["DBParameterGroupName"] == "mine"
    assert made["OptionGroupMemberships"] == [{"OptionGroupName": "options", "Status": "in-sync"}]
    assert made["IAMDatabaseAuthenticationEnabled"] is True
    assert "Endpoint" not in made
    endpoint = world.describe_database("second")["Endpoint"]
    assert endpoint["Port"] == 3307
    assert endpoint["Address"].startswith("second.")


@pytest.mark.parametrize("waiter", ["available", "deleted"])
def test_the_waiters_of_boto3_wait(world, waiter):
    word = "db_instance" if world.words.kind == "instance" else "db_cluster"
    if waiter == "deleted":
        world.act("delete", SkipFinalSnapshot=True)

    world.source_rds.get_waiter(f"{word}_{waiter}").wait(**{world.words.identifier: "orders"})


def test_accounts_and_regions_have_databases_of_their_own(world):
    assert world.make("orders", world.target_rds)["StorageEncrypted"] is False
    west = world.source.client("rds", "us-west-2")
    assert world.make("orders", west)["StorageEncrypted"] is False
    assert world.describe_database()["StorageEncrypted"] is True
    assert TARGET in world.describe_database(rds=world.target_rds)[world.words.arn]
