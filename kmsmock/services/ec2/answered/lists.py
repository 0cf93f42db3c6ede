"""Filters and pages of the Describe operations.

Source: Amazon EC2 API Reference, "Filtering", "Pagination".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from kmsmock.aws.paging import InvalidMarkerError, paginate
from kmsmock.services.ec2.answered.registry import account_region
from kmsmock.services.ec2.errors import InvalidNextToken, InvalidParameterValue
from kmsmock.services.registry import ServiceCall
from kmsmock.timing.dates import format_milliseconds

T = TypeVar("T")
#: Filter -> a function that returns the values of an item.
FilterTable = Mapping[str, Callable[[T], "Iterable[object]"]]
_SMALLEST_PAGE, _LARGEST_PAGE = 5, 1000


def apply_filters(
    call: ServiceCall, items: Iterable[T], table: FilterTable[T], id_of: Callable[[T], str]
) -> list[T]:
    """Return the items that match all filters of a call.

    Filters whose names begin with ``tag`` compare the tags of the id that `id_of` returns.
    """
    checks: list[tuple[Callable[[T], Iterable[object]], Callable[[str], bool]]] = []
    for requested in call.parameters.get("Filters", ()):
        name = requested.get("Name", "")
        values = table.get(name) or _tag_values(call, name, id_of)
        if values is None:
            raise InvalidParameterValue(
                f"The filter '{name}' is invalid",
                explanation=f"Supported are: {', '.join(table)}, tag:<key>, tag-key.",
            )
        checks.append((values, _make_value_test(requested.get("Values", ()))))
    return [
        item
        for item in items
        if all(any(matches(_to_text(v)) for v in values(item)) for values, matches in checks)
    ]


def _tag_values(
    call: ServiceCall, name: str, id_of: Callable[[T], str]
) -> Callable[[T], Iterable[object]] | None:
    tags = account_region(call).tags
    if name == "tag-key":
        return lambda item: tags.get(id_of(item), {})
    if name == "tag-value":
        return lambda item: tags.get(id_of(item), {}).values()
    kind, _, key = name.partition(":")
    if kind != "tag" or not key:
        return None
    return lambda item: [v for k, v in tags.get(id_of(item), {}).items() if k == key]


def _make_value_test(values: Sequence[str]) -> Callable[[str], bool]:
    """Return the test of a filter's values, in which ``*`` and ``?`` are wildcards."""
    alternatives = "|".join(
        re.escape(value).replace(r"\*", ".*").replace(r"\?", ".") for value in values
    )
    matches = re.compile(alternatives, re.DOTALL).fullmatch
    return lambda text: matches(text) is not None


def _to_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return format_milliseconds(value)
    return "" if value is None else str(value)


def paginate_response(
    call: ServiceCall, operation: str, member: str, items: Sequence[T], show: Callable[[T], Any]
) -> dict[str, Any]:
    """Return the answer with one page of a list, and the token of the next page.

    member: of the answer, that has the list. show: returns an item in the form of answers.
    """
    parameters = call.parameters
    limit = parameters.get("MaxResults")
    if limit is not None and not _SMALLEST_PAGE <= limit <= _LARGEST_PAGE:
        raise InvalidParameterValue(
            f"Value ( {limit} ) for parameter maxResults is invalid. Expecting a value between "
            f"{_SMALLEST_PAGE} and {_LARGEST_PAGE}."
        )
    token = parameters.get("NextToken") or None
    try:
        page, next_token = paginate(call.backend.markers, operation, items, token, limit, show)
    except InvalidMarkerError:
        raise InvalidNextToken(f"The token '{token}' is invalid") from None
    return {member: page} if next_token is None else {member: page, "NextToken": next_token}
