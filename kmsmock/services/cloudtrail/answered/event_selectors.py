"""Which records a trail delivers: PutEventSelectors and GetEventSelectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.services.cloudtrail import errors
from kmsmock.services.cloudtrail.answered.lookup import arn_from, find_own_trail, find_trail
from kmsmock.services.cloudtrail.answered.registry import operation
from kmsmock.services.registry import ServiceCall
from kmsmock.trail.event_selectors import (
    FIELDS,
    OPERATORS,
    AdvancedEventSelector,
    EventSelector,
)

_BASIC, _ADVANCED = "EventSelectors", "AdvancedEventSelectors"
_MAX_SELECTORS = 5
_CATEGORY = "eventCategory"
_MANAGEMENT = "Management"
#: The other categories, in which KMS has no events.
_OTHER_CATEGORIES = ("Data", "NetworkActivity")
#: The event sources that can be excluded.
_SOURCES = ("kms.amazonaws.com", "rdsdata.amazonaws.com")


@operation("PutEventSelectors", arn_from("TrailName"))
def put_event_selectors(call: ServiceCall) -> dict[str, Any]:
    """Replace the event selectors of a trail, with basic or with advanced ones."""
    parameters = call.parameters
    trail = find_own_trail(call, parameters["TrailName"])
    basic, advanced = parameters.get(_BASIC), parameters.get(_ADVANCED)
    if bool(basic) == bool(advanced):
        raise errors.InvalidEventSelectorsException(
            "A trail needs either event selectors or advanced event selectors."
        )
    if basic and len(basic) > _MAX_SELECTORS:
        raise errors.InvalidEventSelectorsException(
            f"A trail can have {_MAX_SELECTORS} event selectors at most."
        )
    if basic:
        trail.selectors = tuple(map(_read_basic, basic))
    else:
        trail.selectors = tuple(map(_read_advanced, advanced or ()))
    calls = call.backend.calls
    trail.record_settings(call.now, calls.made)
    return {"TrailARN": trail.arn, **_describe_selectors(trail.selectors)}


@operation("GetEventSelectors", arn_from("TrailName"))
def get_event_selectors(call: ServiceCall) -> dict[str, Any]:
    """Return the event selectors of a trail."""
    trail = find_trail(call, call.parameters["TrailName"])
    return {"TrailARN": trail.arn, **_describe_selectors(trail.selectors)}


def _read_basic(requested: Mapping[str, Any]) -> EventSelector:
    """Read a member of EventSelectors. Raises InvalidEventSelectorsException."""
    excluded = tuple(requested.get("ExcludeManagementEventSources", ()))
    for source in excluded:
        if source not in _SOURCES:
            raise errors.InvalidEventSelectorsException(
                f"Events of {source} cannot be excluded; those of {' and '.join(_SOURCES)} can."
            )
    return EventSelector(
        requested.get("ReadWriteType", "All"),
        requested.get("IncludeManagementEvents", True),
        excluded,
        tuple(requested.get("DataResources", ())),
    )


def _read_advanced(requested: Mapping[str, Any]) -> AdvancedEventSelector:
    """Read a member of AdvancedEventSelectors. Raises InvalidEventSelectorsException."""
    fields: dict[str, dict[str, tuple[str, ...]]] = {}
    for field in requested["FieldSelectors"]:
        conditions = {name: tuple(field[name]) for name in OPERATORS if field.get(name)}
        if not conditions or field["Field"] in fields:
            raise errors.InvalidEventSelectorsException(
                f"The field {field['Field']} needs one field selector, with conditions."
            )
        fields[field["Field"]] = conditions
    category = fields.get(_CATEGORY, {}).get("Equals", ())
    if len(category) != 1 or category[0] not in (_MANAGEMENT, *_OTHER_CATEGORIES):
        raise errors.InvalidEventSelectorsException(
            f"An advanced event selector needs {_CATEGORY} to equal one of "
            f"{', '.join((_MANAGEMENT, *_OTHER_CATEGORIES))}."
        )
    unknown = fields.keys() - FIELDS.keys()
    if unknown and category[0] == _MANAGEMENT:
        raise errors.InvalidEventSelectorsException(
            f"Management events cannot be selected by {min(unknown)}; they can by "
            f"{', '.join(FIELDS)}."
        )
    return AdvancedEventSelector(requested.get("Name"), fields)


def _describe_selectors(
    selectors: tuple[EventSelector, ...] | tuple[AdvancedEventSelector, ...],
) -> dict[str, Any]:
    basic: list[dict[str, Any]] = []
    advanced: list[dict[str, Any]] = []
    for selector in selectors:
        if isinstance(selector, EventSelector):
            basic.append(
                {
                    "ReadWriteType": selector.read_write_type,
                    "IncludeManagementEvents": selector.includes_management,
                    "DataResources": list(selector.data_resources),
                    "ExcludeManagementEventSources": list(selector.excluded),
                }
            )
            continue
        fields = [
            {"Field": name, **{operator: list(values) for operator, values in conditions.items()}}
            for name, conditions in selector.fields.items()
        ]
        name_member = {} if selector.name is None else {"Name": selector.name}
        advanced.append({**name_member, "FieldSelectors": fields})
    return {_BASIC: basic} if basic else {_ADVANCED: advanced}
