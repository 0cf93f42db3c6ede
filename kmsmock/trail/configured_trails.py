"""Trails created with CreateTrail, and the records that each delivers.

Source: AWS CloudTrail API Reference, Trail; User Guide, "Creating, updating, and managing trails".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from kmsmock.trail.event_selectors import (
    AdvancedEventSelector,
    EventSelector,
    Selector,
)
from kmsmock.trail.log_entries import Entry
from kmsmock.trail.record import Record

ALL_MANAGEMENT_EVENTS = (EventSelector(),)


class DeliverySettings(NamedTuple):
    """The settings of a trail from a time on."""

    #: The time from which these settings apply.
    at: datetime
    #: How many calls were made before that time.
    calls_before: int
    is_logging: bool
    is_multi_region: bool
    selectors: tuple[Selector, ...]


@dataclass(slots=True, eq=False)
class ConfiguredTrail:
    """One trail."""

    name: str
    arn: str
    #: The account that owns the trail.
    account: str
    home_region: str
    bucket: str
    #: The S3 key prefix of the log files; may be empty.
    prefix: str = ""
    kms_key_id: str | None = None
    includes_global: bool = True
    is_multi_region: bool = False
    is_logging: bool = False
    #: When logging was last started.
    started: datetime | None = None
    #: When logging was last stopped.
    stopped: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict)
    selectors: tuple[EventSelector, ...] | tuple[AdvancedEventSelector, ...] = ALL_MANAGEMENT_EVENTS
    _deliveries: list[DeliverySettings] = field(default_factory=list)

    @property
    def has_custom_selectors(self) -> bool:
        """Whether its event selectors differ from the default ones."""
        return self.selectors != ALL_MANAGEMENT_EVENTS

    def record_settings(self, at: datetime, calls_before: int) -> None:
        """Apply the current settings to the delivery of records from now on."""
        self._deliveries.append(
            DeliverySettings(
                at, calls_before, self.is_logging, self.is_multi_region, self.selectors
            )
        )

    def covers(self, region: str) -> bool:
        """Return whether DescribeTrails in a Region includes the trail."""
        return self.is_multi_region or region == self.home_region

    def delivers(self, entry: Entry, record: Record) -> bool:
        """Return whether a record is delivered, by the settings at its time."""
        if entry.account != self.account:
            return False
        moment = (entry.at, entry.calls_before)
        in_force = [d for d in self._deliveries if (d.at, d.calls_before) <= moment]
        if not in_force or not in_force[-1].is_logging:
            return False
        settings = in_force[-1]
        return (settings.is_multi_region or entry.region == self.home_region) and any(
            selector.matches(record) for selector in settings.selectors
        )


class Trails(dict[str, ConfiguredTrail]):
    """The trails of all accounts, by ARN."""
