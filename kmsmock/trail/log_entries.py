"""Log entries: which records each call and service event has, in which account and Region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import NamedTuple

from kmsmock.aws.principals import PrincipalKind
from kmsmock.ledger.call_filter import concerns_key, is_name_of
from kmsmock.ledger.call_record import Call
from kmsmock.ledger.calls import Calls
from kmsmock.ledger.service_events import ServiceEvent
from kmsmock.trail.record import (
    Record,
    list_other_owners,
    make_owner_record,
    make_primary_record,
    make_record,
    make_replica_record,
)
from kmsmock.trail.service_records import make_service_record


class Entry(NamedTuple):
    """One record that is not made yet, with the attributes that searches use first."""

    name: str
    account: str
    region: str
    at: datetime
    #: How many calls were made before.
    calls_before: int
    #: Makes the record.
    make: Callable[[], Record]
    #: What it is a record of.
    origin: Call | ServiceEvent

    def concerns_key(self, reference: str) -> bool:
        """Return whether it is about a key. reference: an id, ARN, alias name or alias ARN."""
        origin = self.origin
        if isinstance(origin, Call):
            return concerns_key(origin, reference)
        return is_name_of(reference, origin.key)

    @property
    def second(self) -> datetime:
        """The time in the record, in whole seconds."""
        return self.at.replace(microsecond=0)


def list_entries(calls: Calls, service_events: Iterable[ServiceEvent]) -> Iterator[Entry]:
    """Yield the entries of calls and service events until now, oldest first."""
    kept, pending = list(calls), iter(list(service_events))
    event = next(pending, None)
    for number, call in enumerate(kept, calls.dropped):
        while event is not None and (event.at, event.calls_before) <= (call.at, number):
            yield _of_service(event)
            event = next(pending, None)
        yield from _of_call(call, number)
    if event is not None:
        yield _of_service(event)
        yield from map(_of_service, pending)


def _of_service(event: ServiceEvent) -> Entry:
    make = partial(make_service_record, event)
    return Entry(event.name, event.account, event.region, event.at, event.calls_before, make, event)


def _of_call(event: Call, calls_before: int) -> Iterator[Entry]:
    """Yield the entries of a call.

    There are none for a call of a service principal, unless it used a key of a customer.
    """
    name, account, region, at = event.operation, event.account, event.region, event.at
    is_service = event.principal.kind is PrincipalKind.SERVICE
    if not is_service:
        make = partial(make_record, event, account)
        yield Entry(name, account, region, at, calls_before, make, event)
    for owner in list_other_owners(event):
        make = partial(make_record if is_service else make_owner_record, event, owner)
        yield Entry(name, owner, region, at, calls_before, make, event)
    if event.failure is not None:
        return
    # Only these two operations have a second record, in another Region.
    if name == "ReplicateKey":
        replica_region = event.parameter("ReplicaRegion")
        make = partial(make_replica_record, event)
        yield Entry("CreateKey", account, replica_region, at, calls_before, make, event)
    elif name == "UpdatePrimaryRegion" and event.rare.second_key is not None:
        region = event.rare.second_key.region_name
        make = partial(make_primary_record, event)
        yield Entry(name, account, region, at, calls_before, make, event)
