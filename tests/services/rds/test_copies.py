"""Copies within an account and to other Regions, and what is asked of them."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from kmsmock import mock_kms
from kmsmock.services.rds.answered.contents import UnreadableDatabaseError
from tests.refusals import refused
from tests.services.rds.world import (
    EAST,
    SECRET,
    UNUSABLE,
    WEST,
    WORDS,
    World,
    of_clusters,
    of_instances,
    operations,
)

WITHOUT_KEY = "Must specify new KMS key for cross region encrypted snapshot copy."
WITHOUT_URL = "A pre-signed url must be specified for copying encrypted snapshot across region."
BAD_URL = "PreSignedurl could not be authenticated"


@pytest.fixture
def west(world):
    """The source account in another Region, with a key there."""
    key = world.source.client("kms", WEST).create_key()["KeyMetadata"]["Arn"]
    return world.source.client("rds", WEST), key


def test_an_encrypted_snapshot_goes_to_another_region_under_a_key_there(kms, world, west):
    rds, key = west
    before = len(kms.calls)

    copy = world.copy(rds, KmsKeyId=key, SourceRegion=EAST)

    assert copy["KmsKeyId"] == key
    assert copy[f"{world.words.snapshot}Arn"].split(":")[3] == WEST
    member = "SourceDBSnapshotIdentifier"
    if world.words.kind == "cluster":
        member = "SourceDBClusterSnapshotArn"
    else:
        assert copy["SourceRegion"] == EAST
    assert copy[member] == world.snapshot
    restored = world.restore(rds=rds)
    assert world.read(restored[world.words.arn]) == SECRET
    # Each key is used in its own Region.
    regions = {(call.key_arn.split(":")[3], call.region) for call in kms.calls[before:]}
    assert regions == {(EAST, EAST), (WEST, WEST)}


def test_without_a_key_there_it_does_not_go(world, west):
    with refused("InvalidParameterValue", WITHOUT_KEY):
        world.copy(west[0], KmsKeyId=None, SourceRegion=EAST)


def test_a_key_of_the_source_region_does_not_do(world, west):
    words = world.words.target_fault.format(world.source_key)

    with refused("KMSKeyNotAccessibleFault", UNUSABLE.format(words)):
        world.copy(west[0], KmsKeyId=world.source_key, SourceRegion=EAST)


def test_without_source_region_and_url_it_does_not_go(world, west):
    with refused("InvalidParameterValue", WITHOUT_URL) as caught:
        world.copy(west[0], KmsKeyId=west[1])

    assert f"SourceRegion='{EAST}'" in caught.value.__notes__[0]


def test_a_source_region_that_is_not_that_of_the_snapshot_is_refused(world, west):
    with refused("InvalidParameterValue", BAD_URL):
        world.copy(west[0], KmsKeyId=west[1], SourceRegion="eu-west-1")


def presigned(world, key, **changes):
    url = {
        "host": f"rds.{EAST}.amazonaws.com",
        "Action": f"Copy{world.words.snapshot}",
        "DestinationRegion": WEST,
        f"Source{world.words.snapshot_identifier}": world.snapshot,
        "KmsKeyId": key,
        "X-Amz-Credential": f"AKIDEXAMPLE/20261126/{EAST}/rds/aws4_request",
        "X-Amz-Date": f"{world.kms.clock.now():%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": "3600",
        "X-Amz-Signature": "0" * 64,
        **changes,
    }
    host = url.pop("host")
    return f"https://{host}/?{urlencode({k: v for k, v in url.items() if v is not None})}"


def test_a_presigned_url_stands_for_the_source_region(world, west):
    rds, key = west

    assert world.copy(rds, KmsKeyId=key, PreSignedUrl=presigned(world, key))["KmsKeyId"] == key


def test_a_client_with_an_endpoint_url_presigns_that(world, west):
    rds, key = west
    url = presigned(world, key, host="127.0.0.1:5000")

    assert world.copy(rds, KmsKeyId=key, PreSignedUrl=url)["KmsKeyId"] == key


@pytest.mark.parametrize(
    "changes",
    [
        {"host": f"rds.{WEST}.amazonaws.com"},
        {"Action": "CopySomething"},
        {"DestinationRegion": None},
        {"DestinationRegion": "eu-west-1"},
        {"KmsKeyId": "another"},
        {"X-Amz-Credential": f"AKIDEXAMPLE/20261126/{WEST}/rds/aws4_request"},
        {"X-Amz-Signature": None},
        {"X-Amz-Expires": None},
        {"X-Amz-Date": "20200101T000000Z"},
    ],
    ids=[
        *("another Region's", "another action", "no destination", "another destination"),
        *("another key", "signed for elsewhere", "not signed", "no end", "expired"),
    ],
)
def test_a_presigned_url_that_does_not_fit_is_refused(world, west, changes):
    rds, key = west

    with refused("InvalidParameterValue", BAD_URL) as caught:
        world.copy(rds, KmsKeyId=key, PreSignedUrl=presigned(world, key, **changes))

    assert caught.value.__notes__[0].endswith((".", "+00:00."))


@of_instances
def test_a_shared_encrypted_snapshot_of_an_instance_goes_to_another_region_in_two_steps(world):
    world.share()
    rds = world.target.client("rds", WEST)
    key = world.target.client("kms", WEST).create_key()["KeyMetadata"]["Arn"]
    # It is no matter of a parameter: whether there is a key or not, this is said at once.
    for parameters in ({"KmsKeyId": key, "SourceRegion": EAST}, {"KmsKeyId": None}):
        with refused("InvalidParameterCombination") as caught:
            world.copy(rds, **parameters)
        assert "within its Region first" in caught.value.__notes__[0]

    first = world.copy()["DBSnapshotArn"]
    second = world.copy(rds, source=first, KmsKeyId=key, SourceRegion=EAST)

    assert world.read(second["DBSnapshotArn"]) == SECRET


@of_clusters
def test_a_shared_encrypted_snapshot_of_a_cluster_goes_to_another_region_in_one_step(world):
    world.share()
    rds = world.target.client("rds", WEST)
    key = world.target.client("kms", WEST).create_key()["KeyMetadata"]["Arn"]

    copy = world.copy(rds, KmsKeyId=key, SourceRegion=EAST)

    assert world.read(copy["DBClusterSnapshotArn"]) == SECRET


# --- what is not encrypted -------------------------------------------------------------------


@pytest.fixture
def plain(kms, world):
    """A snapshot of a database that is not encrypted."""
    made = world.make("plain")
    kms.rds.write(made[world.words.arn], 0, SECRET)
    return world.take("plain", "plain")


def test_what_is_not_encrypted_is_copied_without_kms(kms, world, plain):
    before = len(kms.calls)

    copy = world.copy(world.source_rds, plain, KmsKeyId=None)

    assert copy[world.words.encrypted] is False
    assert "KmsKeyId" not in copy
    assert len(kms.calls) == before
    assert world.read(copy[f"{world.words.snapshot}Arn"]) == SECRET


@of_instances
def test_a_copy_of_what_is_not_encrypted_can_be(world, plain):
    copy = world.copy(world.source_rds, plain, KmsKeyId=world.source_key)

    assert (copy["Encrypted"], copy["KmsKeyId"]) == (True, world.source_key)
    assert world.read(copy["DBSnapshotArn"]) == SECRET
    world.source_kms.disable_key(KeyId=world.source_key)
    with pytest.raises(UnreadableDatabaseError):
        world.read(copy["DBSnapshotArn"])
    assert world.read(plain) == SECRET


@of_clusters
def test_a_copy_of_a_cluster_snapshot_that_is_not_encrypted_cannot_be(world, plain):
    with refused("InvalidParameterCombination") as caught:
        world.copy(world.source_rds, plain, KmsKeyId=world.source_key)

    assert "RestoreDBClusterFromSnapshot with KmsKeyId" in caught.value.__notes__[0]


@of_clusters
def test_a_cluster_can_be_encrypted_when_it_is_restored(world, plain):
    restored = world.restore(plain, world.source_rds, KmsKeyId=world.source_key)

    assert (restored["StorageEncrypted"], restored["KmsKeyId"]) == (True, world.source_key)
    assert world.read(restored["DBClusterArn"]) == SECRET


# --- names, limits, time ---------------------------------------------------------------------


def test_a_name_is_taken_once(world):
    world.share()
    world.copy()
    code = world.words.not_found.replace("NotFound", "AlreadyExists")

    with refused(
        code,
        "Cannot create the snapshot because a snapshot with the identifier copy already exists.",
    ):
        world.copy()


@pytest.mark.parametrize("name", ["1st", "two--hyphens", "end-", "under_score", "a" * 256])
def test_a_name_that_cannot_be_is_refused(world, name):
    with refused("InvalidParameterValue") as caught:
        world.copy(world.source_rds, name=name)

    target = f"Target{world.words.snapshot_identifier}"
    message = caught.value.response["Error"]["Message"]
    assert message.startswith(f"The parameter {target} is not a valid identifier. Identifiers must")


def test_no_more_than_100_snapshots_are_taken_by_hand(world):
    for number in range(99):
        world.take(f"number-{number}")

    with refused("SnapshotQuotaExceeded"):
        world.take("one-more")
    with refused("SnapshotQuotaExceeded"):
        world.copy(world.source_rds)


@pytest.fixture
def slow():
    """A world in which storage takes its time."""
    with mock_kms(isolated=True, delays="all", waiting="clock") as kms:

        def make(words):
            return World(kms, words, wait=lambda: kms.clock.advance(minutes=5))

        yield make


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.kind)
def test_no_more_than_20_copies_are_under_way(slow, words):
    world = slow(words)
    for number in range(20):
        world.copy(world.source_rds, name=f"copy-{number}", KmsKeyId=None)

    with refused("SnapshotQuotaExceeded"):
        world.copy(world.source_rds, KmsKeyId=None)
    world.kms.clock.advance(minutes=5)
    world.copy(world.source_rds, KmsKeyId=None)


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.kind)
def test_things_take_a_while_when_they_are_to(slow, words):
    world = slow(words)
    world.take("slow")
    assert world.describe("slow", world.source_rds)["Status"] == "creating"
    with refused(words.bad_state):
        world.copy(world.source_rds, source="slow")
    with refused(words.bad_state):
        world.share(name="slow")
    with refused(words.bad_state):
        world.restore("slow", world.source_rds)
    world.kms.clock.advance(minutes=5)
    assert world.describe("slow", world.source_rds)["PercentProgress"] == 100

    world.share()
    world.copy()
    grants = world.target_kms.list_grants(KeyId=world.target_key)["Grants"]
    assert (world.describe()["Status"], len(grants)) == ("creating", 1)
    world.kms.clock.advance(minutes=5)
    assert world.describe()["Status"] == "available"
    world.restore()
    assert world.state("restored", world.target_rds) == "creating"
    world.kms.clock.advance(minutes=5)
    assert world.state("restored", world.target_rds) == "available"


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.kind)
def test_what_is_under_way_at_a_checkpoint_goes_on_after_each_restore(slow, words):
    world = slow(words)
    world.make("late", StorageEncrypted=True, KmsKeyId=world.source_key)
    copied = world.copy(world.source_rds, KmsKeyId=None)[f"{words.snapshot}Arn"]
    restored = world.restore("before", world.source_rds)[words.arn]
    world.act("stop")
    checkpoint = world.kms.checkpoint()
    calls = len(world.kms.calls)
    outcomes = []
    for _ in range(2):
        world.kms.restore(checkpoint)
        world.kms.clock.advance(minutes=5)
        assert world.state("late") == "available"
        assert [world.read(arn) for arn in (copied, restored)] == [SECRET, SECRET]
        assert world.state() == "stopped"
        outcomes.append(operations(world.kms.calls[calls:]))

    assert outcomes[0] == outcomes[1] != []


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.kind)
def test_a_database_that_is_deleted_while_it_is_created_stays_in_state_deleting(slow, words):
    world = slow(words)
    world.make("late")
    world.kms.clock.advance(minutes=2)
    world.act("delete", "late", SkipFinalSnapshot=True)
    world.kms.clock.advance(minutes=3)

    assert world.state("late") == "deleting"
    world.kms.clock.advance(minutes=2)
    with refused(f"{words.database}NotFound" + ("Fault" if words.kind == "cluster" else "")):
        world.state("late")


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.kind)
def test_a_key_that_goes_while_a_copy_is_made_lets_it_fail(slow, words):
    world = slow(words)
    world.share()
    arn = world.copy()[f"{words.snapshot}Arn"]
    world.target_kms.disable_key(KeyId=world.target_key)
    world.kms.clock.advance(minutes=5)

    assert world.describe()["Status"] == "failed"
    assert "is disabled" in world.kms.rds.why(arn)
    with refused(words.bad_state):
        world.restore()
    world.call(world.target_rds, "delete_{}", **{words.snapshot_identifier: "copy"})
    assert world.list() == []


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.kind)
def test_a_key_that_goes_while_a_database_is_made_lets_it_fail(slow, words):
    world = slow(words)
    made = world.make("late", StorageEncrypted=True, KmsKeyId=world.source_key)
    world.source_kms.disable_key(KeyId=world.source_key)
    world.kms.clock.advance(minutes=5)

    assert world.state("late") == "failed"
    assert "is disabled" in world.kms.rds.why(made[words.arn])


def test_a_copy_can_have_the_tags_of_its_source(world):
    tags = [{"Key": "team", "Value": "orders"}]
    world.take("tagged", Tags=tags)

    for name, parameters, wanted in (
        ("one", {"CopyTags": True}, tags),
        ("two", {}, []),
        ("three", {"Tags": [{"Key": "a", "Value": "b"}]}, [{"Key": "a", "Value": "b"}]),
    ):
        world.copy(world.source_rds, "tagged", name, KmsKeyId=None, **parameters)
        assert world.describe(name, world.source_rds)["TagList"] == wanted


@of_instances
def test_what_is_not_emulated_of_copies_is_refused(world):
    with refused("InvalidParameterValue") as caught:
        world.copy(world.source_rds, CopyOptionGroup=True)

    assert "CopyOptionGroup of CopyDBSnapshot is not emulated" in caught.value.__notes__[0]


@of_instances
def test_a_copy_has_the_option_group_that_is_asked_for(world):
    copy = world.copy(world.source_rds, KmsKeyId=None, OptionGroupName="with-tde")

    assert copy["OptionGroupName"] == world.describe("copy", world.source_rds)["OptionGroupName"]
    assert copy["OptionGroupName"] == "with-tde"


@of_instances
@pytest.mark.parametrize(
    ("to", "group"),
    [("the own account", "options"), ("another Region", None), ("another account", None)],
)
def test_an_option_group_stays_in_its_account_and_region(world, west, to, group):
    world.make("optional", OptionGroupName="options")
    source = world.take("optional", "optional")
    world.share(name="optional")
    rds = {
        "the own account": world.source_rds,
        "another Region": west[0],
        "another account": world.target_rds,
    }[to]

    copy = world.copy(rds, source, KmsKeyId=None)

    assert copy.get("OptionGroupName") == group
    restored = world.restore(rds=rds)
    assert [g["OptionGroupName"] for g in restored.get("OptionGroupMemberships", ())] == (
        [] if group is None else [group]
    )
