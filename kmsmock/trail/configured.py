"""Trails that CreateTrail has made: what each delivers, and since when.

Source: AWS CloudTrail API Reference, Trail; User Guide, "Creating, updating, and managing trails".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from kmsmock.trail.entries import Entry
from kmsmock.trail.record import Record
from kmsmock.trail.selectors import (
    AdvancedEventSelector,
    EventSelector,
    Selector,
)

EVERYTHING = (EventSelector(),)


class Delivery(NamedTuple):
    """What holds for the deliveries of a trail from a moment on.

    at and place: when, and how many calls came before.
    """

    at: datetime
    calls_before: int
    is_logging: bool
    is_multi_region: bool
    selectors: tuple[Selector, ...]


@dataclass(slots=True, eq=False)
class ConfiguredTrail:
    """One trail of an account. arn: of its home Region. prefix: of the files, or empty.

    started and stopped: when logging last was.
    """

    name: str
    arn: str
    account: str
    home_region: str
    bucket: str
    prefix: str = ""
    kms_key_id: str | None = None
    includes_global: bool = True
    is_multi_region: bool = False
    is_logging: bool = False
    started: datetime | None = None
    stopped: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict)
    selectors: tuple[EventSelector, ...] | tuple[AdvancedEventSelector, ...] = EVERYTHING
    _deliveries: list[Delivery] = field(default_factory=list)

    @property
    def has_custom_selectors(self) -> bool:
        """Whether it does not just deliver everything."""
        return self.selectors != EVERYTHING

    def settle(self, at: datetime, place: int) -> None:
        """Let deliveries follow a change of settings, from now on."""
        self._deliveries.append(
            Delivery(at, place, self.is_logging, self.is_multi_region, self.selectors)
        )

    def covers(self, region: str) -> bool:
        """Tell whether the trail is shown in a Region."""
        return self.is_multi_region or region == self.home_region

    def delivers(self, entry: Entry, record: Record) -> bool:
        """Tell whether a record is delivered, by the settings of its time."""
        if entry.account != self.account:
            return False
        moment = (entry.at, entry.calls_before)
        in_force = [d for d in self._deliveries if (d.at, d.calls_before) <= moment]
        if not in_force or not in_force[-1].is_logging:
            return False
        settings = in_force[-1]
        return (settings.is_multi_region or entry.region == self.home_region) and any(
            selector.takes(record) for selector in settings.selectors
        )


class Trails(dict[str, ConfiguredTrail]):
    """The trails of all accounts, by ARN."""
