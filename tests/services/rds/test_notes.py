"""What is said beside an error, so that a human sees what to do."""

from __future__ import annotations

import pytest

from tests.refusals import refused
from tests.services.rds.world import EAST, SOURCE, TARGET, WEST, of_clusters


def notes(caught):
    return "\n".join(getattr(caught.value, "__notes__", ()))


# --- databases -------------------------------------------------------------------------------


def test_a_database_that_does_not_exist_is_refused_with_those_that_do(kms):
    rds = kms.client("rds", region=WEST)

    def describe(name, client=rds):
        with refused("DBInstanceNotFound") as caught:
            client.describe_db_instances(DBInstanceIdentifier=name)
        return notes(caught)

    assert "has no DB instance in" in describe("orders")
    for name in ("orders", "users"):
        rds.create_db_instance(
            DBInstanceIdentifier=name,
            Engine="postgres",
            DBInstanceClass="db.t3.micro",
            AllocatedStorage=20,
            MasterUsername="admin1",
            MasterUserPassword="secret-password",
        )

    assert f"has in {WEST}: orders, users; did you mean 'orders'?" in describe("order")
    assert f"It is in {WEST}; this client talks to {EAST}." in describe(
        "orders", kms.client("rds", region=EAST)
    )


# --- snapshots -------------------------------------------------------------------------------


def acts(world, rds, named):
    """What can be done with a snapshot that somebody shares: name -> what does it."""
    given = {world.words.snapshot_identifier: named}
    return {
        "copy": lambda: world.copy(rds, source=named),
        "restore": lambda: world.restore(named, rds),
        "describe": lambda: world.describe(named, rds),
        "delete": lambda: world.call(rds, "delete_{}", **given),
        "see who shares it": lambda: world.call(rds, "describe_{}_attributes", **given),
    }


@pytest.mark.parametrize("act", ["copy", "restore", "describe", "delete"])
def test_a_shared_snapshot_that_is_called_by_its_name_has_its_arn_in_the_note(world, act):
    world.share()

    with refused(world.words.not_found, f"{world.words.snapshot} not found: before") as caught:
        acts(world, world.target_rds, "before")[act]()

    assert f"another account by its ARN: {world.snapshot}" in notes(caught)


def test_a_snapshot_that_is_not_shared_is_in_no_note(world):
    with refused(world.words.not_found) as caught:
        world.copy(source="before")

    assert notes(caught) == ""


@pytest.mark.parametrize("act", ["delete", "see who shares it"])
def test_what_only_the_owner_can_do_is_in_the_note(world, act):
    world.share()

    with refused(world.words.not_found) as caught:
        acts(world, world.target_rds, world.snapshot)[act]()

    assert f"only its owner {SOURCE} can do this" in notes(caught)


@pytest.mark.parametrize("form", ["name", "ARN"])
def test_a_snapshot_in_another_region_is_in_the_note(world, form):
    named = "before" if form == "name" else world.snapshot
    west = world.source.client("rds", WEST)

    with refused(world.words.not_found) as caught:
        world.restore(named, west)

    note = notes(caught)
    assert f"{world.snapshot} is in {EAST}" in note
    assert f"Only Copy{world.words.snapshot} reaches other Regions" in note


# --- keys ------------------------------------------------------------------------------------


def test_a_copy_under_a_key_of_another_region_gets_an_explanation_with_the_region(world):
    rds = world.source.client("rds", WEST)

    with refused("KMSKeyNotAccessibleFault") as caught:
        world.copy(rds, KmsKeyId=world.source_key, SourceRegion=EAST)

    assert f"The key is in {EAST}" in notes(caught)
    assert f"needs a key of {WEST}" in notes(caught)


def test_a_database_under_a_key_of_another_region_gets_an_explanation_with_the_region(world):
    key = world.source.client("kms", WEST).create_key()["KeyMetadata"]["Arn"]

    with refused("KMSKeyNotAccessibleFault") as caught:
        world.make("elsewhere", StorageEncrypted=True, KmsKeyId=key)

    assert f"needs a key of {EAST}" in notes(caught)


@of_clusters
def test_a_cluster_restored_under_a_key_of_another_region_gets_an_explanation(
    world,
):
    key = world.source.client("kms", WEST).create_key()["KeyMetadata"]["Arn"]

    with refused("KMSKeyNotAccessibleFault") as caught:
        world.restore("before", world.source_rds, KmsKeyId=key)

    assert f"needs a key of {EAST}" in notes(caught)


def test_a_refusal_of_a_key_names_all_that_rds_needs_so_that_the_next_try_succeeds(world):
    world.limit_key()
    world.share()

    with refused("KMSKeyNotAccessibleFault") as caught:
        world.copy()

    note = notes(caught)
    assert "kms:DescribeKey was refused" in note
    assert "RDS needs both kms:DescribeKey and kms:CreateGrant on the key" in note
    world.limit_key("kms:DescribeKey", "kms:CreateGrant")
    assert world.copy()["KmsKeyId"].split(":")[4] == TARGET


def test_a_key_that_is_refused_for_its_state_is_no_matter_of_policies(world):
    world.share()
    world.target_kms.disable_key(KeyId=world.target_key)

    with refused("KMSKeyNotAccessibleFault") as caught:
        world.copy()

    assert "state Disabled" in notes(caught)
    assert "RDS needs both" not in notes(caught)
