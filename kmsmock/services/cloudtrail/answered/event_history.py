"""LookupEvents: what happened in an account and Region in the last 90 days.

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

_KEPT = timedelta(days=90)
_LARGEST_PAGE = 50
_INSIGHTS = "insight"
_NAME = "EventName"
#: What makes two requests the same but for their page.
_SEARCH = ("LookupAttributes", "StartTime", "EndTime", "EventCategory")


def require_good_request(parameters: Mapping[str, Any]) -> None:
    """Raise CloudTrail's own errors for what the model forbids, before its limits are looked at."""
    size = parameters.get("MaxResults", _LARGEST_PAGE)
    if isinstance(size, int) and not 1 <= size <= _LARGEST_PAGE:
        raise errors.InvalidMaxResultsException(
            f"MaxResults must be between 1 and {_LARGEST_PAGE}, inclusive."
        )
    category = parameters.get("EventCategory", _INSIGHTS)
    if category != _INSIGHTS:
        raise errors.InvalidEventCategoryException(
            f"Invalid event category: {category}",
            explanation="Management events are found without EventCategory.",
        )


@operation("LookupEvents")
def lookup_events(call: ServiceCall) -> dict[str, Any]:
    """Return records of the caller's account and Region, newest first, page by page."""
    parameters = call.parameters
    token = parameters.get("NextToken")
    shown = None if token is None else _last_shown(call, token)
    found = _found(call, parameters, shown)
    if shown is not None and not any(r["eventID"] == shown.event_id for _, r in found):
        raise _invalid_token()
    size = parameters.get("MaxResults", _LARGEST_PAGE)
    positioned = ((_Shown(e.calls_before, r["eventID"]), (e, r)) for e, r in found)
    page, last = take_page(positioned, size, _envelope)
    return {"Events": page} if last is None else {"Events": page, "NextToken": _token(call, last)}


def _envelope(found: tuple[Entry, Record]) -> dict[str, Any]:
    entry, record = found
    return make_event(record, entry.at.astimezone(tzlocal()))


def _found(
    call: ServiceCall, parameters: Mapping[str, Any], shown: _Shown | None
) -> Iterator[tuple[Entry, Record]]:
    """Return the records that are looked for, newest first, from about the one that was shown last.

    Raises InvalidTimeRangeException, InvalidLookupAttributesException.
    """
    start, end = _time_range(parameters, call.now)
    attribute = _attribute(parameters)
    if "EventCategory" in parameters:
        return iter(())  # Insights events, which come of what the mock does not do
    start = max(start or call.now - _KEPT, call.now - _KEPT)
    backend = call.backend
    name = attribute["AttributeValue"] if attribute and attribute["AttributeKey"] == _NAME else None
    found = [
        entry
        for entry in list_entries(backend.calls, backend.service_events)
        if name in (None, entry.name)
        and entry.account == call.account
        and entry.region == call.region
        and start <= entry.at
        and (end is None or entry.second <= end)
    ]
    newest_first: Iterable[Entry] = reversed(found)
    if shown is not None:
        # Newer ones are not even made: there may be many, for each of many pages.
        newest_first = dropwhile(lambda entry: entry.calls_before > shown.place, newest_first)
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
            explanation=f"On the mock's clock it is {now.isoformat()}.",
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
            explanation="In small letters, as text.",
        )
    return attribute


# --- pages --------------------------------------------------------------------------------------


class _Shown(NamedTuple):
    """The last event of a page, so that newer ones in between change no other page.

    place: how many calls came before.
    """

    place: int
    event_id: str


def _token(call: ServiceCall, last: _Shown) -> str:
    return call.backend.markers.sign(_list_name(call), f"{last.place} {last.event_id}")


def _last_shown(call: ServiceCall, token: str) -> _Shown:
    try:
        place, event_id = call.backend.markers.verify(_list_name(call), token).split()
    except InvalidMarkerError:
        raise _invalid_token() from None
    return _Shown(int(place), event_id)


def _list_name(call: ServiceCall) -> str:
    search = {name: call.parameters.get(name) for name in _SEARCH}
    return f"LookupEvents {json.dumps(search, default=str)}"


def _invalid_token() -> errors.InvalidNextTokenException:
    return errors.InvalidNextTokenException(
        "Invalid NextToken.",
        explanation="A token goes with the same attribute and times as the request it came from.",
    )
