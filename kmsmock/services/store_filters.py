"""Filters of requests by what another store does not know of its resources, such as their keys.

The store gets the request without them, and what is left out of its answer is what they do not
match. A page of the answer can then be shorter, as pages of AWS can be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kmsmock.services.beside import Changes

#: Name of a filter -> a function that returns the values of a response, such as its key.
FilterValues = Mapping[str, Callable[[Mapping[str, Any]], Iterable[str]]]


@dataclass(frozen=True, slots=True)
class FilterForm:
    """How a protocol has filters in the form of a request, with ``{}`` for their numbers."""

    #: The member with the name of a filter.
    name: str
    #: The member with a value of it.
    value: str

    def without(self, filters: Sequence[Mapping[str, Any]], taken: Collection[str]) -> Changes:
        """Return the changes of a request that leave filters out. taken: their names."""
        sent, kept = self._members(filters), [f for f in filters if f.get("Name") not in taken]
        return {} if len(kept) == len(filters) else {**dict.fromkeys(sent), **self._members(kept)}

    def _members(self, filters: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        members: dict[str, str] = {}
        for number, each in enumerate(filters, 1):
            if "Name" in each:
                members[self.name.format(number)] = each["Name"]
            for position, value in enumerate(each.get("Values", ()), 1):
                members[self.value.format(number, position)] = value
        return members


def select(
    responses: Iterable[dict[str, Any]],
    filters: Sequence[Mapping[str, Any]],
    values_of: FilterValues,
    *,
    has_wildcards: bool,
) -> list[dict[str, Any]]:
    """Return the responses that match those filters that `values_of` has.

    has_wildcards: whether ``*`` and ``?`` in the values of filters stand for other characters.
    """
    selected = list(responses)
    for each in filters:
        values = values_of.get(each.get("Name", ""))
        if values is not None:
            matches = _make_test(each.get("Values", ()), has_wildcards=has_wildcards)
            selected = [r for r in selected if any(map(matches, values(r)))]
    return selected


def _make_test(requested: Iterable[str], *, has_wildcards: bool) -> Callable[[str], bool]:
    patterns = [re.escape(value) for value in requested]
    if has_wildcards:
        patterns = [p.replace(r"\*", ".*").replace(r"\?", ".") for p in patterns]
    pattern = re.compile("|".join(patterns) or r"(?!)", re.DOTALL)
    return lambda value: pattern.fullmatch(value) is not None
