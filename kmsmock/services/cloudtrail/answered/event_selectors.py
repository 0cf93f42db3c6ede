"""Which records a trail delivers: PutEventSelectors and GetEventSelectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.services.cloudtrail import errors
from kmsmock.services.cloudtrail.answered.finding import find_own_trail, find_trail, named
from kmsmock.services.cloudtrail.answered.registry import operation
from kmsmock.services.registry import ServiceCall
from kmsmock.trail.event_selectors import (
    FIELDS,
    OPERATORS,
    AdvancedEventSelector,
    EventSelector,
)

_BASIC, _ADVANCED = "EventSelectors", "AdvancedEventSelectors"
_MOST = 5
_CATEGORY = "eventCategory"
_MANAGEMENT = "Management"
#: Categories beside it, of which KMS has no events.
_OTHERS = ("Data", "NetworkActivity")
_SOURCES = ("kms.amazonaws.com", "rdsdata.amazonaws.com")


@operation("PutEventSelectors", named("TrailName"))
def put_event_selectors(call: ServiceCall) -> dict[str, Any]:
    """Replace the event selectors of a trail: by basic or by advanced ones."""
    parameters = call.parameters
    trail = find_own_trail(call, parameters["TrailName"])
    basic, advanced = parameters.get(_BASIC), parameters.get(_ADVANCED)
    if bool(basic) == bool(advanced):
        raise errors.InvalidEventSelectorsException(
            "A trail needs either event selectors or advanced event selectors."
        )
    if basic and len(basic) > _MOST:
        raise errors.InvalidEventSelectorsException(
            f"A trail can have {_MOST} event selectors at most."
        )
    trail.selectors = tuple(map(_basic, basic)) if basic else tuple(map(_advanced, advanced or ()))
    calls = call.backend.calls
    trail.record_settings(call.now, calls.made)
    return {"TrailARN": trail.arn, **_shown(trail.selectors)}


@operation("GetEventSelectors", named("TrailName"))
def get_event_selectors(call: ServiceCall) -> dict[str, Any]:
    """Show the event selectors of a trail."""
    trail = find_trail(call, call.parameters["TrailName"])
    return {"TrailARN": trail.arn, **_shown(trail.selectors)}


def _basic(given: Mapping[str, Any]) -> EventSelector:
    excluded = tuple(given.get("ExcludeManagementEventSources", ()))
    for source in excluded:
        if source not in _SOURCES:
            raise errors.InvalidEventSelectorsException(
                f"Events of {source} cannot be excluded; those of {' and '.join(_SOURCES)} can."
            )
    return EventSelector(
        given.get("ReadWriteType", "All"),
        given.get("IncludeManagementEvents", True),
        excluded,
        tuple(given.get("DataResources", ())),
    )


def _advanced(given: Mapping[str, Any]) -> AdvancedEventSelector:
    fields: dict[str, dict[str, tuple[str, ...]]] = {}
    for field in given["FieldSelectors"]:
        conditions = {name: tuple(field[name]) for name in OPERATORS if field.get(name)}
        if not conditions or field["Field"] in fields:
            raise errors.InvalidEventSelectorsException(
                f"The field {field['Field']} needs conditions, in one place."
            )
        fields[field["Field"]] = conditions
    category = fields.get(_CATEGORY, {}).get("Equals", ())
    if len(category) != 1 or category[0] not in (_MANAGEMENT, *_OTHERS):
        raise errors.InvalidEventSelectorsException(
            f"An advanced event selector needs {_CATEGORY} to equal one of "
            f"{', '.join((_MANAGEMENT, *_OTHERS))}."
        )
    unknown = fields.keys() - FIELDS.keys()
    if unknown and category[0] == _MANAGEMENT:
        raise errors.InvalidEventSelectorsException(
            f"Management events cannot be selected by {min(unknown)}; they can by "
            f"{', '.join(FIELDS)}."
        )
    return AdvancedEventSelector(given.get("Name"), fields)


def _shown(
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
        named = {} if selector.name is None else {"Name": selector.name}
        advanced.append({**named, "FieldSelectors": fields})
    return {_BASIC: basic} if basic else {_ADVANCED: advanced}
