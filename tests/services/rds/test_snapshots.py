"""Snapshots by hand and by RDS itself, their lists, and restoring."""

from __future__ import annotations

import pytest

from tests.authorization.documents import allow, policy
from tests.refusals import refused
from tests.services.rds.world import SECRET, UNUSABLE, of_clusters


def names(world, **parameters):
    return [
        snapshot[world.words.snapshot_identifier]
        for snapshot in world.list(world.source_rds, **parameters)
    ]


def test_a_snapshot_has_the_key_and_contents_of_its_moment(kms, world):
    kms.rds.write(world.database[world.words.arn], 0, b"later rows of the tbl")

    seen = world.describe("before", world.source_rds)

    assert (seen[world.words.encrypted], seen["KmsKeyId"]) == (True, world.source_key)
    assert seen["SnapshotType"] == "manual"
    assert seen[world.words.resource_id] == world.database[world.words.resource_id]
    assert world.read(world.snapshot) == SECRET


def test_to_take_a_snapshot_only_looks_at_the_key(kms, world):
    before = len(kms.calls)
    caller = world.source.role(
        "Keeper", policies=[policy(allow("rds:*"), allow("kms:DescribeKey"))]
    ).client("rds")

    world.take("second", rds=caller)

    assert [call.operation for call in kms.calls[before:]] == ["DescribeKey"]


def test_a_database_that_is_not_encrypted_has_snapshots_without_kms(kms, world):
    world.make("plain")
    before = len(kms.calls)

    world.take("plain", "plain")

    assert world.describe("plain", world.source_rds)[world.words.encrypted] is False
    assert len(kms.calls) == before


def test_rds_takes_snapshots_itself_each_day_and_keeps_them_for_a_while(kms, world):
    world.make("kept", BackupRetentionPeriod=3)
    kms.clock.advance(days=10)

    of_it = {world.words.identifier: "kept"}
    automated = names(world, SnapshotType="automated", **of_it)
    assert len(automated) == 4
    assert all(name.startswith("rds:kept-20") for name in automated)
    assert names(world, SnapshotType="manual", **of_it) == []
    assert names(world, **of_it) == automated


def test_automated_snapshots_go_with_their_database_or_are_kept(world):
    world.act("delete", FinalDBSnapshotIdentifier="last")

    assert names(world, SnapshotType="automated") == []


def test_automated_snapshots_are_not_deleted_by_hand(world):
    (name,) = names(world, SnapshotType="automated")

    with refused(world.words.bad_state):
        world.call(world.source_rds, "delete_{}", **{world.words.snapshot_identifier: name})


def test_an_automated_snapshot_is_copied_to_one_by_hand(world):
    (name,) = names(world, SnapshotType="automated")

    world.copy(world.source_rds, name, "kept", KmsKeyId=None)
    world.act("delete", SkipFinalSnapshot=True)

    assert names(world, SnapshotType="manual") == ["before", "kept"]
    # It was taken before there was anything in the database.
    assert world.describe("kept", world.source_rds)["KmsKeyId"] == world.source_key


def test_a_deleted_snapshot_is_gone_and_its_copies_stay(world):
    copy = world.copy(world.source_rds, KmsKeyId=None)
    deleted = world.call(
        world.source_rds, "delete_{}", **{world.words.snapshot_identifier: "before"}
    )[world.words.snapshot]

    assert deleted["Status"] == "deleted"
    with refused(world.words.not_found, f"{world.words.snapshot} not found: before"):
        world.describe("before", world.source_rds)
    assert world.read(copy[f"{world.words.snapshot}Arn"]) == SECRET
    waiter = "db_snapshot" if world.words.kind == "instance" else "db_cluster_snapshot"
    world.source_rds.get_waiter(f"{waiter}_deleted").wait(
        **{world.words.snapshot_identifier: "before"}
    )


def test_snapshots_are_listed_by_database_type_and_filter(world):
    world.make("second")
    world.take("of-second", "second")
    prefix = "db-" if world.words.kind == "instance" else "db-cluster-"

    assert names(world, **{world.words.identifier: "second", "SnapshotType": "manual"}) == [
        "of-second"
    ]
    for filters, wanted in (
        ([(f"{prefix}snapshot-id", ["before"])], ["before"]),
        ([("snapshot-type", ["manual"])], ["before", "of-second"]),
        ([("snapshot-type", ["manual"]), ("engine", ["mysql"])], []),
    ):
        given = [{"Name": name, "Values": values} for name, values in filters]
        assert names(world, Filters=given) == wanted
    with refused("InvalidParameterValue"):
        names(world, SnapshotType="secret")


@pytest.mark.parametrize(
    ("asked", "code"),
    [("manual", None), ("automated", "not found"), ("secret", "InvalidParameterValue")],
    ids=["its type", "another type", "no type"],
)
def test_a_snapshot_that_is_named_has_to_be_of_the_type_that_is_asked(world, asked, code):
    given = {world.words.snapshot_identifier: "before", "SnapshotType": asked}
    if code is None:
        assert names(world, **given) == ["before"]
        return
    with refused(world.words.not_found if code == "not found" else code):
        names(world, **given)


def test_a_named_shared_snapshot_is_not_of_type_manual(world):
    world.share()
    named = {world.words.snapshot_identifier: world.snapshot}

    assert len(world.list(**named, SnapshotType="shared")) == 1
    with refused(world.words.not_found):
        world.list(**named, SnapshotType="manual")


@of_clusters
def test_a_cluster_snapshot_is_named_by_itself_or_by_its_cluster(world):
    with refused("InvalidParameterCombination"):
        names(world, DBClusterIdentifier="orders", DBClusterSnapshotIdentifier="before")


def test_a_snapshot_is_taken_of_what_runs(world):
    world.act("delete", SkipFinalSnapshot=True)
    code = "DBInstanceNotFound" if world.words.kind == "instance" else "DBClusterNotFoundFault"

    with refused(code):
        world.take("late")


# --- restoring -------------------------------------------------------------------------------


def test_a_restored_database_has_the_key_of_its_snapshot(kms, world):
    before = len(kms.calls)
    restored = world.restore("before", world.source_rds)
    calls = kms.calls[before:]

    assert restored["KmsKeyId"] == world.source_key
    of_volumes = ["CreateGrant"] if world.words.kind == "instance" else []
    assert [call.operation for call in calls] == [
        *("DescribeKey", "CreateGrant", "CreateGrant", "GenerateDataKeyWithoutPlaintext"),
        *(*of_volumes, "Decrypt", "Decrypt", "RetireGrant"),
    ]
    opened = [c.encryption_context[world.words.context] for c in calls if c.operation == "Decrypt"]
    assert opened == [
        restored[world.words.resource_id],
        world.database[world.words.resource_id],
    ]
    assert world.read(restored[world.words.arn]) == SECRET
    assert world.read(world.database[world.words.arn]) == SECRET


def test_a_snapshot_whose_key_is_disabled_is_not_restored(world):
    world.source_kms.disable_key(KeyId=world.source_key)
    assert world.describe("before", world.source_rds)["Status"] == "available"

    words = f"The source snapshot KMS key [{world.source_key}]"
    with refused("KMSKeyNotAccessibleFault", UNUSABLE.format(words)):
        world.restore("before", world.source_rds)

    world.source_kms.enable_key(KeyId=world.source_key)
    restored = world.restore("before", world.source_rds)
    assert world.read(restored[world.words.arn]) == SECRET


@pytest.mark.parametrize("source", ["nothing", "of another account", "in another Region"])
def test_what_cannot_be_seen_cannot_be_restored(world, source):
    rds, named = world.source_rds, "nothing"
    if source == "of another account":
        rds, named = world.target_rds, world.snapshot
    elif source == "in another Region":
        rds, named = world.source.client("rds", "us-west-2"), world.snapshot

    with refused(world.words.not_found, f"{world.words.snapshot} not found: {named}"):
        world.restore(named, rds)


def test_the_engine_is_that_of_the_snapshot(world):
    restore = getattr(world.source_rds, world.words.restore)
    other = "mysql" if world.words.kind == "instance" else "aurora-mysql"

    with refused("InvalidParameterCombination"):
        restore(
            **{
                world.words.identifier: "second",
                world.words.restore_from: "before",
                "Engine": other,
            }
        )


def test_a_name_that_is_taken_is_not_restored_to(world):
    code = "DBInstanceAlreadyExists"
    if world.words.kind == "cluster":
        code = "DBClusterAlreadyExistsFault"

    with refused(code):
        world.restore("before", world.source_rds, "orders")
    grants = world.source_kms.list_grants(KeyId=world.source_key)["Grants"]
    assert len(grants) == (2 if world.words.kind == "instance" else 1)
