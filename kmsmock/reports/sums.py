"""The sums of a run: what all mocks did, taken in as they did it."""

from __future__ import annotations

import heapq
from decimal import Decimal
from itertools import count
from typing import TypeVar

from kmsmock.ledger.call_record import Call
from kmsmock.reports.report import (
    CALLS_KEPT,
    DENIED,
    KEYS_KEPT,
    REFUSALS_KEPT,
    SLOWEST_KEPT,
    ZERO,
    CallRow,
    KeyRecord,
    OperationTally,
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
    """The report of a run that is still going on.

    with_details: whether it has what only pages show: who may do what.
    """

    def __init__(self, *, with_details: bool) -> None:
        self.report = Report()
        self.with_details = with_details
        self._calls_kept = 0
        self._refusals: dict[tuple[str | None, ...], Refusal] = {}
        self._slowest: list[tuple[float, int, SlowCall]] = []
        self._order = count()

    def finish(self) -> Report:
        """Give the report, once all is noted."""
        self.report.slowest = [slow for _, _, slow in sorted(self._slowest, reverse=True)]
        self.report.refusals = list(self._refusals.values())
        return self.report

    def note_call(
        self, event: Call, seconds: float, tally_of_key: Tally | None, at: int
    ) -> CallRow | None:
        """Note a call; gives its row for the scene, if there is still room for single calls.

        seconds: the real time that it took. at: ms since the scene began.
        """
        code = event.error_code
        outcome = "ok" if code in (None, _WOULD_SUCCEED) else code
        report, test = self.report, event.test_id
        cost: Decimal = event.price or ZERO
        one = Tally(1, int(outcome == DENIED), int(outcome not in ("ok", DENIED)), cost)
        report.total.add(one)
        Tally.add(_tally_of(report.operations, event.operation, OperationTally), one)
        if test is not None:
            Tally.add(_tally_of(report.tests, test, TestTally), one)
        if tally_of_key is not None:
            tally_of_key.add(one)
        self._note_time(event, seconds)
        if outcome != "ok":
            self._note_refusal(event)
        if self._calls_kept == CALLS_KEPT:
            report.omit("calls", 1)
            return None
        self._calls_kept += 1
        return CallRow(at, event.operation, event.key_arn, event.caller, outcome or "ok", test)

    def _note_time(self, event: Call, seconds: float) -> None:
        """Note the real time that a call took."""
        seconds = round(seconds, 6)  # as it is written, so that all forms show the same
        tally = _tally_of(self.report.operations, event.operation, OperationTally)
        tally.seconds += seconds
        tally.slowest = max(tally.slowest, seconds)
        if len(self._slowest) == SLOWEST_KEPT and seconds <= self._slowest[0][0]:
            return
        slow = SlowCall(seconds, event.operation, event.key_spec, event.test_id)
        # The number decides between equals, which are not compared further then.
        heapq.heappush(self._slowest, (seconds, -next(self._order), slow))
        if len(self._slowest) > SLOWEST_KEPT:
            heapq.heappop(self._slowest)

    def _note_refusal(self, event: Call) -> None:
        failure = event.failure
        assert failure is not None
        decision = failure.decision
        reason = failure.explanation or failure.message or failure.code
        if decision is not None:
            reason = decision.reason
        reason = reason.partition("\n")[0]
        place = (event.test_id, event.operation, event.caller, event.key_arn, failure.code, reason)
        known = self._refusals.get(place)
        if known is not None:
            known.times += 1
        elif len(self._refusals) == REFUSALS_KEPT:
            self.report.omit("refusals", 1)
        else:
            self._refusals[place] = Refusal(
                *place[:5],
                failure.message or "",
                reason,
                str(decision) if decision is not None else failure.explanation or "",
            )

    def note_key(self, record: KeyRecord) -> None:
        """Note a key that is not going to change any more."""
        spec = _tally_of(self.report.specs, record.spec, SpecTally)
        spec.add(SpecTally(keys=1, unused=int(record.is_unused), storage=record.storage))
        Tally.add(spec, record.tally)
        if len(self.report.keys) < KEYS_KEPT:
            self.report.keys.append(record)
        else:
            self.report.omit("keys", 1)


def _tally_of(tallies: dict[str, T], name: str, kind: type[T]) -> T:
    tally = tallies.get(name)
    if tally is None:
        tally = tallies[name] = kind()
    return tally
