"""``--kms-consistency=explore:N``: each test runs in several orderings of eventual consistency.

First all changes are seen at once, then late in N orderings, until one breaks the test. Fixtures of
scope function are set up for each run, wider ones once. Tests without changes that could be seen
late run once.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from kmsmock.options import set_configured
from kmsmock.plugin.contexts import Contexts
from kmsmock.plugin.late_answers import LateAnswers, list_command
from kmsmock.process.active_mocks import get_first_use, list_started
from kmsmock.process.orderings import ordering

#: Hides the functions of this module in the tracebacks that pytest shows.
__tracebackhide__ = True


class Exploration:
    """The hooks that run each test in several orderings.

    count: how many. base: the seed from which those of the orderings are derived. contexts: of the
    run of pytest. answers: the late answers of the running test.
    """

    def __init__(self, count: int, base: object, contexts: Contexts, answers: LateAnswers) -> None:
        self.count = count
        self.base = base
        self._contexts = contexts
        self._answers = answers
        #: The number of the ordering of the running test; in 0 all changes are seen at once.
        self._number = 0
        #: Whether the running test has reported a failure while it runs, as of a subtest.
        self._has_failed_part = False
        #: Whether the running test could not be run in other orderings, and that is an error.
        self._is_unexplored = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run a test in the orderings, and report the first run that fails, or the last one."""
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports: list[pytest.TestReport] = []
        recorded = list(item.user_properties)
        around: Any = item.parent  # torn down after the last run
        for _ in self._iterate_orderings(item):
            # The reports of a run have only what this run has printed and recorded.
            item._report_sections.clear()  # noqa: SLF001 - there is no other way
            item.user_properties[:] = recorded
            reports = runtestprotocol(item, log=False, nextitem=around)
            if self._has_failed_part or not all(report.passed for report in reports):
                break
            warning = _warn_if_changed(item)
            if warning is not None:
                if reports[-1].passed and warning.excinfo is not None:  # with -W error
                    self._is_unexplored = True
                    reports[-1] = _make_report(item, warning)
                break
        has_failed = any(report.failed for report in reports)
        error = self._contexts.tear_down_around(item, nextitem, has_failed=has_failed)
        if error is not None and reports[-1].passed:
            reports[-1] = error
        elif error is not None:
            reports[-1].sections.append(("tear-down of fixtures around it", error.longreprtext))
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failed subtest: pytest reports it at once, and its test can pass."""
        self._has_failed_part = self._has_failed_part or report.failed

    def _iterate_orderings(self, item: pytest.Item) -> Iterator[None]:
        """Yield before each run of a test, in its ordering."""
        self._has_failed_part = self._is_unexplored = False
        for number in range(self.count + 1):
            self._number = number
            ordering.seed = self._seed
            ordering.is_prompt = number == 0
            set_configured("seed", self._seed)
            self._answers.begin()
            yield
            if not self._answers.has_changes or item.session.shouldstop:
                return

    @property
    def _seed(self) -> str:
        return f"{self.base}/{self._number}"

    def describe(self, item: pytest.Item) -> str:
        """Describe the ordering in which a test has failed."""
        if self._number == 0:
            if not self._answers.has_changes or self._is_unexplored:
                return ""
            about = "The test fails although all changes were seen at once."
            return "\n".join([about, *list_command(item, self._seed, "strong")])
        lines = list(self._answers.list_lines())
        return "\n".join(
            [
                f"Ordering {self._number} of {self.count} broke this test; it passes if all "
                "changes are seen at once.",
                "These answers lacked changes that their node had not seen, oldest first:"
                if lines
                else "No answer was late in it, so the test fails for another reason.",
                *lines,
                *list_command(item, self._seed),
            ]
        )


def _warn_if_changed(item: pytest.Item) -> pytest.CallInfo[None] | None:
    """Warn if a test has changed a mock that lasts longer; return the call that does so.

    It would not find the same state in another run.
    """
    changed = [mock for mock in list_started() if mock.kms.backend.consistency.has_changed]
    if not changed:
        return None
    use = get_first_use(changed[0])
    text = (
        f"{item.nodeid} was not run in other orderings: it changes the mock that was started by "
        f"{use.describe()}, whose state is not restored. Use the fixture kms, which restores it."
    )

    def warn() -> None:
        warnings.warn_explicit(text, UserWarning, str(item.path), (item.location[1] or 0) + 1)

    return pytest.CallInfo.from_call(warn, when="teardown")


def _make_report(item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
    report: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=call)
    return report
