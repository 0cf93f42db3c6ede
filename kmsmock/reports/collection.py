"""Collect the histories of all mocks of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import localcontext
from typing import TYPE_CHECKING

from kmsmock.aws.prices import ARITHMETIC
from kmsmock.ledger.call_record import Call
from kmsmock.process.contexts import get_running_test
from kmsmock.process.watchers import Watcher
from kmsmock.reports.history import MockHistory
from kmsmock.reports.report import NOTES_KEPT, Report
from kmsmock.reports.sums import Sums

if TYPE_CHECKING:
    from kmsmock.control import KMSMock
    from kmsmock.state.backend import Backend


def describe_problem(reason: BaseException) -> str:
    """Describe an exception in one line."""
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return " ".join(f"{type(reason).__name__}: {reason}".split())


class Collection(Watcher):
    """A watcher that keeps a history of each mock of a run.

    A defect in it is noted in the report: it does not fail the test that runs. with_details:
    whether to include permissions, which only the JSON and HTML forms show. name: of mocks that no
    test starts.
    """

    def __init__(self, *, with_details: bool, name: str | None = None) -> None:
        self._sums = Sums(with_details=with_details)
        self._name = name
        self._histories: dict[Backend, MockHistory] = {}
        self._names: dict[str, int] = {}

    def began(self, kms: KMSMock) -> None:
        """Start the history of a mock."""
        with self._noting_defects():
            self._histories[kms.backend] = MockHistory(kms, self._new_name(), self._sums)

    def called(self, backend: Backend, event: Call, seconds: float) -> None:
        """Add a call to the history of its mock."""
        history = self._histories.get(backend)
        if history is not None:
            with self._noting_defects():
                history.note_call(event, seconds)

    def restoring(self, kms: KMSMock) -> None:
        """End the scene of a mock before a checkpoint is restored."""
        history = self._histories.get(kms.backend)
        if history is not None:
            with self._noting_defects():
                history.end_scene()

    def restored(self, kms: KMSMock) -> None:
        """Begin a scene with the restored state of a mock."""
        history = self._histories.get(kms.backend)
        if history is not None:
            with self._noting_defects():
                history.begin_scene()

    def ended(self, kms: KMSMock) -> None:
        """End the history of a mock."""
        history = self._histories.pop(kms.backend, None)
        if history is not None:
            with self._noting_defects():
                history.close()

    def finish(self) -> Report:
        """End the histories of mocks that were not stopped, and return the report."""
        for history in self._histories.values():
            with self._noting_defects():
                history.close()
        self._histories.clear()
        return self._sums.finish()

    def look(self) -> Report:
        """Return the report until now; the histories go on."""
        for history in self._histories.values():
            with self._noting_defects():
                history.note_present()
        # A copy, to which the present state is added, and not to the run.
        sums = Sums(with_details=self._sums.with_details)
        sums.report = self._sums.finish().copy()
        for history in self._histories.values():
            with self._noting_defects():
                history.add_present(sums)
        return sums.report.copy()  # the scenes go on

    @contextmanager
    def _noting_defects(self) -> Iterator[None]:
        """Note an exception of the block in the report, and suppress it.

        Amounts are added up exactly, whatever context of decimals a test has set.
        """
        try:
            with localcontext(ARITHMETIC):
                yield
        except Exception as reason:  # noqa: BLE001 - it must not fail the test
            note = f"Something is missing here, by a defect of kmsmock: {describe_problem(reason)}"
            notes = self._sums.report.notes
            if note not in notes and len(notes) < NOTES_KEPT:
                notes.append(note)

    def _new_name(self) -> str:
        """Name a mock after the test that starts it; further ones of the test get a number."""
        test = self._name or get_running_test() or "outside of tests"
        number = self._names[test] = self._names.get(test, 0) + 1
        return test if number == 1 else f"{test} #{number}"
