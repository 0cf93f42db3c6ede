"""Collecting: every mock of a run is watched, and tells what it did before it forgets it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from kmsmock.ledger.events import Event
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
from kmsmock.reports.watched import WatchedMock

if TYPE_CHECKING:
    from kmsmock.control import KMSMock

T = TypeVar("T", bound=Tally)

#: What a dry run is answered with when all is well.
_WOULD_SUCCEED = "DryRunOperationException"


class Collector:
    """Takes in what mocks did, and sums it up.

    test_id: gives the test that runs now. with_details: also what only pages show, who may do what.
    """

    def __init__(self, test_id: Callable[[], str | None], *, with_details: bool) -> None:
        self.report = Report()
        self.test_id = test_id
        self.with_details = with_details
        self._watched: dict[int, WatchedMock] = {}
        self._names: dict[str, int] = {}
        self._calls_kept = 0
        self._refusals: dict[tuple[str | None, ...], Refusal] = {}
        self._slowest: list[tuple[float, int, SlowCall]] = []
        self._order = count()

    # --- what a watcher hears -------------------------------------------------------------

    def began(self, kms: KMSMock) -> None:
        """Watch a mock from now on."""
        kms.calls.test_id = self.test_id
        self._watched[id(kms)] = WatchedMock(kms, self._new_name(), self)

    def ended(self, kms: KMSMock) -> None:
        """Take in what a mock did, and let go of it."""
        watched = self._watched.pop(id(kms), None)
        if watched is not None:
            watched.close()

    def goes_back(self, kms: KMSMock) -> None:
        """Take in what a mock did so far."""
        watched = self._watched.get(id(kms))
        if watched is not None:
            watched.end_scene()

    def went_back(self, kms: KMSMock) -> None:
        """Go on with a mock from where it was put back to."""
        watched = self._watched.get(id(kms))
        if watched is not None:
            watched.begin_scene()

    def finish(self) -> Report:
        """Take in what mocks did that nobody ended, and give the report."""
        for watched in list(self._watched.values()):
            watched.close()
        self._watched.clear()
        self.report.slowest = [slow for _, _, slow in sorted(self._slowest, reverse=True)]
        self.report.refusals = list(self._refusals.values())
        return self.report

    def _new_name(self) -> str:
        """Name a mock after the test that starts it; the second one of a test is its #2."""
        test = self.test_id() or "outside of tests"
        number = self._names[test] = self._names.get(test, 0) + 1
        return test if number == 1 else f"{test} #{number}"

    # --- what the watched mocks tell --------------------------------------------------------

    def note_time(self, event: Event, seconds: float) -> None:
        """Take in the real time that a call took."""
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

    def note_call(self, event: Event, tally_of_key: Tally | None, at: int) -> CallRow | None:
        """Take in a call; gives it for the scene, if there is still room for single calls.

        at: ms since the scene began.
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
        if outcome != "ok":
            self._note_refusal(event)
        if self._calls_kept == CALLS_KEPT:
            report.omit("calls", 1)
            return None
        self._calls_kept += 1
        return CallRow(at, event.operation, event.key_arn, event.caller, outcome or "ok", test)

    def _note_refusal(self, event: Event) -> None:
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
        """Take in a key that is not going to change any more."""
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
