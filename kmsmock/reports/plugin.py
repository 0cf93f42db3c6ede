"""The pytest hooks that write reports; imported only with ``--kms-report``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kmsmock.process.watchers import watchers
from kmsmock.reports.as_json import read, write
from kmsmock.reports.as_text import Style, lines
from kmsmock.reports.collection import Collection
from kmsmock.reports.forms import BadFormError, Form, RequestedForm, read_forms
from kmsmock.reports.merging import merge
from kmsmock.reports.report import Report, TestTally

#: The input of a pytest-xdist worker that has the folder for its partial report.
_FOLDER = "kmsmock_reports"
_MARKUP: dict[Style, dict[str, bool]] = {
    Style.PLAIN: {},
    Style.HEADING: {"bold": True},
    Style.BAD: {"red": True},
    Style.QUIET: {"light": True},
}


def add_reports(config: pytest.Config, values: Sequence[str]) -> None:
    """Register the plugin that writes the reports of a run; in a worker, its partial report.

    values: of the option ``--kms-report``. Raises UsageError for unknown forms and for files that
    cannot be written.
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
    config.pluginmanager.register(Reports(config, forms, collection), "kmsmock-report")


def _needs_details(values: Sequence[str]) -> bool:
    return any(value != Form.TERMINAL.value for value in values)


class WorkerReport:
    """The plugin of a pytest-xdist worker: it writes a partial report for the controller."""

    def __init__(self, config: Any, collection: Collection) -> None:
        self._path = Path(config.workerinput[_FOLDER], f"{config.workerinput['workerid']}.json")
        self._collection = collection
        watchers.add(collection)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write the partial report."""
        self._path.write_text(write(self._collection.finish()), encoding="utf-8")

    def pytest_unconfigure(self) -> None:
        """Stop observing mocks."""
        watchers.remove(self._collection)


class Reports:
    """The plugin of the main process: it merges the partial reports and writes all forms."""

    def __init__(
        self, config: pytest.Config, forms: Sequence[RequestedForm], collection: Collection
    ) -> None:
        self._config = config
        self._forms = forms
        self._collection = collection
        self._outcomes: dict[str, str] = {}
        self._report = Report()
        self._messages: list[tuple[str, Style]] = []
        self._folder: Path | None = None
        self._workers: list[str] = []
        watchers.add(collection)

    # --- pytest-xdist --------------------------------------------------------------------------

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Pass a worker the folder for its partial report."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="kmsmock-report-"))
        node.workerinput[_FOLDER] = str(self._folder)
        self._workers.append(node.gateway.id)

    def _read_worker_reports(self) -> list[Report]:
        """Read the partial reports of the workers."""
        reports = []
        for worker in self._workers:
            assert self._folder is not None
            try:
                path = self._folder / f"{worker}.json"
                reports.append(read(path.read_text(encoding="utf-8")))
            except (OSError, ValueError):
                note = f"Worker {worker} crashed: the calls of its tests are missing here."
                reports.append(Report(notes=[note]))
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        return reports

    # --- the run --------------------------------------------------------------------------------

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record the outcome of a test: failed if any of its phases failed."""
        known = "" if report.when == "setup" else self._outcomes.get(report.nodeid, "")
        if known != "failed" and (report.outcome != "passed" or not known):
            self._outcomes[report.nodeid] = report.outcome

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Complete the report, and write the files."""
        report = merge([self._collection.finish(), *self._read_worker_reports()])
        report.made = datetime.now(timezone.utc).replace(microsecond=0)
        report.tests_run = len(self._outcomes)
        report.tests_failed = sum(outcome == "failed" for outcome in self._outcomes.values())
        for test, tally in report.tests.items():
            tally.add(TestTally(outcome=self._outcomes.get(test)))
        self._report = report
        for form, path in self._forms:
            if path is not None:
                self._write(form, path)

    def _write(self, form: Form, path: Path) -> None:
        from kmsmock.reports.as_html import page

        content = write(self._report) if form is Form.JSON else page(self._report)
        try:
            path.write_text(content, encoding="utf-8")
        except OSError as reason:
            self._messages.append((f"{path} could not be written: {reason}", Style.BAD))
        else:
            self._messages.append((f"{form.value} report: {path}", Style.PLAIN))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the text form, if requested, and the paths of the files."""
        output = list(self._messages)
        if any(form is Form.TERMINAL for form, _ in self._forms):
            output = [(line.text, line.style) for line in lines(self._report)] + output
        terminalreporter.section("kmsmock report", sep="-")
        for text, style in output:
            terminalreporter.write_line(text, **_MARKUP[style])

    def pytest_unconfigure(self) -> None:
        """Stop observing mocks."""
        watchers.remove(self._collection)
