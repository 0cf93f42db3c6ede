"""The request quotas of a mock: they count requests, and tell which of them are throttled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from kmsmock.aws.errors import ThrottlingException
from kmsmock.aws.quotas import CUSTOM_KEY_STORE, SYMMETRIC, Rate, Scope, get_default, require_quota
from kmsmock.ledger.request_rates import Interval
from kmsmock.process.real_time import RealTime
from kmsmock.state.fault import QuotaFault

#: What lies between two calls and is longer than this, in seconds, can be a sleep of the caller.
_SHORTEST_SLEEP = 0.05


@dataclass(slots=True)
class _Metered(Interval):
    """An interval that throttles the requests that are too many."""

    #: The time of the last throttled request; None before the first one.
    refused_at: datetime | None = None
    #: The real time of that, in seconds.
    refused_really_at: float = 0.0
    #: How long callers have really slept since, in seconds, while the mock's clock stood still.
    slept: float = 0.0

    def refuse(self, now: datetime) -> None:
        """Note that a request is throttled."""
        self.refused_at, self.refused_really_at = now, RealTime.seconds()

    def was_slept_through(self, now: datetime) -> bool:
        """Return whether callers have waited for its end really, since the clock stands still.

        So a retry with ``time.sleep`` succeeds where a seed, or frozen time, stops the clock.
        """
        if now != self.refused_at:
            return False
        really = RealTime.seconds()
        if really - self.refused_really_at >= _SHORTEST_SLEEP:
            self.slept += really - self.refused_really_at
            self.refused_really_at = really
        return self.slept >= self.seconds


class Throttle(NamedTuple):
    """Why a request is throttled: a quota with a value, and the requests in its interval."""

    scope: Scope
    rate: Rate
    interval: _Metered
    #: As how many requests it counts.
    counts_as: int
    #: What has set the value, if that is a fault.
    fault: QuotaFault | None


#: A counted request: in which interval, as how many, and the fault that has set the quota, if any.
_Counted = tuple[_Metered, int, "QuotaFault | None"]


class RequestQuotas:
    """The request quotas of one mock; each in each account and Region by itself.

    option: see `kmsmock.aws.quotas.read_quotas`. stands_still: whether only tests move the clock.
    Raises ValueError and TypeError for a quota that KMS does not have.
    """

    def __init__(self, option: bool | Mapping[str, Any], *, stands_still: bool) -> None:  # noqa: FBT001
        self._has_defaults = option is not False
        self._values: dict[str, Rate] = {}
        if isinstance(option, Mapping):
            self._values = {require_quota(name): rate for name, rate in option.items()}
        self._stands_still = stands_still
        #: (name, Region) -> value.
        self._rates: dict[tuple[str, str], Rate] = {}
        self._armed: Sequence[QuotaFault] = ()
        #: (number of the fault that has set the quota, if any; scope) -> the last interval.
        self._intervals: dict[tuple[int | None, Scope], _Metered] = {}
        self._throttled_until: datetime | None = None
        #: The operation of the last request, and what it was counted in.
        self._last: tuple[str, list[_Counted]] = ("", [])
        #: Whether any request can be throttled. Every call reads it, so it is kept.
        self.is_on = self._has_defaults

    def arm(self, faults: Sequence[QuotaFault]) -> None:
        """Apply the quotas that these faults set, instead of those that were armed before."""
        self._armed = faults
        self.is_on = self._has_defaults or bool(faults)

    def get_rate(self, scope: Scope) -> Rate:
        """Return the value of a quota: the armed one, that of the option, or AWS's default.

        Of several that are armed it is the lowest.
        """
        armed = [fault.rate for fault in self._armed if fault.covers(scope)]
        return min(armed, key=lambda rate: rate.per_second) if armed else self.get_own_rate(scope)

    def get_own_rate(self, scope: Scope) -> Rate:
        """Return the value of a quota without faults: that of the option, or AWS's default."""
        name = (scope.quota, scope.region)
        rate = self._rates.get(name)
        if rate is None:
            rate = self._values.get(scope.quota) or Rate.of(get_default(*name))
            self._rates[name] = rate
        return rate

    def take(
        self, requests: Sequence[tuple[Scope, int]], operation: str, now: datetime
    ) -> Throttle | None:
        """Count a request, unless it is throttled: then return why.

        requests: what it counts against, and as how many.
        """
        counting: list[_Counted] = []
        for scope, count in requests:
            for fault, rate in self._iterate_rates(scope):
                interval = self._find_interval(fault, scope, rate, now)
                if interval.requests + count > rate.requests:
                    return Throttle(scope, rate, interval, count, fault)
                counting.append((interval, count, fault))
        for interval, count, fault in counting:
            interval.add(operation, count)
            if fault is not None:
                fault.note(interval)
        self._last = (operation, counting)
        return None

    def forget_last(self) -> None:
        """Do not count the last request, since a fault has kept it from reaching KMS."""
        operation, counting = self._last
        self._last = ("", [])
        for interval, count, fault in counting:
            interval.remove(operation, count)
            if fault is not None:
                fault.seen -= 1

    def refuse(self, throttle: Throttle, now: datetime) -> ThrottlingException:
        """Return the error of a request that is throttled."""
        interval, fault = throttle.interval, throttle.fault
        interval.refuse(now)
        self._throttled_until = interval.end
        error = ThrottlingException.of_request(explanation=self._explain(throttle, now))
        if fault is not None:
            fault.fired += 1
            error.is_injected = True
        return error

    def is_throttling(self, now: datetime) -> bool:
        """Return whether a request was throttled in an interval that has not ended."""
        return self._throttled_until is not None and now < self._throttled_until

    # --- state -------------------------------------------------------------------------

    def clear(self) -> None:
        """Forget all requests."""
        self._intervals, self._throttled_until, self._last = {}, None, ("", [])

    def state(self) -> tuple[Any, ...]:
        """Return what `restore` takes."""
        return (self._intervals, self._throttled_until)

    def restore(self, state: tuple[Any, ...]) -> None:
        """Return to a saved state."""
        self._intervals, self._throttled_until = state

    # --- values ------------------------------------------------------------------------

    def _iterate_rates(self, scope: Scope) -> Iterator[tuple[QuotaFault | None, Rate]]:
        """Yield the values that apply: those that are armed, or else the mock's own."""
        if self._armed:
            armed = [(fault, fault.rate) for fault in self._armed if fault.covers(scope)]
            if armed:
                yield from armed
                return
        if self._has_defaults:
            yield None, self.get_own_rate(scope)

    def _find_interval(
        self, fault: QuotaFault | None, scope: Scope, rate: Rate, now: datetime
    ) -> _Metered:
        """Return the interval of a request, which begins a new one if the last one has ended."""
        name = (None if fault is None else fault.number, scope)
        interval = self._intervals.get(name)
        if (
            interval is None
            or not interval.includes(now)
            or (interval.refused_at is not None and interval.was_slept_through(now))
        ):
            interval = self._intervals[name] = _Metered(now, rate.seconds)
        return interval

    # --- words -------------------------------------------------------------------------

    def _explain(self, throttle: Throttle, now: datetime) -> str:
        scope, rate, interval, counts_as, fault = throttle
        seconds = "one second" if rate.seconds == 1 else f"{rate.seconds:,} seconds"
        source = "AWS's default"
        if fault is not None:
            source = "set by the test with kms.faults.quota"
        elif scope.quota in self._values:
            source = "set by the option quotas"
        counted = "" if counts_as == 1 else f", which counts as {counts_as} of them,"
        before = f" after {interval.list_operations()}" if interval.requests else ""
        left = (interval.end - now) / timedelta(seconds=1)
        still = f": kms.clock.advance(seconds={left:g}), since the clock stands still"
        return (
            f"The request quota {scope.quota} of {scope} is {rate} ({source}); this request"
            f"{counted} is number {interval.requests + counts_as:,} in {seconds}{before}. "
            f"AWS throttles the rest of the interval, which ends in {left:g} s"
            f"{still if self._stands_still else ''}. Retry with backoff, as botocore does with "
            f"more attempts{_ADVICE.get(scope.quota, '')}{_describe_increase(scope.quota)}."
        )


_REUSE = "; reuse data keys (data key caching of the AWS Encryption SDK, bucket keys of S3)"
_ADVICE = {SYMMETRIC: _REUSE, CUSTOM_KEY_STORE: _REUSE}


def _describe_increase(quota: str) -> str:
    if quota == CUSTOM_KEY_STORE:
        return "; AWS does not raise this quota"
    return "; or request a higher quota in Service Quotas"
