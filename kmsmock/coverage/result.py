"""The coverage of a run: what its records say, computed once for all forms."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from kmsmock.coverage.records import Records
from kmsmock.coverage.summary import Summary, summarize
from kmsmock.coverage.weakness import Weakness, find_weaknesses


class Result:
    """The coverage of a run. records: of which it is, which no longer change."""

    def __init__(self, records: Records) -> None:
        self.records = records

    @cached_property
    def summary(self) -> Summary:
        """What statements and grants have decided."""
        return summarize(self.records)

    @cached_property
    def weaknesses(self) -> list[Weakness]:
        """All weakenings, and whether tests would notice them."""
        return find_weaknesses(self.records)

    def weaknesses_of(self, policy: int) -> list[Weakness]:
        """Return those of one policy. policy: its index in the records."""
        return [
            one
            for one in self.weaknesses
            if one.weakening.place == policy and not one.weakening.is_of_grant
        ]


def count_noticed(weaknesses: Iterable[Weakness]) -> tuple[int, int]:
    """Return how many weakenings tests would notice, and how many there are."""
    found = [one.noticed_by is not None for one in weaknesses]
    return sum(found), len(found)
