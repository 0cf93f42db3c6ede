"""Ask the armed faults what they do to a call, before it is carried out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from kmsmock.aws.errors import ServiceError
from kmsmock.aws.prices import FREE
from kmsmock.ledger.call_record import Call as CallRecord
from kmsmock.ledger.call_record import RareFields
from kmsmock.operations.key_lookup import find_key, find_named_keys
from kmsmock.operations.registry import Call
from kmsmock.process.contexts import get_running_test
from kmsmock.state.faults import Hit


@contextlib.contextmanager
def meeting_faults(call: Call, *, is_of_client: bool) -> Iterator[Hit]:
    """Give what the armed faults do to a call, and delay its response after the block.

    is_of_client: see `ArmedFaults.take`.
    """
    faults = call.backend.faults
    hit = faults.take(_preview(call), is_of_client=is_of_client) if faults.are_armed else Hit()
    if hit.event is not None and isinstance(hit.before, ServiceError):
        # The call is not carried out, and so does not find its keys itself.
        call.keys, call.alias = list(hit.event.keys), hit.event.alias
    try:
        yield hit
    finally:
        if hit.delay:
            call.backend.clock.advance(hit.delay)


def _preview(call: Call) -> CallRecord:
    """Return a record of what is known of a call, with the keys that the request names."""
    keys, alias = find_named_keys(call)
    event = CallRecord(
        call.operation.name,
        call.principal,
        call.access_key,
        call.user_agent or "",
        call.region.name,
        keys[0] if keys else None,
        alias,
        tuple(map(call.parameters.get, call.operation.trail.request)),
        None,
        None,
        FREE,
        call.now,
        get_running_test(),
        call.request_id,
        RareFields(second_key=keys[1] if len(keys) > 1 else None),
    )
    if not keys:
        # Operations such as ListAliases take a key, but are no actions on it.
        for reference in event.key_references:
            with contextlib.suppress(ServiceError):
                return event._replace(key=find_key(call, reference))
    return event
