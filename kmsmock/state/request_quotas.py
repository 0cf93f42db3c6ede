"""The request quotas of a mock: they count requests, and tell which of them are throttled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from kmsmock.aws.errors import ThrottlingException
from kmsmock.aws.quotas import CUSTOM_KEY_STORE, SYMMETRIC, Rate, Scope, get_default, require_quota
from kmsmock.ledger.request_rates import Interval, list_operations
from kmsmock.state.fault import QuotaFault

#: How many requests are throttled in an interval while the clock stands still, before it ends. So a
#: loop ends that tries again until it succeeds, as one without a seed does.
THROTTLED_AT_MOST = 10


@dataclass(slots=True)
class _Metered(Interval):
    """An interval that throttles the requests that are too many."""

    #: The time of the last throttled request; None before the first one.
    refused_at: datetime | None = None
    #: How many were throttled since the clock has stood still.
    refused: int = 0

    def refuse(self, now: datetime) -> None:
        """Note that a request is throttled."""
        self.refused = self.refused + 1 if now == self.refused_at else 1
        self.refused_at = now

    def is_given_up(self, now: datetime) -> bool:
        """Return whether it ends, since the clock stands still whatever callers wait for.

        Real time does not count, so that the same requests have the same results in each run.
        """
        return self.refused >= THROTTLED_AT_MOST and now == self.refused_at


class Throttle(NamedTuple):
    """Why a request is throttled: a quota with a value, and the requests in its interval."""

    scope: Scope
    rate: Rate
    interval: _Metered
    #: As how many requests it counts.
    counts_as: int
    #: What has set the value, if that is a fault.
    fault: QuotaFault | None
    #: The other armed quotas that the request would count against.
    others: Sequence[QuotaFault]


#: A counted request: in which interval, as how many, and the fault that has set the quota, if any.
_Counted = tuple[_Metered, int, "QuotaFault | None"]


class RequestQuotas:
    """The request quotas of one mock; each in each account and Region by itself.

    option: see `kmsmock.aws.quotas.read_quotas`. stands_still: whether only tests move the clock.
    ends_at_requests: whether throttled requests end an interval while the clock stands still.
    Raises ValueError and TypeError for a quota that KMS does not have.
    """

    def __init__(
        self,
        option: bool | Mapping[str, Any],  # noqa: FBT001
        *,
        stands_still: bool,
        ends_at_requests: bool,
    ) -> None:
        self._has_defaults = option is not False
        self._values: dict[str, Rate] = {}
        if isinstance(option, Mapping):
            self._values = {require_quota(name): Rate.of(rate) for name, rate in option.items()}
        self._stands_still = stands_still
        self._ends_at_requests = ends_at_requests
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

        requests: what it counts against, and as how many. Of several armed quotas of one name, each
        counts what none has throttled, and the lowest of those that are full throttles.
        """
        counting: list[_Counted] = []
        for scope, count in requests:
            for fault, rate in self._list_rates(scope):
                interval = self._find_interval(fault, scope, rate, now)
                if interval.requests + count > rate.requests:
                    others = self._find_others(requests, fault)
                    return Throttle(scope, rate, interval, count, fault, others)
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

    def refuse(
        self, throttle: Throttle, now: datetime, *, is_of_service: bool
    ) -> ThrottlingException:
        """Return the error of a request that is throttled.

        is_of_service: whether a service has made it; `kmsmock.services.kms_errors` tells whether
        botocore retries the error of that.
        """
        interval, fault = throttle.interval, throttle.fault
        interval.refuse(now)
        self._throttled_until = interval.end
        for other in throttle.others:
            other.note_elsewhere(
                f"{throttle.rate} for {throttle.scope.quota}, {self._name_source(throttle)}"
            )
        error = ThrottlingException.of_request(
            explanation=self._explain(throttle, now, is_of_service=is_of_service)
        )
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

    def _list_rates(self, scope: Scope) -> Sequence[tuple[QuotaFault | None, Rate]]:
        """Return the values that apply, the lowest first: the armed, or the own."""
        armed = [(fault, fault.rate) for fault in self._armed if fault.covers(scope)]
        if armed:
            return sorted(armed, key=lambda item: item[1].per_second)
        return [(None, self.get_own_rate(scope))] if self._has_defaults else []

    def _find_others(
        self, requests: Sequence[tuple[Scope, int]], throttling: QuotaFault | None
    ) -> list[QuotaFault]:
        """Return the armed quotas of a request but the one that throttles it."""
        return [
            fault
            for fault in self._armed
            if fault is not throttling and any(fault.covers(scope) for scope, _ in requests)
        ]

    def _find_interval(
        self, fault: QuotaFault | None, scope: Scope, rate: Rate, now: datetime
    ) -> _Metered:
        """Return the interval of a request, which begins a new one if the last one has ended."""
        name = (None if fault is None else fault.number, scope)
        interval = self._intervals.get(name)
        if (
            interval is None
            or not interval.includes(now)
            or (self._ends_at_requests and interval.is_given_up(now))
        ):
            interval = self._intervals[name] = _Metered(now, rate.seconds)
        return interval

    # --- words -------------------------------------------------------------------------

    def _name_source(self, throttle: Throttle) -> str:
        if throttle.fault is not None:
            return "set by the test with kms.faults.quota"
        if throttle.scope.quota in self._values:
            return "set by the option quotas"
        return "AWS's default"

    def _explain(self, throttle: Throttle, now: datetime, *, is_of_service: bool) -> str:
        scope, rate, interval, counts_as, _, _ = throttle
        seconds = "one second" if rate.seconds == 1 else f"{rate.seconds:,} seconds"
        counted = "" if counts_as == 1 else f", which counts as {counts_as} of them,"
        operations = list_operations(interval.operations, scope.quota)
        before = f" after {operations}" if interval.requests else ""
        advice = (
            [] if is_of_service else ["retry with backoff, as botocore does with more attempts"]
        )
        advice += _ADVICE.get(scope.quota, ())
        advice.append(_INCREASE.get(scope.quota, "or request a higher quota in Service Quotas"))
        advised = "; ".join(advice).removeprefix("or ")
        return (
            f"The request quota {scope.quota} of {scope} is {rate} ({self._name_source(throttle)});"
            f" this request{counted} is number {interval.requests + counts_as:,} in {seconds}"
            f"{before}. AWS throttles the rest of the interval, which ends in "
            f"{self._describe_end(interval, now)}. {advised[0].upper()}{advised[1:]}."
        )

    def _describe_end(self, interval: _Metered, now: datetime) -> str:
        left = (interval.end - now) / timedelta(seconds=1)
        if not self._stands_still:
            return f"{left:g} s"
        end = f"{left:g} s: kms.clock.advance(seconds={left:g}), since the clock stands still"
        if (interval.end - interval.start) < timedelta(seconds=interval.seconds):
            end = f"{left:g} s, with the mock's clock, which stands still"
        more = THROTTLED_AT_MOST - interval.refused
        if not self._ends_at_requests:
            return end
        if more <= 0:
            return f"{end}; it ends with this request, number {interval.refused} that it throttles"
        return f"{end}; or after {more} more throttled request{'' if more == 1 else 's'}"


_REUSE = ("reuse data keys (data key caching of the AWS Encryption SDK, bucket keys of S3)",)
_ADVICE = {SYMMETRIC: _REUSE, CUSTOM_KEY_STORE: _REUSE}
_INCREASE = {CUSTOM_KEY_STORE: "AWS does not raise this quota"}
