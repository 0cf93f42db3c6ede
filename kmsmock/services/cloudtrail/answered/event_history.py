"""LookupEvents: the events of an account and Region in the last 90 days.

Source: AWS CloudTrail API Reference, LookupEvents; User Guide, "Viewing events with event history".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import dropwhile
from typing import Any, NamedTuple

from dateutil.tz import tzlocal

from kmsmock.aws.paging import InvalidMarkerError, take_page
from kmsmock.services.cloudtrail import errors
from kmsmock.services.cloudtrail.answered.registry import operation
from kmsmock.services.registry import ServiceCall
from kmsmock.trail.event_history import ATTRIBUTES, make_event
from kmsmock.trail.log_entries import Entry, list_entries
from kmsmock.trail.record import Record

_HISTORY = timedelta(days=90)
_MAX_PAGE_SIZE = 50
_INSIGHTS = "insight"
_NAME = "EventName"
#: The parameters that must be the same for all pages.
_SEARCH = ("LookupAttributes", "StartTime", "EndTime", "EventCategory")


def require_valid_request(parameters: Mapping[str, Any]) -> None:
    """Raise CloudTrail's own errors for values that the model forbids too.

    Raises InvalidMaxResultsException, InvalidEventCategoryException.
    """
    size = parameters.get("MaxResults", _MAX_PAGE_SIZE)
    if isinstance(size, int) and not 1 <= size <= _MAX_PAGE_SIZE:
        raise errors.InvalidMaxResultsException(
            f"MaxResults must be between 1 and {_MAX_PAGE_SIZE}, inclusive."
        )
    category = parameters.get("EventCategory", _INSIGHTS)
    if category != _INSIGHTS:
        raise errors.InvalidEventCategoryException(
            f"Invalid event category: {category}",
            explanation="Leave EventCategory out to look up management events.",
        )


@operation("LookupEvents")
def lookup_events(call: ServiceCall) -> dict[str, Any]:
    """Return records of the caller's account and Region, newest first, page by page."""
    parameters = call.parameters
    token = parameters.get("NextToken")
    last = None if token is None else _read_token(call, token)
    matches = _find_records(call, parameters, last)
    if last is not None and not any(r["eventID"] == last.event_id for _, r in matches):
        raise _invalid_token()
    size = parameters.get("MaxResults", _MAX_PAGE_SIZE)
    page, has_next = take_page(matches, size)
    events = [_envelope(match) for match in page]
    if not has_next:
        return {"Events": events}
    entry, record = page[-1]
    last = _Position(entry.calls_before, record["eventID"])
    return {"Events": events, "NextToken": _token(call, last)}


def _envelope(match: tuple[Entry, Record]) -> dict[str, Any]:
    entry, record = match
    return make_event(record, entry.at.astimezone(tzlocal()))


def _find_records(
    call: ServiceCall, parameters: Mapping[str, Any], last: _Position | None
) -> Iterator[tuple[Entry, Record]]:
    """Return the records that a request looks up, newest first.

    last: the last event of the previous page; later events are left out. Raises
    InvalidTimeRangeException, InvalidLookupAttributesException.
    """
    start, end = _time_range(parameters, call.now)
    attribute = _attribute(parameters)
    if "EventCategory" in parameters:
        return iter(())  # Insights events, which are not emulated
    backend = call.backend
    name = attribute["AttributeValue"] if attribute and attribute["AttributeKey"] == _NAME else None
    matches = [
        entry
        for entry in list_entries(backend.calls, backend.service_events)
        if name in (None, entry.name)
        and entry.account == call.account
        and entry.region == call.region
        and call.now - entry.at <= _HISTORY
        and (start is None or start <= entry.at)
        and (end is None or entry.second <= end)
    ]
    newest_first: Iterable[Entry] = reversed(matches)
    if last is not None:
        # The records of later events are not made: there may be many, for each of many pages.
        newest_first = dropwhile(lambda entry: entry.calls_before > last.calls_before, newest_first)
    records = ((entry, entry.make()) for entry in newest_first)
    if attribute is None:
        return records
    values_of, value = ATTRIBUTES[attribute["AttributeKey"]], attribute["AttributeValue"]
    return ((entry, record) for entry, record in records if value in values_of(record))


def _time_range(
    parameters: Mapping[str, Any], now: datetime
) -> tuple[datetime | None, datetime | None]:
    start, end = parameters.get("StartTime"), parameters.get("EndTime")
    if start is not None and start > now:
        raise errors.InvalidTimeRangeException(
            "The start time must not be in the future.",
            explanation=f"The time of the mock's clock is {now.isoformat()}.",
        )
    if start is not None and end is not None and start > end:
        raise errors.InvalidTimeRangeException("The start time must not be after the end time.")
    return start, end


def _attribute(parameters: Mapping[str, Any]) -> Mapping[str, str] | None:
    attributes = parameters.get("LookupAttributes", ())
    if len(attributes) > 1:
        raise errors.InvalidLookupAttributesException("Only one lookup attribute can be specified.")
    attribute: Mapping[str, str] | None = next(iter(attributes), None)
    if (
        attribute is not None
        and attribute["AttributeKey"] == "ReadOnly"
        and attribute["AttributeValue"] not in ("true", "false")
    ):
        raise errors.InvalidLookupAttributesException(
            "The value of ReadOnly must be true or false.",
            explanation="It is a string, in lower case.",
        )
    return attribute


# --- pages --------------------------------------------------------------------------------------


class _Position(NamedTuple):
    """An event from which the next page continues, however many events have followed since.

    calls_before: the number of earlier calls.
    """

    calls_before: int
    event_id: str


def _token(call: ServiceCall, last: _Position) -> str:
    return call.backend.markers.sign(_list_name(call), f"{last.calls_before} {last.event_id}")


def _read_token(call: ServiceCall, token: str) -> _Position:
    try:
        calls_before, event_id = call.backend.markers.verify(_list_name(call), token).split()
    except InvalidMarkerError:
        raise _invalid_token() from None
    return _Position(int(calls_before), event_id)


def _list_name(call: ServiceCall) -> str:
    search = {name: call.parameters.get(name) for name in _SEARCH}
    return f"LookupEvents {json.dumps(search, default=str)}"


def _invalid_token() -> errors.InvalidNextTokenException:
    return errors.InvalidNextTokenException(
        "Invalid NextToken.",
        explanation="A token is valid with the lookup attributes and times of its first request.",
    )
