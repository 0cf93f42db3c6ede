"""ListTagsForResource, AddTagsToResource and RemoveTagsFromResource."""

from __future__ import annotations

import pytest

from tests.authorization.documents import allow, policy
from tests.refusals import refused

TAGS = [{"Key": "team", "Value": "orders"}, {"Key": "stage", "Value": "test"}]


@pytest.fixture(params=["database", "snapshot"])
def arn(world, request):
    return world.database[world.words.arn] if request.param == "database" else world.snapshot


def tags(world, arn):
    return world.source_rds.list_tags_for_resource(ResourceName=arn)["TagList"]


def test_tags_are_added_replaced_and_removed(world, arn):
    rds = world.source_rds
    assert tags(world, arn) == []

    rds.add_tags_to_resource(ResourceName=arn, Tags=TAGS)
    rds.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "stage", "Value": "live"}])
    assert tags(world, arn) == [TAGS[0], {"Key": "stage", "Value": "live"}]
    rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["team", "never there"])
    assert tags(world, arn) == [{"Key": "stage", "Value": "live"}]


def test_tags_show_in_lists(world):
    world.source_rds.add_tags_to_resource(ResourceName=world.snapshot, Tags=TAGS)

    assert world.describe("before", world.source_rds)["TagList"] == TAGS
    world.share()
    assert world.describe(world.snapshot)["TagList"] == []


def test_a_snapshot_can_have_the_tags_of_its_database(world):
    world.make("second", CopyTagsToSnapshot=True, Tags=TAGS)

    arn = world.take("tagged", "second", Tags=[{"Key": "more", "Value": ""}])

    assert tags(world, arn) == [*TAGS, {"Key": "more", "Value": ""}]


def test_tags_go_with_what_they_are_on(world):
    world.make("second", Tags=TAGS)
    world.act("delete", "second", SkipFinalSnapshot=True)

    assert world.make("second")["TagList"] == []


@pytest.mark.parametrize(
    "given",
    [
        [{"Key": "", "Value": "x"}],
        [{"Key": "k" * 129, "Value": "x"}],
        [{"Key": "aws:own", "Value": "x"}],
        [{"Key": f"key-{number}", "Value": ""} for number in range(51)],
    ],
    ids=["no key", "long key", "reserved", "many"],
)
def test_tags_that_cannot_be_are_refused(world, arn, given):
    with refused("InvalidParameterValue"):
        world.source_rds.add_tags_to_resource(ResourceName=arn, Tags=given)

    assert tags(world, arn) == []


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (
            [{"Key": "aws:own", "Value": "x"}],
            "InvalidParameterValue",
            'Tag keys cannot start with the reserved prefix "aws:".',
        ),
        (
            [{"Key": "team", "Value": "x"}, {"Key": "team", "Value": "x"}],
            "InvalidParameterCombination",
            "Duplicate tag key found in request: team",
        ),
    ],
    ids=["reserved", "repeated"],
)
def test_refused_tags_are_told_in_the_words_of_aws(world, arn, given, code, message):
    for call in (
        lambda: world.source_rds.add_tags_to_resource(ResourceName=arn, Tags=given),
        lambda: world.make("second", Tags=given),
        lambda: world.take("second", Tags=given),
    ):
        with refused(code, message):
            call()


@pytest.mark.parametrize("named", ["orders", "arn:aws:rds:us-east-1:111122223333:og:x"])
def test_what_has_no_tags_here_is_refused(world, named):
    with refused("InvalidParameterValue", f"Invalid resource name: {named}"):
        tags(world, named)


def test_what_is_not_there_has_no_tags(world, arn):
    codes = {
        "db": "DBInstanceNotFound",
        "cluster": "DBClusterNotFoundFault",
        "snapshot": "DBSnapshotNotFound",
        "cluster-snapshot": "DBClusterSnapshotNotFoundFault",
    }

    with refused(codes[arn.split(":")[5]]):
        tags(world, f"{arn}-2")


def test_policies_can_go_by_tags(world):
    kind = "db" if world.words.kind == "instance" else "cluster"
    condition = {"StringEquals": {f"rds:{kind}-tag/team": "orders"}}
    caller = world.source.role(
        "Stopper",
        policies=[policy(allow(f"rds:Stop{world.words.database}", Condition=condition))],
    ).client("rds")
    with refused("AccessDenied"):
        world.act("stop", rds=caller)

    world.source_rds.add_tags_to_resource(ResourceName=world.database[world.words.arn], Tags=TAGS)
    world.act("stop", rds=caller)
