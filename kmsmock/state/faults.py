"""The armed faults of a mock, and what they do to a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kmsmock.aws.disruptions import CorruptResponse, Disruption
from kmsmock.aws.errors import ServiceError
from kmsmock.ledger.call_record import Call
from kmsmock.ledger.calls import Calls
from kmsmock.ledger.known_names import KnownNames
from kmsmock.process.contexts import Context, get_context
from kmsmock.state.fault import NO_DELAY, Fault, QuotaFault
from kmsmock.state.fault_messages import explain_unfired
from kmsmock.state.request_quotas import RequestQuotas


@dataclass(slots=True)
class Hit:
    """What the armed faults do to one call."""

    #: A record of what was known of the call before.
    event: Call | None = None
    #: What the client gets, instead of carrying out the operation.
    before: ServiceError | Disruption | None = None
    #: The fault that replaces the response, if the operation succeeds.
    after: Fault | None = None
    #: How much later the response arrives.
    delay: timedelta = NO_DELAY


class ArmedFaults:
    """The armed faults of one mock, in the order in which they were armed.

    calls: the records of the mock's calls. names: those that calls can have. quotas: apply those
    faults that are quotas.
    """

    def __init__(self, calls: Calls, names: KnownNames, quotas: RequestQuotas) -> None:
        self._calls = calls
        self._names = names
        self._quotas = quotas
        self._faults: list[Fault] = []
        #: Those that are asked about each call; not quotas.
        self._of_calls: list[Fault] = []
        #: Whether any fault can hit a call. Every call reads it, so it is kept and not computed.
        self.are_armed = False
        #: Whether the mock is one of the fixtures, which fail tests whose faults did not fire.
        self.are_checked = False

    @property
    def next_number(self) -> int:
        """A number that no armed fault has; the same whatever was armed and has ended before."""
        return max((fault.number for fault in self._faults), default=-1) + 1

    @property
    def last_call(self) -> Call | None:
        """The last call that has been made, if any."""
        return self._calls[-1] if self._calls else None

    @property
    def armed(self) -> list[Fault]:
        """The faults that can hit further calls."""
        return [fault for fault in self._faults if fault.is_armed]

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        self._faults.append(fault)
        self._update()

    def can_hit(self, operation: str) -> bool:
        """Return whether any fault can hit a call of an operation."""
        return any(fault.is_armed and fault.can_hit(operation) for fault in self._of_calls)

    def has_armed(self, fault: Fault) -> bool:
        """Return whether a fault is still armed."""
        return fault.is_armed and fault in self._faults

    def find_of_consistency(self) -> Fault | None:
        """Return the fault because of which changes are seen late at present."""
        if not self.are_armed:
            return None
        late = (each for each in self._faults if each.is_armed and each.effect.seen_within)
        return next(late, None)

    def take(self, event: Call, *, is_of_client: bool) -> Hit:
        """Return what the faults do to a call that is about to be carried out.

        event: a record of what is known of the call. is_of_client: whether it is an HTTP request of
        a client, and not the call of a service. All faults count the call; of those that hit it the
        first one fires, and all delays.
        """
        hit = Hit(event)
        hitting = [each for each in self._of_calls if each.see(event, is_of_client=is_of_client)]
        for fault in hitting:
            effect = fault.effect
            if effect.outcome is None:
                fault.fired += 1
                hit.delay += effect.delay
            elif not effect.after_effect and hit.before is None:
                hit.before = fault.fire(event)
            elif effect.after_effect and hit.after is None:
                hit.after = fault
        self._update()
        return hit

    def deliver(
        self, hit: Hit, result: dict[str, Any] | ServiceError
    ) -> dict[str, Any] | ServiceError | Disruption:
        """Return what the client gets instead of the result of an operation, or that result.

        A fault after the effect waits for a call that has one.
        """
        if hit.after is None or hit.event is None or isinstance(result, ServiceError):
            return result
        outcome = hit.after.fire(hit.event)
        self._update()
        return outcome._replace(result=result) if isinstance(outcome, CorruptResponse) else outcome

    def explain_unfired(self) -> list[str]:
        """Return the lines of a message about the faults that hit fewer calls than they were to."""
        return self._explain([fault for fault in self._faults if fault.is_unfired])

    def iterate_fired(self) -> Iterator[Fault]:
        """Yield the faults that have hit a call and have not ended."""
        return (fault for fault in self._faults if fault.fired)

    def end(self, has_ended: Callable[[Context], bool]) -> list[str]:
        """Disarm the faults of contexts that have ended, such as a test.

        Return the lines of a message about those that hit fewer calls than they were to, unless
        the mock is none of the fixtures, or the test has asserted it itself.
        """
        ended = [fault for fault in self._faults if has_ended(fault.owner)]
        self._faults = [fault for fault in self._faults if fault not in ended]
        for fault in self._faults:
            if fault.disarmed_by is not None and has_ended(fault.disarmed_by):
                fault.disarmed_by = None
        self._update()
        if not self.are_checked:
            return []
        return self._explain([each for each in ended if each.is_unfired and not each.is_reported])

    def clear(self) -> None:
        """Disarm all faults; those of contexts that last longer are armed again at its end."""
        context = get_context()
        self._faults = [fault for fault in self._faults if fault.owner.rank < context.rank]
        for fault in self._faults:
            fault.disarmed_by = fault.disarmed_by or context
        self._update()

    def _explain(self, unfired: list[Fault]) -> list[str]:
        for fault in unfired:
            fault.is_reported = True
        return [
            line
            for fault in unfired
            for line in explain_unfired(fault, self._calls, self._find_mistake(fault))
        ]

    def _find_mistake(self, fault: Fault) -> str | None:
        """Return why no call can match a fault; None if one can."""
        if fault.seen:
            return None
        try:
            self._names.require(fault.calls, self._calls)
        except ValueError as mistake:
            return str(mistake)
        return None

    def _update(self) -> None:
        self._of_calls = [each for each in self._faults if not isinstance(each, QuotaFault)]
        self.are_armed = any(fault.is_armed for fault in self._of_calls)
        quotas = [each for each in self._faults if isinstance(each, QuotaFault) and each.is_armed]
        self._quotas.arm(quotas)
