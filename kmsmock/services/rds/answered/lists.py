"""Filters and pages of the Describe operations.

Source: Amazon RDS API Reference, DescribeDBInstances, DescribeDBSnapshots: Filters, MaxRecords.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from kmsmock.services.rds.errors import InvalidParameterValue
from kmsmock.services.registry import ServiceCall

T = TypeVar("T")
#: Filter -> the values that let a thing through: identifiers and the like.
FilterTable = Mapping[str, Callable[[T], "Iterable[str]"]]
_SMALLEST_PAGE, _LARGEST_PAGE = 20, 100


def apply_filters(call: ServiceCall, things: Iterable[T], table: FilterTable[T]) -> list[T]:
    """Give the things that all filters of a call let through."""
    left = list(things)
    for each in call.parameters.get("Filters", ()):
        values = table.get(each["Name"])
        if values is None:
            raise InvalidParameterValue(
                f"Unrecognized filter name: {each['Name']}",
                explanation=f"Known here are: {', '.join(table)}.",
            )
        wanted = set(each["Values"])
        left = [thing for thing in left if not wanted.isdisjoint(values(thing))]
    return left


def paginate(
    call: ServiceCall, operation: str, member: str, things: Sequence[T], show: Callable[[T], Any]
) -> dict[str, Any]:
    """Give one page of a list, and the marker of the next."""
    parameters = call.parameters
    most = parameters.get("MaxRecords", _LARGEST_PAGE)
    if not _SMALLEST_PAGE <= most <= _LARGEST_PAGE:
        raise InvalidParameterValue(
            f"Invalid value {most} for MaxRecords. Must be between {_SMALLEST_PAGE} and "
            f"{_LARGEST_PAGE}"
        )
    start: int | None = 0
    marker = parameters.get("Marker")
    if marker:
        start = call.backend.markers.open(operation, marker)
        if start is None:
            raise InvalidParameterValue("Marker parameter is invalid.")
    assert start is not None
    end = start + most
    answer: dict[str, Any] = {member: [show(thing) for thing in things[start:end]]}
    if end < len(things):
        answer["Marker"] = call.backend.markers.seal(operation, end)
    return answer
