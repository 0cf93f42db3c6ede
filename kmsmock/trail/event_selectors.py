"""Event selectors: which records a trail delivers.

Source: AWS CloudTrail API Reference, EventSelector, AdvancedEventSelector, AdvancedFieldSelector.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kmsmock.trail.record import Record


class Selector(Protocol):
    """Decides which records are delivered."""

    def matches(self, record: Record) -> bool:
        """Return whether a record is to be delivered."""
        ...


@dataclass(frozen=True, slots=True)
class EventSelector:
    """A basic event selector."""

    #: ``All``, ``ReadOnly`` or ``WriteOnly``.
    read_write_type: str = "All"
    includes_management: bool = True
    #: Event sources that are not delivered, such as ``kms.amazonaws.com``.
    excluded: tuple[str, ...] = ()
    #: The data resources, as in the API; without effect, since KMS has no data events.
    data_resources: tuple[Mapping[str, Any], ...] = ()

    def matches(self, record: Record) -> bool:
        """Return whether a record is to be delivered."""
        read_only = {"ReadOnly": True, "WriteOnly": False}.get(self.read_write_type)
        return (
            self.includes_management
            and record["eventSource"] not in self.excluded
            and read_only in (None, record["readOnly"])
        )


@dataclass(frozen=True, slots=True)
class AdvancedEventSelector:
    """An advanced selector: matches what all of its fields take.

    fields: name -> operator -> values.
    """

    name: str | None
    fields: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def matches(self, record: Record) -> bool:
        """Return whether a record is to be delivered."""
        return all(
            name in FIELDS and _satisfies(FIELDS[name](record), operators)
            for name, operators in self.fields.items()
        )


#: Field of an advanced event selector -> returns the value of a record.
FIELDS: dict[str, Callable[[Record], str]] = {
    "eventCategory": lambda record: record["eventCategory"],
    "eventName": lambda record: record["eventName"],
    "eventSource": lambda record: record["eventSource"],
    "eventType": lambda record: record["eventType"],
    "readOnly": lambda record: "true" if record["readOnly"] else "false",
    "sessionCredentialFromConsole": lambda record: record.get(
        "sessionCredentialFromConsole", "false"
    ),
    "userIdentity.arn": lambda record: record["userIdentity"].get("arn", ""),
}
_POSITIVE: dict[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
}
_NEGATIVE = {"NotEquals": "Equals", "NotStartsWith": "StartsWith", "NotEndsWith": "EndsWith"}
OPERATORS = (*_POSITIVE, *_NEGATIVE)


def _satisfies(value: str, operators: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether a value satisfies one positive operator, if any, and all negative ones."""
    positive = [name for name in _POSITIVE if name in operators]
    return (
        not positive or any(_POSITIVE[n](value, v) for n in positive for v in operators[n])
    ) and not any(
        _POSITIVE[plain](value, v)
        for name, plain in _NEGATIVE.items()
        for v in operators.get(name, ())
    )
