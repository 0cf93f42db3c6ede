"""The sums of a run, to which each call of each mock is added when it is made."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from decimal import Decimal
from itertools import count
from typing import TypeVar

from kmsmock.ledger.call_record import Call, Failure
from kmsmock.ledger.request_rates import Peak
from kmsmock.reports.report import (
    CALLS_KEPT,
    DENIED,
    KEYS_KEPT,
    OK,
    REFUSALS_KEPT,
    SLOWEST_KEPT,
    ZERO,
    CallRow,
    KeyRecord,
    OperationTally,
    QuotaPeak,
    Refusal,
    Report,
    SlowCall,
    SpecTally,
    Tally,
    TestTally,
)

T = TypeVar("T", bound=Tally)

#: The error of a dry run that would have succeeded.
_WOULD_SUCCEED = "DryRunOperationException"


class Sums:
    """The report of a run in progress.

    with_details: whether it includes the permissions, which only the JSON and HTML forms show.
    """

    def __init__(self, *, with_details: bool) -> None:
        self.report = Report()
        self.with_details = with_details
        self._calls_kept = 0
        self._refusals: dict[tuple[str | bool | None, ...], Refusal] = {}
        self._slowest: list[tuple[float, int, SlowCall]] = []
        self._order = count()

    @property
    def is_full(self) -> bool:
        """Whether it keeps no further calls, and only counts them."""
        return self._calls_kept == CALLS_KEPT

    def finish(self) -> Report:
        """Complete and return the report."""
        self.report.slowest = [slow for _, _, slow in sorted(self._slowest, reverse=True)]
        self.report.refusals = list(self._refusals.values())
        return self.report

    def note_call(
        self, event: Call, seconds: float, tally_of_key: Tally | None, at: int
    ) -> CallRow | None:
        """Add a call; return its row for the scene, or None above the limit of listed calls.

        seconds: the real time that it took. at: ms since the start of the scene.
        """
        code = event.error_code
        outcome = OK if code in (None, _WOULD_SUCCEED) else code
        report, test = self.report, event.test_id
        cost: Decimal = event.price or ZERO
        is_injected = event.failure is not None and event.failure.is_injected
        denied = int(outcome == DENIED and not is_injected)
        failed = int(outcome not in (OK, DENIED) and not is_injected)
        one = Tally(1, denied, failed, cost, int(is_injected))
        report.total.add(one)
        Tally.add(_get_tally(report.operations, event.operation, OperationTally), one)
        if test is not None:
            Tally.add(_get_tally(report.tests, test, TestTally), one)
        if tally_of_key is not None:
            tally_of_key.add(one)
        self._note_time(event, seconds)
        if outcome != OK or (code is None and event.explanation):
            self._note_refusal(event)
        if self.is_full:
            report.omit("calls", 1)
            return None
        self._calls_kept += 1
        return CallRow(
            at, event.operation, event.key_arn, event.caller, outcome or OK, test, is_injected
        )

    def _note_time(self, event: Call, seconds: float) -> None:
        """Add the real time that a call took."""
        seconds = round(seconds, 6)  # as in the JSON form, so that all forms show the same
        tally = _get_tally(self.report.operations, event.operation, OperationTally)
        tally.seconds += seconds
        tally.slowest = max(tally.slowest, seconds)
        if len(self._slowest) == SLOWEST_KEPT and seconds <= self._slowest[0][0]:
            return
        slow = SlowCall(seconds, event.operation, event.key_spec, event.test_id)
        # The counter orders calls with equal times, so that SlowCalls are never compared.
        heapq.heappush(self._slowest, (seconds, -next(self._order), slow))
        if len(self._slowest) > SLOWEST_KEPT:
            heapq.heappop(self._slowest)

    def _note_refusal(self, event: Call) -> None:
        failure = event.failure or Failure(OK, None, event.explanation, None)
        decision = failure.decision
        reason = failure.explanation or failure.message or failure.code
        if decision is not None:
            reason = decision.reason
        reason = reason.partition("\n")[0]
        group = (
            *(event.test_id, event.operation, event.caller, event.key_arn, failure.code, reason),
            failure.is_injected,
        )
        known = self._refusals.get(group)
        if known is not None:
            known.times += 1
        elif len(self._refusals) == REFUSALS_KEPT:
            self.report.omit("refusals", 1)
        else:
            self._refusals[group] = Refusal(
                event.test_id,
                event.operation,
                event.caller,
                event.key_arn,
                failure.code,
                failure.message or "",
                reason,
                str(decision) if decision is not None else failure.explanation or "",
                is_injected=failure.is_injected,
            )

    def note_peaks(self, peaks: Iterable[Peak]) -> None:
        """Add the peaks of request quotas at the end of a mock."""
        self.report.add_quotas(
            QuotaPeak(
                peak.scope.quota,
                peak.scope.region,
                peak.scope.account,
                peak.requests / peak.rate.seconds,
                peak.rate.per_second,
                peak.operations,
                peak.test,
            )
            for peak in peaks
        )

    def note_key(self, record: KeyRecord) -> None:
        """Add a key at the end of its mock."""
        spec = _get_tally(self.report.specs, record.spec, SpecTally)
        spec.add(SpecTally(keys=1, unused=int(record.is_unused), storage=record.storage))
        Tally.add(spec, record.tally)
        if len(self.report.keys) < KEYS_KEPT:
            self.report.keys.append(record)
        else:
            self.report.omit("keys", 1)


def _get_tally(tallies: dict[str, T], name: str, kind: type[T]) -> T:
    tally = tallies.get(name)
    if tally is None:
        tally = tallies[name] = kind()
    return tally
