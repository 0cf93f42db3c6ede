"""The pytest hooks that write reports; imported only with ``--kms-report``.

A report never changes the outcome of a run: what goes wrong with it is reported in the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from decimal import localcontext
from pathlib import Path
from typing import Any

import pytest

from kmsmock.aws.prices import ARITHMETIC
from kmsmock.process.real_time import RealTime
from kmsmock.process.watchers import watchers
from kmsmock.reports.as_json import BadReportError, read, write
from kmsmock.reports.as_text import Style, lines
from kmsmock.reports.collection import Collection, describe_problem
from kmsmock.reports.forms import BadFormError, Form, RequestedForm, read_forms, write_file
from kmsmock.reports.merging import merge
from kmsmock.reports.policies import POLICY_COVERAGE, list_policies
from kmsmock.reports.report import Report, TestTally

#: The output of a pytest-xdist worker: its partial report, or why there is none.
_PARTIAL, _PROBLEM = "kmsmock_report", "kmsmock_report_problem"
_MARKUP: dict[Style, dict[str, bool]] = {
    Style.PLAIN: {},
    Style.HEADING: {"bold": True},
    Style.BAD: {"red": True},
    Style.QUIET: {"light": True},
}
_NO_TESTS = "no report: no tests are run with --collect-only"


def add_reports(config: pytest.Config, values: Sequence[str]) -> None:
    """Register the plugin that writes the reports of a run; in a worker, its partial report.

    values: of the option ``--kms-report``. Raises UsageError for unknown forms.
    """
    if hasattr(config, "workerinput"):
        collection = Collection(with_details=_needs_details(values))
        config.pluginmanager.register(WorkerReport(config, collection), "kmsmock-report")
        return
    try:
        forms = read_forms(values, config.invocation_params.dir)
    except BadFormError as reason:
        raise pytest.UsageError(str(reason)) from None
    collection = Collection(with_details=_needs_details(values))
    config.pluginmanager.register(Reports(forms, collection), "kmsmock-report")


def _needs_details(values: Sequence[str]) -> bool:
    return any(value != Form.TERMINAL.value for value in values)


class WorkerReport:
    """The plugin of a pytest-xdist worker: it sends a partial report to the controller."""

    def __init__(self, config: Any, collection: Collection) -> None:
        self._config = config
        self._collection = collection
        watchers.add(collection)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Add the partial report to what the worker sends when it ends."""
        try:
            with localcontext(ARITHMETIC):
                self._config.workeroutput[_PARTIAL] = write(self._collection.finish())
        except Exception as reason:  # noqa: BLE001 - it must not fail the run
            self._config.workeroutput[_PROBLEM] = describe_problem(reason)

    def pytest_unconfigure(self) -> None:
        """Stop observing mocks."""
        watchers.remove(self._collection)


class Reports:
    """The plugin of the main process: it merges the partial reports and writes all forms."""

    def __init__(self, forms: Sequence[RequestedForm], collection: Collection) -> None:
        self._forms = forms
        self._collection = collection
        self._outcomes: dict[str, str] = {}
        self._output: list[tuple[str, Style]] = []
        #: Id of a worker of pytest-xdist -> its partial report; None until it has arrived.
        self._partial: dict[str, Report | None] = {}
        watchers.add(collection)

    # --- pytest-xdist --------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Note that there is a worker."""
        self._partial[node.gateway.id] = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Read the partial report of a worker that has ended."""
        output = getattr(node, "workeroutput", None) or {}
        worker, problem = node.gateway.id, output.get(_PROBLEM)
        if _PARTIAL in output:
            try:
                self._partial[worker] = read(output[_PARTIAL])
            except BadReportError as reason:  # of another version of kmsmock
                problem = str(reason)
        if problem is not None:
            note = f"Worker {worker} has no report of its tests: {problem}"
            self._partial[worker] = Report(notes=[note])

    def _iterate_partial(self) -> Iterator[Report]:
        """Yield the partial reports of the workers."""
        for worker, partial in self._partial.items():
            note = f"Worker {worker} crashed: the calls of its tests are missing here."
            yield partial if partial is not None else Report(notes=[note])

    # --- the run --------------------------------------------------------------------------------

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the outcome of a test: failed if any of its phases failed."""
        known = "" if report.when == "setup" else self._outcomes.get(report.nodeid, "")
        if known != "failed" and (report.outcome != "passed" or not known):
            self._outcomes[report.nodeid] = report.outcome

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Complete the report, and write it in all forms."""
        if session.config.option.collectonly:
            self._output.append((_NO_TESTS, Style.PLAIN))
            return
        # A test can have set a context of decimals with low precision, or traps.
        with localcontext(ARITHMETIC), self._telling("the report could not be made"):
            report = self._complete(session, exitstatus)
            for form, path in sorted(self._forms, key=lambda requested: requested.path is not None):
                self._write(report, form, path)

    def _complete(self, session: pytest.Session, exitstatus: int) -> Report:
        report = merge([self._collection.finish(), *self._iterate_partial()])
        made = int(RealTime.start + RealTime.seconds())
        report.made = datetime.fromtimestamp(made, timezone.utc)
        report.tests_run = len(self._outcomes)
        policy_coverage = session.config.pluginmanager.get_plugin(POLICY_COVERAGE)
        if policy_coverage is not None:
            report.policies = list_policies(policy_coverage.complete())
        report.tests_failed = sum(outcome == "failed" for outcome in self._outcomes.values())
        for test, tally in report.tests.items():
            tally.add(TestTally(outcome=self._outcomes.get(test)))
        if getattr(session.config.option, "forked", False):
            report.notes.append("Calls of tests in processes of their own (--forked) are missing.")
        end = session.shouldfail or session.shouldstop
        if end or exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR):
            why = f" ({end})" if isinstance(end, str) else ""
            report.notes.append(f"The run ended early{why}: tests can be missing here.")
        return report

    def _write(self, report: Report, form: Form, path: Path | None) -> None:
        """Write a report in one form. path: of its file; None for the terminal."""
        from kmsmock.reports.as_html import page

        with self._telling(f"{path or 'the report'} could not be written"):
            if path is None:
                self._output += [(line.text, line.style) for line in lines(report)]
                return
            write_file(path, write(report) if form is Form.JSON else page(report))
            self._output.append((f"{form.value} report: {path}", Style.PLAIN))

    @contextmanager
    def _telling(self, failure: str) -> Iterator[None]:
        """Tell an exception of the block in the terminal, in one line, and suppress it."""
        try:
            yield
        except Exception as reason:  # noqa: BLE001 - it must not fail the run
            self._output.append((f"{failure}: {describe_problem(reason)}", Style.BAD))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the text form, if requested, the paths of the files, and what went wrong."""
        terminalreporter.write_sep("-", "kmsmock report")
        for text, style in self._output:
            terminalreporter.write_line(text, **_MARKUP[style])

    def pytest_unconfigure(self) -> None:
        """Stop observing mocks."""
        watchers.remove(self._collection)
