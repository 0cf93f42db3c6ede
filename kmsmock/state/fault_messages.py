"""Messages about faults that did not fire: the nearest call, and why the fault did not hit it."""

from __future__ import annotations

from collections.abc import Sequence

from kmsmock.ledger.assertion_messages import count_by_operation, explain_nearest, list_calls
from kmsmock.ledger.call_record import Call
from kmsmock.ledger.calls import Calls
from kmsmock.ledger.request_rates import Interval, list_operations
from kmsmock.state.fault import Fault, QuotaFault


def explain_unfired(fault: Fault, calls: Calls, mistake: str | None = None) -> list[str]:
    """Return the lines of a message about a fault that hit fewer calls than it was to.

    calls: the records of the mock's calls. mistake: why no call can match, if that is known.
    """
    earlier, later = _split(list(calls), fault.armed_after)
    if isinstance(fault, QuotaFault):
        reason = _explain_quota(fault, later)
    elif fault.effect.seen_within:
        reason = [_explain_seen(fault)]
    else:
        reason = _explain(fault, later, [event for event in earlier if fault.matches(event)])
    reasons = reason if mistake is None else [mistake, *reason]
    return [f"  {fault}", *(f"    {line}" for line in reasons)]


def _split(events: list[Call], last: Call | None) -> tuple[list[Call], list[Call]]:
    """Split calls after the last one that had been made when a fault was armed.

    If that one is no longer recorded, all that are left are later ones.
    """
    number = next((n for n in range(len(events), 0, -1) if events[n - 1] is last), 0)
    return events[:number], events[number:]


def _explain(fault: Fault, events: Sequence[Call], earlier: Sequence[Call]) -> list[str]:
    """Explain why a fault did not fire.

    events: the calls since it was armed. earlier: those before it that match.
    """
    matching = [event for event in events if fault.matches(event)]
    if fault.seen:
        number = "1 call" if fault.seen == 1 else f"{fault.seen} calls"
        return [f"{number} matched{_explain_waiting(fault)}", *list_calls(matching)]
    if matching:
        return ["these were calls of services, which have no HTTP request:", *list_calls(matching)]
    if not events:
        if earlier:
            return ["it was armed too late, after these calls:", *list_calls(earlier)]
        return ["no call has been made since it was armed"]
    lines = [f"calls since it was armed: {count_by_operation(events)}"]
    others = {event.operation for event in events if fault.calls.matches(event)}
    if others:
        return [*lines, f"{', '.join(sorted(others))} cannot fail with {fault.effect.name}"]
    of_operation = [event for event in events if event.operation == fault.calls.operation]
    return [*lines, *explain_nearest(fault.calls, of_operation or events, events)]


def _explain_seen(fault: Fault) -> str:
    """Explain why no call has missed a change."""
    if not fault.seen:
        return "no call has changed a key, alias or grant since it was armed"
    changes = "1 change was" if fault.seen == 1 else f"{fault.seen} changes were"
    return f"{changes} made, but no later call was answered by a node that needed to know of it"


def _explain_quota(fault: QuotaFault, events: Sequence[Call]) -> list[str]:
    """Explain why an armed quota did not throttle. events: the calls since it was armed."""
    fullest = fault.fullest
    elsewhere = [_explain_elsewhere(*item) for item in fault.elsewhere.items()]
    if isinstance(fullest, Interval):
        made = sum(fullest.operations.values())
        were = "1 request was" if made == 1 else f"{made:,} requests were"
        operations = list_operations(fullest.operations, fault.quota)
        seconds = "a second" if fullest.seconds == 1 else f"{fullest.seconds:,} seconds"
        return [
            f"at most {were} made in {seconds}, from "
            f"{fullest.start:%Y-%m-%d %H:%M:%S} UTC on: {operations}",
            *elsewhere,
        ]
    if elsewhere:
        return elsewhere
    if not events:
        return ["no call has been made since it was armed"]
    return [f"calls since it was armed: {count_by_operation(events)}, which do not count here"]


def _explain_elsewhere(quota: str, requests: int) -> str:
    """Explain that requests do not count, since another quota has throttled them before."""
    were = "1 request was" if requests == 1 else f"{requests:,} requests were"
    do = "does" if requests == 1 else "do"
    return f"{were} throttled by another quota, and {do} not count here: {quota}"


def _explain_waiting(fault: Fault) -> str:
    if fault.due == 0:
        return f", but it waits for number {fault.on_call}"
    if fault.effect.after_effect and fault.due > fault.fired:
        return ", but it only hits calls that have succeeded"
    return ""
