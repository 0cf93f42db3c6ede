"""What becomes of databases when their key cannot be used any more, and kms.rds."""

from __future__ import annotations

import pytest

from kmsmock.services.rds.answered.contents import UnreadableDatabaseError
from tests.refusals import refused
from tests.services.rds.test_databases import member
from tests.services.rds.world import SECRET, UNUSABLE, of_clusters

RECOVERABLE = "inaccessible-encryption-credentials-recoverable"
LOST = "inaccessible-encryption-credentials"


def lose(world, how="disabled"):
    kms, key = world.source_kms, world.source_key
    if how == "disabled":
        kms.disable_key(KeyId=key)
    elif how == "pending deletion":
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=30)
    else:
        for grant in kms.list_grants(KeyId=key)["Grants"]:
            kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])


@pytest.mark.parametrize("how", ["disabled", "pending deletion", "grants revoked"])
def test_a_database_without_its_key_is_inaccessible_and_lost_after_a_week(kms, world, how):
    lose(world, how)
    assert world.state() == RECOVERABLE

    kms.clock.advance(days=6, hours=23)
    assert world.state() == RECOVERABLE
    kms.clock.advance(hours=1)
    assert world.state() == LOST


def test_the_loss_is_noticed_within_an_hour_when_nobody_looks(kms, world):
    lose(world)
    kms.clock.advance(hours=1)
    world.source_kms.enable_key(KeyId=world.source_key)

    assert world.state() == RECOVERABLE
    kms.clock.advance(days=7)
    assert world.state() == LOST


def test_within_a_week_the_key_and_a_start_bring_it_back(kms, world):
    lose(world)
    arn = world.database[world.words.arn]
    assert world.state() == RECOVERABLE
    assert kms.rds.why(arn) == f"{world.source_key} is in state Disabled"
    words = f"Specified KMS key [{world.source_key}]"
    with refused("KMSKeyNotAccessibleFault", UNUSABLE.format(words)):
        world.act("start")

    world.source_kms.enable_key(KeyId=world.source_key)
    assert world.state() == RECOVERABLE
    world.act("start")

    assert (world.state(), kms.rds.why(arn)) == ("available", None)
    assert world.read(arn) == SECRET
    kms.clock.advance(days=30)
    assert world.state() == "available"


def test_what_is_lost_is_not_started_but_its_snapshots_are_restored(kms, world):
    lose(world)
    kms.clock.advance(days=8)
    world.source_kms.enable_key(KeyId=world.source_key)
    code = "InvalidDBInstanceState"
    if world.words.kind == "cluster":
        code = "InvalidDBClusterStateFault"
    with refused(code):
        world.act("start")
    with refused(code):
        world.act("delete", FinalDBSnapshotIdentifier="last")

    restored = world.restore("before", world.source_rds)
    assert world.read(restored[world.words.arn]) == SECRET
    world.act("delete", SkipFinalSnapshot=True)
    assert len(world.source_kms.list_grants(KeyId=world.source_key)["Grants"]) == (
        2 if world.words.kind == "instance" else 1
    )


def test_its_automated_snapshots_stay_while_it_is_inaccessible(kms, world):
    lose(world)
    kms.clock.advance(days=20)

    assert len(world.list(world.source_rds, SnapshotType="automated")) == 1


def test_no_snapshot_is_taken_of_what_is_inaccessible(world):
    lose(world)
    code = "InvalidDBInstanceState"
    if world.words.kind == "cluster":
        code = "InvalidDBClusterStateFault"

    with refused(code):
        world.take("second")


@of_clusters
def test_members_are_as_inaccessible_as_their_cluster(world):
    world.source_rds.create_db_instance(**member())
    lose(world)

    seen = world.source_rds.describe_db_instances(DBInstanceIdentifier="orders-1")["DBInstances"]
    assert seen[0]["DBInstanceStatus"] == RECOVERABLE


def test_a_deleted_key_is_lost_data(kms, world):
    world.source_kms.schedule_key_deletion(KeyId=world.source_key, PendingWindowInDays=7)
    kms.clock.advance(days=8)

    with pytest.raises(UnreadableDatabaseError, match="has been deleted, and its data is lost"):
        world.read(world.snapshot)
    with pytest.raises(UnreadableDatabaseError, match=LOST):
        world.read(world.database[world.words.arn])
    assert world.describe("before", world.source_rds)["Status"] == "available"


# --- kms.rds ---------------------------------------------------------------------------------


def test_what_was_never_written_is_zeros(kms, world):
    arn = world.database[world.words.arn]

    assert kms.rds.read(arn, 1_000_000, 4) == bytes(4)
    assert kms.rds.read(arn, 0, len(SECRET) + 2) == SECRET + bytes(2)


@pytest.mark.parametrize("encrypted", [True, False])
def test_what_is_stored_is_encrypted_unless_the_database_is_not(kms, world, encrypted):
    text = b"found on the platter"
    made = world.make("second", StorageEncrypted=encrypted)
    kms.rds.write(made[world.words.arn], 0, text)

    assert (text in kms.backend.checkpoint()._data) is not encrypted


def test_a_snapshot_needs_its_key_each_time(kms, world):
    world.source_kms.disable_key(KeyId=world.source_key)
    with pytest.raises(UnreadableDatabaseError, match="is in state Disabled"):
        world.read(world.snapshot)
    with pytest.raises(UnreadableDatabaseError, match=RECOVERABLE):
        kms.rds.write(world.database[world.words.arn], 0, b"x")

    world.source_kms.enable_key(KeyId=world.source_key)
    assert world.read(world.snapshot) == SECRET


def test_a_stopped_database_is_not_read(world):
    world.act("stop")

    with pytest.raises(UnreadableDatabaseError, match="in state stopped"):
        world.read(world.database[world.words.arn])


def test_a_snapshot_is_not_written_to(kms, world):
    with pytest.raises(ValueError, match="is a snapshot"):
        kms.rds.write(world.snapshot, 0, b"x")


@pytest.mark.parametrize(
    ("offset", "length"), [(-1, 1), (1 << 60, 1), (0, 1 << 60)], ids=["before", "behind", "long"]
)
def test_an_offset_outside_of_the_storage_is_refused(kms, world, offset, length):
    with pytest.raises(ValueError, match="exceed it"):
        kms.rds.read(world.database[world.words.arn], offset, length)


def test_an_unknown_arn_is_refused(kms):
    with pytest.raises(ValueError, match="RDS has no resource with the ARN 'arn:nothing'"):
        kms.rds.read("arn:nothing", 0, 1)


def test_a_checkpoint_brings_databases_back(kms, world):
    checkpoint = kms.checkpoint()
    arn = world.database[world.words.arn]
    kms.rds.write(arn, 0, b"changed")
    world.act("delete", SkipFinalSnapshot=True)

    kms.restore(checkpoint)

    assert world.state() == "available"
    assert world.read(arn) == SECRET
    lose(world)
    assert world.state() == RECOVERABLE
