"""The four steps: snapshot under the own key, key policy, share, copy under the target's key."""

from __future__ import annotations

import pytest

from kmsmock import mock_kms
from tests.refusals import refused
from tests.services.rds.world import (
    EAST,
    SECRET,
    SOURCE,
    TARGET,
    WEST,
    WORDS,
    World,
    of_instances,
    operations,
    request_members,
    source_fault,
    target_fault,
)


@pytest.mark.parametrize("wire", [False, True], ids=["before-call", "wire"])
@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.kind)
def test_a_shared_snapshot_is_copied_under_a_key_of_the_target(words, wire):
    with mock_kms(isolated=True, wire=wire) as kms:
        world = World(kms, words)
        world.share()

        begun = world.copy()

        assert begun["Status"] == "creating"
        waiter = {"instance": "db_snapshot_available", "cluster": "db_cluster_snapshot_available"}
        world.target_rds.get_waiter(waiter[words.kind]).wait(**{words.snapshot_identifier: "copy"})
        seen = world.describe()
        assert (seen["Status"], seen["PercentProgress"]) == ("available", 100)
        assert (seen[words.encrypted], seen["KmsKeyId"]) == (True, world.target_key)
        arn = seen[f"{words.snapshot}Arn"]
        assert arn.split(":")[4] == TARGET
        assert seen["SnapshotType"] == "manual"
        assert world.read(arn) == SECRET


@of_instances
def test_a_copy_has_completed_when_it_is_available(world):
    world.share()
    world.copy()

    world.target_rds.get_waiter("db_snapshot_completed").wait(
        DBSnapshotIdentifier="copy", WaiterConfig={"MaxAttempts": 1}
    )


def test_the_copy_needs_the_source_no_more(kms, world):
    world.share()
    world.copy()
    world.share(remove=[TARGET])
    world.source_kms.schedule_key_deletion(KeyId=world.source_key, PendingWindowInDays=7)
    kms.clock.advance(days=7)

    restored = world.restore()

    assert restored["KmsKeyId"] == world.target_key
    assert world.state("restored", world.target_rds) == "available"
    assert world.read(restored[world.words.arn]) == SECRET


# --- what RDS calls of KMS -------------------------------------------------------------------


def test_a_new_database_has_rds_make_a_grant_and_then_a_data_key_by_it(kms, world):
    before = len(kms.calls)
    made = world.make("second", StorageEncrypted=True, KmsKeyId=world.source_key)
    calls = kms.calls[before:]

    of_volumes = ["CreateGrant"] if world.words.kind == "instance" else []
    assert operations(calls) == [
        *("DescribeKey", "CreateGrant"),
        *("GenerateDataKeyWithoutPlaintext", *of_volumes, "Decrypt"),
    ]
    bound = {world.words.context: made[world.words.resource_id]}
    grant = request_members(calls[1])
    assert grant["GranteePrincipal"] == grant["RetiringPrincipal"] == f"rds.{EAST}.amazonaws.com"
    assert grant["Constraints"] == {"EncryptionContextSubset": bound}
    assert grant["Operations"] == [
        *("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
        *("ReEncryptFrom", "ReEncryptTo", "CreateGrant", "RetireGrant", "DescribeKey"),
    ]
    assert bound.items() <= calls[2].encryption_context.items()
    assert [call.principal.account for call in calls[:2]] == [SOURCE, SOURCE]
    assert {call.via_service for call in calls[:2]} == {f"rds.{EAST}.amazonaws.com"}
    if world.words.kind == "instance":
        assert set(calls[2].encryption_context) == {"aws:rds:db-id", "aws:ebs:id"}
        target_grant = request_members(calls[3])
        assert target_grant["GranteePrincipal"] == f"ec2.{EAST}.amazonaws.com"
        assert target_grant["Operations"] == ["Decrypt"]


def test_a_copy_has_rds_use_both_keys_by_grants_that_end_with_it(kms, world):
    world.share()
    before = len(kms.calls)
    world.copy()
    calls = kms.calls[before:]

    source, target = world.source_key, world.target_key
    assert [(call.operation, call.key_arn) for call in calls] == [
        ("DescribeKey", source),
        ("DescribeKey", target),
        ("CreateGrant", source),
        ("CreateGrant", target),
        ("GenerateDataKeyWithoutPlaintext", target),
        ("Decrypt", source),
        ("Decrypt", target),
        ("RetireGrant", source),
        ("RetireGrant", target),
    ]
    bound = {world.words.context: world.database[world.words.resource_id]}
    assert [request_members(c)["Constraints"] for c in calls if c.operation == "CreateGrant"] == [
        {"EncryptionContextSubset": bound}
    ] * 2
    assert world.target_kms.list_grants(KeyId=target)["Grants"] == []


def test_a_copy_in_the_own_account_keeps_the_key_unless_another_is_requested(kms, world):
    before = len(kms.calls)
    copy = world.copy(world.source_rds, KmsKeyId=None)

    assert copy["KmsKeyId"] == world.source_key
    assert operations(kms.calls[before:]) == [
        *("DescribeKey", "CreateGrant", "GenerateDataKeyWithoutPlaintext"),
        *("Decrypt", "Decrypt", "RetireGrant"),
    ]
    assert world.read(copy[f"{world.words.snapshot}Arn"]) == SECRET


def test_the_calls_show_in_the_trail_and_cost(kms, world):
    world.share()
    kms.calls.clear()
    world.copy()

    events = kms.trail.lookup("CreateGrant")
    resources = {resource["ARN"] for event in events for resource in event["resources"]}
    assert resources == {world.source_key, world.target_key}
    assert kms.costs.by_operation()["CreateGrant"] == 2


def test_sharing_makes_no_call_of_kms(kms, world):
    before = len(kms.calls)
    grants = world.source_kms.list_grants(KeyId=world.source_key)["Grants"]
    world.share()

    assert operations(kms.calls[before:]) == ["ListGrants"]
    assert world.source_kms.list_grants(KeyId=world.source_key)["Grants"] == grants


# --- the source ------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["not shared", "does not exist", "shared no more"])
def test_a_source_that_is_not_shared_is_not_there(world, source):
    named = world.snapshot if source != "does not exist" else f"{world.snapshot}-2"
    if source == "shared no more":
        world.share()
        world.share(remove=[TARGET])

    with refused(world.words.not_found, f"{world.words.snapshot} not found: {named}") as caught:
        world.copy(source=named)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert "has not shared it" in caught.value.__notes__[0]


@pytest.mark.parametrize("state", ["disabled", "pending deletion", "deleted"])
def test_a_source_key_that_cannot_be_used_is_refused_at_once(kms, world, state):
    world.share()
    if state == "disabled":
        world.source_kms.disable_key(KeyId=world.source_key)
    else:
        world.source_kms.schedule_key_deletion(KeyId=world.source_key, PendingWindowInDays=7)
    if state == "deleted":
        kms.clock.advance(days=8)

    with source_fault(world):
        world.copy()

    assert world.describe("before", world.source_rds)["Status"] == "available"


def test_a_shared_snapshot_needs_its_arn(world):
    world.share()

    with refused(world.words.not_found, f"{world.words.snapshot} not found: before"):
        world.copy(source="before")


# --- the target's key ------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["disabled", "pending deletion", "no such key", "not symmetric"])
def test_a_target_key_that_cannot_be_used_is_refused_at_once(world, state):
    world.share()
    key = world.target_key
    if state == "disabled":
        world.target_kms.disable_key(KeyId=key)
    elif state == "pending deletion":
        world.target_kms.schedule_key_deletion(KeyId=key)
    elif state == "no such key":
        key = "alias/nothing"
    else:
        key = world.target_kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")[
            "KeyMetadata"
        ]["Arn"]

    with target_fault(world, key):
        world.copy(KmsKeyId=key)


@pytest.mark.parametrize("form", ["id", "alias", "alias ARN"])
def test_the_target_key_can_be_named_in_each_way(world, form):
    world.share()
    world.target_kms.create_alias(AliasName="alias/copies", TargetKeyId=world.target_key)
    alias = world.target_kms.list_aliases(KeyId=world.target_key)["Aliases"][0]
    named = {
        "id": world.target_key.rpartition("/")[2],
        "alias": alias["AliasName"],
        "alias ARN": alias["AliasArn"],
    }[form]

    assert world.copy(KmsKeyId=named)["KmsKeyId"] == world.target_key


def test_a_shared_encrypted_snapshot_needs_a_key_for_its_copy(world):
    world.share()

    with refused("InvalidParameterValue"):
        world.copy(KmsKeyId=None)


def test_the_target_may_keep_using_the_key_of_the_source(world):
    world.share()

    assert world.copy(KmsKeyId=world.source_key)["KmsKeyId"] == world.source_key
    assert world.restore()["KmsKeyId"] == world.source_key


def test_the_default_key_of_the_target_will_do(world):
    world.share()

    copy = world.copy(KmsKeyId="alias/aws/rds")

    default = world.target_kms.describe_key(KeyId="alias/aws/rds")["KeyMetadata"]["Arn"]
    assert copy["KmsKeyId"] == default
    assert world.read(copy[f"{world.words.snapshot}Arn"]) == SECRET


# --- the other account's view ----------------------------------------------------------------


def test_what_the_target_sees_of_a_shared_snapshot(world):
    assert world.list(IncludeShared=True) == []
    world.share()

    assert world.list() == []
    for parameters in ({"IncludeShared": True}, {"SnapshotType": "shared"}):
        (seen,) = world.list(**parameters)
        assert seen[world.words.snapshot_identifier] == world.snapshot
        assert (seen["SnapshotType"], seen["KmsKeyId"]) == ("shared", world.source_key)
    assert world.describe(world.snapshot)["Status"] == "available"


@pytest.mark.parametrize("verb", ["delete", "share", "see who shares it", "tag"])
def test_the_target_cannot_change_a_shared_snapshot(world, verb):
    world.share()
    rds, named = world.target_rds, {world.words.snapshot_identifier: world.snapshot}
    act = {
        "delete": lambda: world.call(rds, "delete_{}", **named),
        "share": lambda: world.call(
            rds, "modify_{}_attribute", **named, AttributeName="restore", ValuesToAdd=[TARGET]
        ),
        "see who shares it": lambda: world.call(rds, "describe_{}_attributes", **named),
        "tag": lambda: rds.add_tags_to_resource(
            ResourceName=world.snapshot, Tags=[{"Key": "a", "Value": "b"}]
        ),
    }[verb]

    with refused(world.words.not_found):
        act()


def test_a_snapshot_is_shared_in_its_region_alone(world):
    world.share()
    west = world.target.client("rds", WEST)

    assert world.list(west, IncludeShared=True) == []
    with refused(world.words.not_found):
        world.describe(world.snapshot, west)
