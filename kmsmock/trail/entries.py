"""Which records there are: what each call and service event leaves, in which account and Region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import NamedTuple

from kmsmock.aws.principals import PrincipalKind
from kmsmock.ledger.call_record import Call
from kmsmock.ledger.calls import Calls
from kmsmock.ledger.service_events import ServiceEvent
from kmsmock.trail.record import (
    Record,
    owner_record,
    owners,
    primary_record,
    record_of,
    replica_record,
)
from kmsmock.trail.service_records import service_record


class Entry(NamedTuple):
    """One record that has not been made yet, and what it can be found by.

    place: how many calls came before. make: makes the record.
    """

    name: str
    account: str
    region: str
    at: datetime
    calls_before: int
    make: Callable[[], Record]

    @property
    def second(self) -> datetime:
        """The time as the record shows it, in whole seconds."""
        return self.at.replace(microsecond=0)


def entries(calls: Calls, service_events: Iterable[ServiceEvent]) -> Iterator[Entry]:
    """Give all records, oldest first: those that calls and the service have left until now."""
    kept, pending = list(calls), iter(list(service_events))
    event = next(pending, None)
    for place, call in enumerate(kept, calls.dropped):
        while event is not None and (event.at, event.calls_before) <= (call.at, place):
            yield _of_service(event)
            event = next(pending, None)
        yield from _of_call(call, place)
    if event is not None:
        yield _of_service(event)
        yield from map(_of_service, pending)


def _of_service(event: ServiceEvent) -> Entry:
    make = partial(service_record, event)
    return Entry(event.name, event.account, event.region, event.at, event.calls_before, make)


def _of_call(event: Call, place: int) -> Iterator[Entry]:
    """Give the records of a call; what a service does without a customer's key leaves none."""
    name, account, region, at = event.operation, event.account, event.region, event.at
    is_service = event.principal.kind is PrincipalKind.SERVICE
    if not is_service:
        yield Entry(name, account, region, at, place, partial(record_of, event, account))
    for owner in owners(event):
        make = partial(record_of if is_service else owner_record, event, owner)
        yield Entry(name, owner, region, at, place, make)
    if event.failure is not None:
        return
    # Of all operations, these two alone make KMS act in another Region, each in its own way.
    if name == "ReplicateKey":
        replica_region = event.parameter("ReplicaRegion")
        make = partial(replica_record, event)
        yield Entry("CreateKey", account, replica_region, at, place, make)
    elif name == "UpdatePrimaryRegion" and event.rare.second_key is not None:
        region = event.rare.second_key.region_name
        yield Entry(name, account, region, at, place, partial(primary_record, event))
