"""Who else may copy a snapshot: the attribute ``restore``."""

from __future__ import annotations

import pytest

from tests.authorization.documents import allow, policy
from tests.refusals import refused
from tests.services.rds.world import SOURCE, TARGET

OTHER = "777788889999"


def test_a_snapshot_is_shared_with_accounts_until_they_are_removed(world):
    assert world.shared_with() == []

    answer = world.share(TARGET, OTHER)

    assert answer == {
        world.words.snapshot_identifier: "before",
        f"{world.words.snapshot}Attributes": [
            {"AttributeName": "restore", "AttributeValues": [TARGET, OTHER]}
        ],
    }
    world.share(TARGET)
    assert world.shared_with() == [TARGET, OTHER]
    world.share(remove=[TARGET, "111111111111"])
    assert world.shared_with() == [OTHER]


def test_a_snapshot_is_shared_with_no_more_than_20_accounts(world):
    accounts = [f"{number:012}" for number in range(1, 21)]
    world.share(*accounts)

    with refused(
        "SharedSnapshotQuotaExceeded",
        "The request cannot be processed because it would exceed the maximum number of snapshots.",
    ):
        world.share(TARGET)

    assert world.shared_with() == accounts
    world.share(remove=accounts[:1])
    world.share(TARGET)


def test_an_encrypted_snapshot_cannot_be_public(world):
    with refused(world.words.bad_state):
        world.share("all")

    assert world.shared_with() == []


def test_a_public_snapshot_is_everybodys(world):
    world.make("plain")
    arn = world.take("plain", "plain")

    world.share("all", TARGET, name="plain")

    third = world.kms.account(OTHER).client("rds")
    assert world.list(third) == world.list(third, IncludeShared=True) == []
    for parameters in ({"IncludePublic": True}, {"SnapshotType": "public"}):
        (seen,) = world.list(third, **parameters)
        assert (seen[world.words.snapshot_identifier], seen["SnapshotType"]) == (arn, "public")
    world.restore(arn, third)
    # To share with everybody no more leaves the accounts that were named.
    world.share(name="plain", remove=["all"])
    assert world.shared_with("plain") == [TARGET]
    assert world.list(third, SnapshotType="public") == []


def test_a_snapshot_under_the_aws_managed_key_cannot_be_shared(world):
    world.make("default", StorageEncrypted=True)
    world.take("default", "default")

    with refused(
        "KMSKeyNotAccessibleFault",
        "Sharing snapshots encrypted with the default service key for RDS is currently not "
        "supported.",
    ) as caught:
        world.share(name="default")

    assert "copy the snapshot under a customer managed key" in caught.value.__notes__[0]


def test_a_copy_under_a_customer_key_makes_a_default_key_snapshot_shareable(world):
    world.make("default", StorageEncrypted=True)
    world.take("default", "default")
    world.copy(world.source_rds, "default", "own", KmsKeyId=world.source_key)

    world.share(name="own")

    source = world.describe("own", world.source_rds)[f"{world.words.snapshot}Arn"]
    assert world.copy(source=source)["KmsKeyId"] == world.target_key


@pytest.mark.parametrize("form", ["name", "ARN", "another spelling"])
def test_an_automated_snapshot_cannot_be_shared_but_its_copy_can(world, form):
    (automated,) = world.list(world.source_rds, SnapshotType="automated")
    name = automated[world.words.snapshot_identifier]
    named = {
        "name": name,
        "ARN": automated[f"{world.words.snapshot}Arn"],
        "another spelling": name.upper(),
    }[form]
    with refused(
        "InvalidParameterValue",
        f"The parameter {world.words.snapshot_identifier} is not a valid identifier. Identifiers "
        "must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must "
        "not end with a hyphen or contain two consecutive hyphens.",
    ):
        world.share(name=named)
    assert world.shared_with(name) == []

    copy = world.copy(world.source_rds, name, "manual", KmsKeyId=None)
    assert copy["SnapshotType"] == "manual"
    world.share(name="manual")

    assert world.copy(source=copy[f"{world.words.snapshot}Arn"])["Status"] == "creating"


@pytest.mark.parametrize("form", ["name", "ARN"])
def test_a_snapshot_of_aws_backup_cannot_be_shared(world, form):
    name = "awsbackup:job-0a1b2c3d"
    if form == "ARN":
        name = world.snapshot.replace(":before", f":{name}")

    with refused("InvalidParameterValue", f"The parameter {name} is not a valid identifier."):
        world.share(name=name)


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        (
            {"AttributeName": "launch"},
            "InvalidParameterValue",
            "Invalid snapshot attribute launch",
        ),
        (
            {"ValuesToAdd": [TARGET], "ValuesToRemove": [TARGET]},
            "InvalidParameterCombination",
            f"A value may not appear in both the add list and remove list. ['{TARGET}']",
        ),
        ({"ValuesToAdd": ["everybody"]}, "InvalidParameterValue", None),
    ],
    ids=["another attribute", "in both lists", "not an account"],
)
def test_what_cannot_be_shared_like_that_is_refused(world, parameters, code, message):
    given = {world.words.snapshot_identifier: "before", "AttributeName": "restore", **parameters}

    with refused(code, message):
        world.call(world.source_rds, "modify_{}_attribute", **given)


def test_a_snapshot_that_is_not_there_cannot_be_shared(world):
    with refused(world.words.not_found, f"{world.words.snapshot} not found: nothing"):
        world.share(name="nothing")


def test_who_may_share_is_up_to_the_policies(world):
    caller = world.source.role("Reader", policies=[policy(allow("rds:Describe*"))]).client("rds")
    named = {world.words.snapshot_identifier: "before"}

    world.call(caller, "describe_{}_attributes", **named)
    with refused("AccessDenied") as caught:
        world.call(
            caller, "modify_{}_attribute", **named, AttributeName="restore", ValuesToAdd=[TARGET]
        )

    action = f"rds:Modify{world.words.snapshot}Attribute"
    text = str(caught.value)
    assert f"User: arn:aws:sts::{SOURCE}:assumed-role/Reader" in text
    assert f"is not authorized to perform: {action} on resource: {world.snapshot}" in text
