"""Copies between Regions that are not of one partition, and where AWS copies nothing at all."""

from __future__ import annotations

import pytest

from kmsmock import mock_kms
from tests.refusals import refused
from tests.services.rds.world import EAST, TARGET, WORDS

NORTH, NORTHWEST = "cn-north-1", "cn-northwest-1"
GOV_EAST, GOV_WEST = "us-gov-east-1", "us-gov-west-1"

of_each_kind = pytest.mark.parametrize("words", WORDS, ids=lambda words: words.kind)


@pytest.fixture
def copy(words):
    """Take a snapshot in one Region and copy it in another, in a mock of the first one."""

    def copy(source_region, target_region):
        with mock_kms(isolated=True, region=source_region) as kms:
            account = kms.account(TARGET)
            rds = account.client("rds", source_region)
            word = "db_instance" if words.kind == "instance" else "db_cluster"
            getattr(rds, f"create_{word}")(**{words.identifier: "orders", **words.asked})
            take = {words.identifier: "orders", words.snapshot_identifier: "before"}
            snapshot = word.replace("_instance", "") + "_snapshot"
            arn = getattr(rds, f"create_{snapshot}")(**take)[words.snapshot][f"{words.snapshot}Arn"]
            named = {
                f"Source{words.snapshot_identifier}": arn,
                f"Target{words.snapshot_identifier}": "copy",
            }
            there = account.client("rds", target_region)
            return getattr(there, f"copy_{snapshot}")(**named)[words.snapshot]

    return copy


@of_each_kind
def test_nothing_is_copied_between_the_regions_of_china(copy):
    with refused("InvalidParameterValue"):
        copy(NORTH, NORTHWEST)


@of_each_kind
@pytest.mark.parametrize("region", [NORTH, GOV_WEST])
def test_a_copy_within_a_region_is_made_in_each_partition(words, copy, region):
    assert copy(region, region)[f"{words.snapshot}Arn"].split(":")[3] == region


@of_each_kind
def test_what_is_in_govcloud_is_copied_within_govcloud(words, copy):
    arn = copy(GOV_EAST, GOV_WEST)[f"{words.snapshot}Arn"]

    assert arn.startswith(f"arn:aws-us-gov:rds:{GOV_WEST}:")


@of_each_kind
@pytest.mark.parametrize(
    ("source", "target"),
    [(EAST, GOV_WEST), (GOV_WEST, EAST), (EAST, NORTH)],
    ids=["into GovCloud", "out of GovCloud", "into China"],
)
def test_nothing_is_copied_between_partitions(words, copy, source, target):
    with refused(words.not_found) as caught:
        copy(source, target)

    assert "is in another partition" in caught.value.__notes__[0]
