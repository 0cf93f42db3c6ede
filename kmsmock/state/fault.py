"""One armed fault: which calls it hits, and what it does to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from kmsmock.access.denial import format_access_denied
from kmsmock.aws.disruptions import Disruption
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.aws.quotas import Rate, Scope
from kmsmock.ledger.call_filter import CallFilter
from kmsmock.ledger.call_record import Call
from kmsmock.ledger.request_rates import Interval
from kmsmock.misuse.public_object import PublicObject
from kmsmock.process.contexts import Context

NO_DELAY = timedelta()
#: Members of a fault that tests do not need.
_INTERNAL = (
    *("can_hit", "disarmed_by", "due", "entropy", "fire", "is_reported", "matches", "number"),
    *("owner", "see"),
)

_INTERNAL_OF_QUOTAS = ("covers", "elsewhere", "note", "note_elsewhere", "quota", "rate")


def _write_access_denied(event: Call) -> str:
    action = OPERATION_FACTS[event.operation].permissions[0].action
    reason = f"because no identity-based policy allows the {action} action"
    on_resource = f"on resource: {event.key_arn or '*'}"
    return format_access_denied(event.principal, action, on_resource, reason)


#: Error code -> function that returns AWS's message for a call, where it depends on the call; None
#: if it is about a key and the call is not.
_TEXTS_OF_CALLS: dict[str, Callable[[Call], str | None]] = {
    "AccessDeniedException": _write_access_denied,
    "DisabledException": lambda event: event.key_arn and f"{event.key_arn} is disabled.",
    "NotFoundException": lambda event: event.key_arn and f"Key '{event.key_arn}' does not exist",
}


class Effect(NamedTuple):
    """What a fault does to a call."""

    #: What it is called in messages, such as an error code.
    name: str
    #: What the client gets instead of the response; None for the response.
    outcome: ServiceError | Disruption | None = None
    #: Whether the operation is carried out before.
    after_effect: bool = False
    #: How much later the response arrives, on the mock's clock.
    delay: timedelta = NO_DELAY
    #: Within which time all nodes see what calls change from now on; no time for faults of calls.
    seen_within: timedelta = NO_DELAY

    @property
    def is_disruption(self) -> bool:
        """Whether it happens on the network, so that it can only hit HTTP requests of clients."""
        return self.outcome is not None and not isinstance(self.outcome, ServiceError)


@dataclass(eq=False, repr=False)
class Fault(PublicObject, internal=_INTERNAL):
    """One armed fault."""

    effect: Effect
    #: The calls that match.
    calls: CallFilter
    #: The operations that it can hit; None for all that match.
    operations: frozenset[str] | None
    #: How many calls it hits; None for all.
    times: int | None
    #: The number of the first matching call that it hits, from 1.
    on_call: int
    #: How probable it is that it hits such a call; 1 for always.
    probability: float
    #: Whether it may never fire.
    optional: bool
    #: Distinguishes the armed faults of a mock.
    number: int
    #: Returns so many random bytes, which decide with a probability.
    entropy: Callable[[int], bytes]
    #: The last call that had been made when it was armed.
    armed_after: Call | None
    #: What has armed it, such as a test: the fault ends with it.
    owner: Context
    #: What has disarmed it, if it ends before the owner does.
    disarmed_by: Context | None = None
    #: How many calls matched.
    seen: int = 0
    #: How many calls it could have hit, from number `on_call` on.
    due: int = 0
    #: How many calls it has hit.
    fired: int = 0
    #: Whether an assertion of the test has reported that it did not fire.
    is_reported: bool = False

    @property
    def is_armed(self) -> bool:
        """Whether it can hit a further call."""
        is_left = self.times is None or self.fired < self.times
        return is_left and self.disarmed_by is None

    @property
    def is_unfired(self) -> bool:
        """Whether it has hit fewer calls than it was to.

        A fault with a probability need not hit any call, but there must have been one that it could
        have hit.
        """
        if self.optional or self.disarmed_by is not None:
            return False
        if self.probability < 1:
            return self.due == 0
        return self.fired < (1 if self.times is None else self.times)

    def can_hit(self, operation: str) -> bool:
        """Return whether it can hit calls of an operation."""
        return self.calls.operation in (None, operation) and (
            self.operations is None or operation in self.operations
        )

    def matches(self, event: Call) -> bool:
        """Return whether a call matches."""
        return self.can_hit(event.operation) and self.calls.matches(event)

    def see(self, event: Call, *, is_of_client: bool) -> bool:
        """Count a call if it matches; return whether the fault is to hit it."""
        if not self.is_armed or not self.matches(event):
            return False
        if self.effect.is_disruption and not is_of_client:
            return False
        self.seen += 1
        if self.seen < self.on_call:
            return False
        self.due += 1
        return int.from_bytes(self.entropy(8), "big") < self.probability * 2**64

    def fire(self, event: Call) -> ServiceError | Disruption:
        """Count a call that it hits; return what the client gets instead of the response."""
        self.fired += 1
        outcome = self.effect.outcome
        assert outcome is not None
        if not isinstance(outcome, ServiceError):
            return outcome
        # A new one, since the explanation of an error can be extended.
        text = outcome.message
        if text is None and outcome.code in _TEXTS_OF_CALLS:
            text = _TEXTS_OF_CALLS[outcome.code](event)
        error = type(outcome)(text, explanation=outcome.explanation)
        error.is_retried = outcome.is_retried
        error.is_injected = True
        return error

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        often = "" if self.times is None else f" of {self.times}"
        calls = str(self.calls) if self.calls.operation else str(self.calls).replace("a call", "*")
        return f"{self.effect.name} on {calls}, fired {self.fired}{often} times"


@dataclass(eq=False, repr=False)
class QuotaFault(Fault, internal=_INTERNAL_OF_QUOTAS):
    """An armed request quota; it hits the requests that are too many in a second.

    Its requests are counted by `RequestQuotas`, and not by `see`.
    """

    #: The name of the quota.
    quota: str = field(kw_only=True)
    #: Its value.
    rate: Rate = field(kw_only=True)
    #: The interval with the most requests; None before the first one.
    fullest: Interval | None = field(default=None, kw_only=True)
    #: Another quota -> how many requests it has throttled that this one has, too.
    elsewhere: dict[str, int] = field(default_factory=dict, kw_only=True)

    def covers(self, scope: Scope) -> bool:
        """Return whether it is the quota of requests of an account and Region."""
        account, region = self.calls.members.get("account"), self.calls.members.get("region")
        return (
            self.quota == scope.quota
            and account in (None, scope.account)
            and region in (None, scope.region)
        )

    def note(self, interval: Interval) -> None:
        """Note an interval that a request was added to."""
        self.seen += 1
        if self.fullest is None or interval.requests >= self.fullest.requests:
            self.fullest = interval

    def note_elsewhere(self, quota: str) -> None:
        """Note a request that does not count, since another quota has throttled it."""
        self.elsewhere[quota] = self.elsewhere.get(quota, 0) + 1

    def __str__(self) -> str:
        terms = ", ".join(f"{name}={value!r}" for name, value in self.calls.members.items())
        whose = f" with {terms}" if terms else ""
        return f"a quota of {self.rate} for {self.quota}{whose}, fired {self.fired} times"
