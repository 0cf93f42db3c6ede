"""How many requests were made in a second, for each request quota: read from records of calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kmsmock.aws.arns import Arn
from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.aws.principals import Principal
from kmsmock.aws.quotas import Rate, Scope, count_requests, find_weight
from kmsmock.keys.key import Key
from kmsmock.ledger.call_record import Call

_THROTTLED = "ThrottlingException"


@dataclass(slots=True)
class Interval:
    """The requests of one interval of a quota.

    An interval, as a rule a second, begins with its first request. When the seconds of AWS begin is
    not published; in this way, the same requests have the same results in each run.

    Source: AWS KMS Developer Guide, "Request quotas": in each one-second interval.
    """

    start: datetime
    #: How long it lasts, in seconds.
    seconds: int
    requests: int = 0
    #: Operation -> the number of its requests.
    operations: dict[str, int] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        """When the next interval can begin; the last possible time where that is later."""
        try:
            return self.start + timedelta(seconds=self.seconds)
        except OverflowError:
            return datetime.max.replace(tzinfo=self.start.tzinfo)

    def includes(self, time: datetime) -> bool:
        """Return whether a request at a time is in this interval."""
        return 0 <= (time - self.start).total_seconds() < self.seconds

    def add(self, operation: str, count: int) -> None:
        """Add a request. count: as how many it counts."""
        self.requests += count
        self.operations[operation] = self.operations.get(operation, 0) + 1

    def remove(self, operation: str, count: int) -> None:
        """Remove a request that was added."""
        self.requests -= count
        self.operations[operation] -= 1


def list_operations(operations: Mapping[str, int], quota: str) -> str:
    """Return operations and their numbers of requests as text, the most frequent first.

    quota: against which they count: ``7 Encrypt, 2 Decrypt``, or ``2 ReplicateKey (each of which
    counts as 2)``.
    """
    ordered = sorted(operations.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(
        f"{count:,} {operation}{_describe_weight(count, find_weight(operation, quota))}"
        for operation, count in ordered
        if count
    )


def _describe_weight(count: int, weight: int) -> str:
    if weight == 1:
        return ""
    return f" ({'which' if count == 1 else 'each of which'} counts as {weight})"


def find_metered_account(principal: Principal, keys: Sequence[Key]) -> str:
    """Return the account whose quotas a request counts against: the one that makes it.

    That of a service in its own name is the account of the resource for which it calls, or else of
    the key; this is not published.

    Source: AWS KMS Developer Guide, "Cross-account requests", "API requests made on your behalf".
    """
    if principal.account:
        return principal.account
    if principal.source_account:
        return principal.source_account
    arn = Arn.parse(principal.source_arn or "")
    if arn is not None and arn.account:
        return arn.account
    return keys[0].account if keys else ""


def count_recorded(event: Call) -> list[tuple[Scope, int]]:
    """Return what a recorded request counts against, and as how many requests."""
    return count_requests(
        OPERATION_FACTS[event.operation],
        find_metered_account(event.principal, event.keys),
        event.region,
        event.keys,
        event.parameter,
    )


@dataclass(slots=True)
class Peak:
    """The most requests in an interval of a quota."""

    scope: Scope
    rate: Rate
    requests: int = 0
    #: When the interval began.
    at: datetime | None = None
    #: Operation -> the number of its requests in the interval.
    operations: dict[str, int] = field(default_factory=dict)
    #: The pytest node id of the test that made the last of them.
    test: str | None = None
    #: How many requests were throttled, in all intervals.
    throttled: int = 0


class PeakRates:
    """The peaks of all quotas, over the calls that `note` is called with.

    Requests that were throttled count, too: they show how many there were. find_rate: returns the
    value of a quota.
    """

    def __init__(self, find_rate: Callable[[Scope], Rate]) -> None:
        self._find_rate = find_rate
        self._intervals: dict[Scope, Interval] = {}
        self.peaks: dict[Scope, Peak] = {}

    def note(self, event: Call) -> None:
        """Add a call; of those with the same scope, in the order of their time."""
        for scope, count in count_recorded(event):
            peak = self.peaks.get(scope)
            if peak is None:
                peak = self.peaks[scope] = Peak(scope, self._find_rate(scope))
            if event.error_code == _THROTTLED:
                peak.throttled += 1
            interval = self._intervals.get(scope)
            if interval is None or not interval.includes(event.at):
                interval = self._intervals[scope] = Interval(event.at, peak.rate.seconds)
            interval.add(event.operation, count)
            if interval.requests > peak.requests:
                peak.requests, peak.at, peak.test = interval.requests, interval.start, event.test_id
                peak.operations = dict(interval.operations)
