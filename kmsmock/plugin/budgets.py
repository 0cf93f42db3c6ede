"""Limits of a test's KMS requests and costs, and the list of exceeded budgets at the end of a run.

Loaded in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kmsmock.plugin.marks import fail_for_mark
from kmsmock.process.contexts import get_running_test
from kmsmock.process.watchers import Watcher, notify, watchers, watching

#: The attribute of pytest's reports with the exceeded budgets of a phase; xdist transfers it.
_ATTRIBUTE = "kmsmock_budgets"


@contextmanager
def enforce_limits(item: pytest.Item, limits: dict[str, Any]) -> Iterator[None]:
    """Fail a test that exceeds its limits inside the block, in all mocks together.

    limits: ``requests`` and ``usd``, as `Budget` takes them. A test that fails anyway keeps its
    own error.
    """
    from kmsmock.ledger.budget import Budget

    try:
        budget = Budget(None, name="this test", **limits)
    except TypeError as reason:
        fail_for_mark(item, str(reason))
    try:
        with watching(budget):
            yield
    finally:
        if budget.excess is not None:
            notify(watchers.exceeded, budget)
    if budget.excess is not None:
        pytest.fail(budget.excess, pytrace=False)


class ExceededBudgets(Watcher):
    """The budgets that tests have exceeded, a pytest plugin.

    Those of failed tests are listed at the end of a run, also if the tests failed for another
    reason. A test that passes has expected the failure of its budget.
    """

    def __init__(self) -> None:
        #: Node id of a running test -> a line and the whole text about each exceeded budget.
        self._exceeded: dict[str | None, list[tuple[str, str]]] = {}

    def exceeded(self, budget: Any) -> None:
        """Note a budget of the running test."""
        noted = self._exceeded.setdefault(get_running_test(), [])
        noted.append((budget.summary, budget.excess))

    def attach(self, item: pytest.Item, report: Any) -> None:
        """Attach the exceeded budgets to the report of a phase of a test."""
        exceeded = self._exceeded.pop(item.nodeid, None) if self._exceeded else None
        if exceeded is not None:
            setattr(report, _ATTRIBUTE, [summary for summary, _ in exceeded])
            if report.failed:
                report.sections += [
                    ("kmsmock budget", text)
                    for summary, text in exceeded
                    if summary not in report.longreprtext
                ]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """List the budgets that failed tests have exceeded."""
        lines = dict.fromkeys(
            f"{report.nodeid}: {summary}"
            for reports in terminalreporter.stats.values()
            for report in reports
            if getattr(report, "failed", False)
            for summary in getattr(report, _ATTRIBUTE, ())
        )
        if lines:
            terminalreporter.write_sep("-", "kmsmock budgets")
        for line in lines:
            terminalreporter.write_line(line)
