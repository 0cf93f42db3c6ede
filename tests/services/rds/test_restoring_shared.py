"""Databases from snapshots that another account shares, and clusters under another key."""

from __future__ import annotations

import pytest

from tests.refusals import refused
from tests.services.rds.world import (
    LOGIN,
    SECRET,
    of_clusters,
    of_instances,
    source_fault,
)

#: A cluster of several Availability Zones that is not one of Aurora.
MULTI_AZ = {
    **LOGIN,
    "Engine": "mysql",
    "DBClusterInstanceClass": "db.m6gd.large",
    "AllocatedStorage": 100,
    "StorageType": "io1",
    "Iops": 1000,
}


@of_instances
def test_an_instance_cannot_be_restored_from_what_is_shared_and_encrypted(world):
    world.share()

    with refused("InvalidDBSnapshotState") as caught:
        world.restore(world.snapshot)

    assert "Copy it first" in caught.value.__notes__[0]


@of_clusters
@pytest.mark.parametrize("key", ["source_key", "target_key"])
def test_a_cluster_can_be_restored_from_what_is_shared_and_encrypted(world, key):
    world.share()
    parameters = {} if key == "source_key" else {"KmsKeyId": world.target_key}

    restored = world.restore(world.snapshot, **parameters)

    assert restored["KmsKeyId"] == getattr(world, key)
    assert world.read(restored["DBClusterArn"]) == SECRET


@of_clusters
def test_a_cluster_cannot_be_restored_without_the_key(world):
    world.limit_key()
    world.share()

    with source_fault(world):
        world.restore(world.snapshot, KmsKeyId=world.target_key)


@of_clusters
@pytest.mark.parametrize("key", [None, "target_key"], ids=["the snapshot's key", "its own key"])
def test_the_root_user_cannot_restore_what_is_shared_and_encrypted(world, key):
    world.share()
    parameters = {} if key is None else {"KmsKeyId": getattr(world, key)}

    with source_fault(world) as caught:
        world.restore(world.snapshot, world.target.root.client("rds"), **parameters)

    assert "root user" in caught.value.__notes__[0]


def test_the_root_user_restores_what_is_its_own_or_not_encrypted(world):
    world.restore("before", world.source.root.client("rds"))
    world.make("plain")
    plain = world.take("plain", "plain")
    world.share(name="plain")

    world.restore(plain, world.target.root.client("rds"))


@pytest.fixture
def multi_az(world):
    """Restore a snapshot of a cluster of several Availability Zones, encrypted or not."""

    def restore(*, is_encrypted, **parameters):
        under = {"StorageEncrypted": True, "KmsKeyId": world.source_key} if is_encrypted else {}
        world.source_rds.create_db_cluster(DBClusterIdentifier="zones", **MULTI_AZ, **under)
        world.take("zones", "zones")
        return world.source_rds.restore_db_cluster_from_snapshot(
            DBClusterIdentifier="restored",
            SnapshotIdentifier="zones",
            Engine="mysql",
            **parameters,
        )["DBCluster"]

    return restore


@of_clusters
def test_a_cluster_that_is_not_auroras_cannot_be_encrypted_when_it_is_restored(world, multi_az):
    with refused("InvalidParameterCombination") as caught:
        multi_az(is_encrypted=False, KmsKeyId=world.source_key)

    assert "Only Aurora encrypts" in caught.value.__notes__[0]


@of_clusters
def test_a_cluster_that_is_not_auroras_can_be_restored_under_another_key(world, multi_az):
    other = world.source_kms.create_key()["KeyMetadata"]["Arn"]

    assert multi_az(is_encrypted=True, KmsKeyId=other)["KmsKeyId"] == other
