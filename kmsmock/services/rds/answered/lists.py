"""Filters and pages of the Describe operations.

Source: Amazon RDS API Reference, DescribeDBInstances, DescribeDBSnapshots: Filters, MaxRecords.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from kmsmock.aws import paging
from kmsmock.services.rds.errors import InvalidParameterValue
from kmsmock.services.registry import ServiceCall

T = TypeVar("T")
#: Filter -> a function that returns the values of an item, such as its identifiers.
FilterTable = Mapping[str, Callable[[T], "Iterable[str]"]]
_SMALLEST_PAGE, _LARGEST_PAGE = 20, 100


def apply_filters(call: ServiceCall, items: Iterable[T], table: FilterTable[T]) -> list[T]:
    """Return the items that match all filters of a call."""
    matching = list(items)
    for each in call.parameters.get("Filters", ()):
        values = table.get(each["Name"])
        if values is None:
            raise InvalidParameterValue(
                f"Unrecognized filter name: {each['Name']}",
                explanation=f"Supported are: {', '.join(table)}.",
            )
        values_of_filter = set(each["Values"])
        matching = [item for item in matching if not values_of_filter.isdisjoint(values(item))]
    return matching


def paginate_response(
    call: ServiceCall, operation: str, member: str, items: Sequence[T], show: Callable[[T], Any]
) -> dict[str, Any]:
    """Return the answer with one page of a list, and the marker of the next page.

    member: of the answer, that has the list.
    """
    parameters = call.parameters
    limit = parameters.get("MaxRecords", _LARGEST_PAGE)
    if not _SMALLEST_PAGE <= limit <= _LARGEST_PAGE:
        raise InvalidParameterValue(
            f"Invalid value {limit} for MaxRecords. Must be between {_SMALLEST_PAGE} and "
            f"{_LARGEST_PAGE}"
        )
    marker = parameters.get("Marker") or None
    try:
        page, next_marker = paging.paginate(
            call.backend.markers, operation, items, marker, limit, show
        )
    except paging.InvalidMarkerError:
        raise InvalidParameterValue("Marker parameter is invalid.") from None
    return {member: page} if next_marker is None else {member: page, "Marker": next_marker}
