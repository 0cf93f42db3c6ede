"""Tags on volumes, snapshots and images."""

from __future__ import annotations

import pytest

from tests.authorization.documents import allow, policy
from tests.refusals import refused


def tags_of(ec2, resource):
    given = [{"Name": "resource-id", "Values": [resource]}]
    return {tag["Key"]: tag["Value"] for tag in ec2.describe_tags(Filters=given)["Tags"]}


def tags(**pairs):
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def test_tags_are_put_changed_and_taken(world):
    ec2 = world.source_ec2
    ec2.create_tags(Resources=[world.volume, world.snapshot], Tags=tags(a="1", b="2", c="3"))
    ec2.create_tags(Resources=[world.volume], Tags=tags(a="x"))
    assert tags_of(ec2, world.volume) == {"a": "x", "b": "2", "c": "3"}
    assert tags_of(ec2, world.snapshot) == {"a": "1", "b": "2", "c": "3"}

    # By key, by key and value, and one whose value is another.
    gone = [{"Key": "a"}, {"Key": "b", "Value": "2"}, {"Key": "c", "Value": "other"}]
    ec2.delete_tags(Resources=[world.volume], Tags=gone)
    assert tags_of(ec2, world.volume) == {"c": "3"}
    ec2.delete_tags(Resources=[world.volume])
    assert tags_of(ec2, world.volume) == {}


def test_tags_tell_what_they_are_on(world):
    world.source_ec2.create_tags(Resources=[world.snapshot], Tags=tags(a="1"))

    assert world.source_ec2.describe_tags()["Tags"] == [
        {"ResourceId": world.snapshot, "ResourceType": "snapshot", "Key": "a", "Value": "1"}
    ]


def test_a_snapshot_takes_tags_when_it_is_made(world):
    specification = [{"ResourceType": "snapshot", "Tags": tags(team="blue")}]
    answer = world.source_ec2.create_snapshot(
        VolumeId=world.volume, TagSpecifications=specification
    )

    assert answer["Tags"] == tags(team="blue")
    found = world.source_ec2.describe_snapshots(Filters=[{"Name": "tag:team", "Values": ["blue"]}])[
        "Snapshots"
    ]
    assert [snapshot["SnapshotId"] for snapshot in found] == [answer["SnapshotId"]]


RESERVED = "Tag keys starting with 'aws:' are reserved for internal use"
REFUSED = {
    "a reserved key": (
        tags(**{"aws:a": "1"}),
        "InvalidParameterValue",
        f"Value ( aws:a ) for parameter key is invalid. {RESERVED}",
    ),
    "no key": (
        tags(**{"": "1"}),
        "InvalidParameterValue",
        "Value ( '' ) for parameter Tag key is invalid. Tag key cannot be null or empty.",
    ),
    "a repeated key": (
        [*tags(a="1"), *tags(a="1")],
        "InvalidParameterValue",
        "Duplicate tag key 'a' specified.",
    ),
    "a long key": (tags(**{"k" * 128: "1"}), "InvalidParameterValue", None),
    "a long value": (tags(a="v" * 256), "InvalidParameterValue", None),
    "too many": (tags(**{f"k{n}": "" for n in range(51)}), "TagLimitExceeded", None),
}


@pytest.mark.parametrize("case", REFUSED)
def test_tags_that_are_refused(world, case):
    given, code, message = REFUSED[case]

    with refused(code, message):
        world.source_ec2.create_tags(Resources=[world.volume], Tags=given)

    assert tags_of(world.source_ec2, world.volume) == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([tags(**{"aws:a": "1"})], RESERVED),
        ([[*tags(Name="1"), *tags(Name="2")]], "Duplicate tag key 'Name' specified."),
        ([tags(Name="1"), tags(Name="2")], "Duplicate tag key 'Name' specified."),
    ],
    ids=["reserved", "repeated", "repeated in another specification"],
)
def test_tags_of_what_is_created_are_refused(world, given, message):
    with refused("InvalidParameterValue", message):
        world.source_ec2.create_snapshot(
            VolumeId=world.volume,
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": each} for each in given],
        )


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ("vol-0123456789abcdef0", "InvalidVolume.NotFound"),
        ("snap-0123456789abcdef0", "InvalidSnapshot.NotFound"),
        ("ami-0123456789abcdef0", "InvalidAMIID.NotFound"),
        ("i-0123456789abcdef0", "InvalidID"),
    ],
)
def test_what_is_not_there_cannot_be_tagged(world, resource, code):
    with refused(code):
        world.source_ec2.create_tags(Resources=[world.volume, resource], Tags=tags(a="1"))

    assert tags_of(world.source_ec2, world.volume) == {}


def test_policies_see_the_tags_of_a_request(world):
    blue = {"StringEquals": {"aws:RequestTag/team": "blue"}}
    statements = allow("ec2:CreateTags", Condition=blue)
    ec2 = world.source.role("Tagger", policies=[policy(statements)]).client("ec2")

    ec2.create_tags(Resources=[world.volume], Tags=tags(team="blue"))
    with refused("UnauthorizedOperation"):
        ec2.create_tags(Resources=[world.volume], Tags=tags(team="red"))


@pytest.mark.parametrize("kind", ["instance", "volume"])
def test_a_specification_for_something_else_is_refused(world, kind):
    with refused(
        "InvalidParameterValue",
        f"'{kind}' is not a valid taggable resource type for this operation.",
    ):
        world.source_ec2.create_snapshot(
            VolumeId=world.volume,
            TagSpecifications=[{"ResourceType": kind, "Tags": tags(a="1")}],
        )
