"""The pytest hooks that measure policy coverage; imported only if it is measured.

It never changes the outcome of tests, but a run fails that does not reach its limits. What goes
wrong with the measuring is reported in the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kmsmock.coverage.as_json import BadCoverageError, read, write
from kmsmock.coverage.as_text import lines
from kmsmock.coverage.baseline import MOST_BYTES, find_failures, read_baseline
from kmsmock.coverage.forms import CONTENTS, BadFormError, Form, RequestedForm, read_forms
from kmsmock.coverage.recorder import Recorder
from kmsmock.coverage.records import Records, merge
from kmsmock.coverage.result import Result
from kmsmock.coverage.sources import add_sources
from kmsmock.misuse.input_files import read_bytes
from kmsmock.options import read_option
from kmsmock.plugin.marks import merge_marks
from kmsmock.process.active_mocks import active
from kmsmock.process.watchers import watchers
from kmsmock.reports.collection import describe_problem
from kmsmock.reports.forms import write_file

#: The output of a pytest-xdist worker: its records, or why there are none.
_RECORDS, _PROBLEM = "kmsmock_policy_coverage", "kmsmock_policy_coverage_problem"
_NAME = "kmsmock-policy-coverage"


def add_policy_coverage(
    config: pytest.Config, values: Sequence[str], options: Mapping[str, Any]
) -> None:
    """Register the plugin that measures policy coverage.

    values: of the option ``--kms-policy-coverage``. options: those of the run. Raises UsageError
    for unknown forms, and for a baseline that cannot be read.
    """
    try:
        forms = read_forms(values, config.invocation_params.dir)
    except BadFormError as reason:
        raise pytest.UsageError(f"kmsmock: {reason}") from None
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(WorkerCoverage(config), _NAME)
    else:
        fail_under = read_option("policy_fail_under", options.get("policy_fail_under"))
        limits = Limits(fail_under, _read_baseline(options))
        config.pluginmanager.register(RunCoverage(config, forms, limits), _NAME)


class Limits(NamedTuple):
    """What a run has to reach."""

    #: The least percentage of statements; None for any.
    fail_under: float | None
    #: What may be uncovered; None for all.
    baseline: frozenset[str] | None


def _read_baseline(options: Mapping[str, Any]) -> frozenset[str] | None:
    path = options.get("policy_baseline")
    if path is None:
        return None
    try:
        return read_baseline(read_bytes(path, MOST_BYTES).decode())
    except FileNotFoundError:
        reason = (
            "there is no such file: write it with kmsmock coverage baseline coverage.json -o it"
        )
    except (OSError, ValueError) as problem:
        reason = describe_problem(problem) if isinstance(problem, OSError) else str(problem)
    raise pytest.UsageError(f"kmsmock: the baseline of policy coverage {path}: {reason}")


class _Measuring:
    """What measures in each process."""

    def __init__(self) -> None:
        self._recorder = Recorder()
        for mock in active:  # those that conftest files have started
            self._recorder.began(mock.kms)
        watchers.add(self._recorder)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Leave out a test with the mark ``policy_coverage=False``."""
        recorder = self._recorder
        recorder.is_paused = merge_marks(item).get("policy_coverage") is False
        try:
            return (yield)
        finally:
            recorder.is_paused = False

    def pytest_unconfigure(self) -> None:
        """Stop observing mocks."""
        watchers.remove(self._recorder)


class WorkerCoverage(_Measuring):
    """The plugin of a pytest-xdist worker: it sends its records to the controller."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self._config = config

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Add the records to what the worker sends when it ends."""
        try:
            self._config.workeroutput[_RECORDS] = write(self._recorder.finish())
        except Exception as reason:  # noqa: BLE001 - it must not fail the run
            self._config.workeroutput[_PROBLEM] = describe_problem(reason)


class RunCoverage(_Measuring):
    """The plugin of the main process: it merges the records of workers, and writes all forms."""

    def __init__(
        self, config: pytest.Config, forms: Sequence[RequestedForm], limits: Limits
    ) -> None:
        super().__init__()
        self._config = config
        self._limits = limits
        self._forms = forms
        self._output: list[str] = []
        self._problems: list[str] = []
        #: Id of a worker of pytest-xdist -> its records; None until they have arrived.
        self._of_workers: dict[str, Records | None] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Note that there is a worker."""
        self._of_workers[node.gateway.id] = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Read the records of a worker that has ended."""
        output = getattr(node, "workeroutput", None) or {}
        worker, problem = node.gateway.id, output.get(_PROBLEM)
        if _RECORDS in output:
            try:
                self._of_workers[worker] = read(output[_RECORDS])
            except BadCoverageError as reason:  # of another version of kmsmock
                problem = str(reason)
        if problem is not None:
            self._of_workers[worker] = Records()
            self._problems.append(f"Worker {worker} has no policy coverage: {problem}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Merge all records, and write them in all forms."""
        if session.config.option.collectonly:
            self._output.append("nothing is measured: no tests are run with --collect-only")
            return
        with self._telling("policy coverage could not be made"):
            result = Result(self._complete())
            for form, path in self._forms:
                self._write(result, form, path)
            failures = find_failures(result, *self._limits)
            self._problems += failures
            if failures and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _complete(self) -> Records:
        of_workers = []
        for worker, records in self._of_workers.items():
            if records is None:
                self._problems.append(f"Worker {worker} crashed: its policy coverage is missing")
            else:
                of_workers.append(records)
        merged = merge([self._recorder.finish(), *of_workers])
        return add_sources(merged, self._config.rootpath)

    def _write(self, result: Result, form: Form, path: Path | None) -> None:
        with self._telling(f"{path or 'policy coverage'} could not be written"):
            if path is None:
                self._output += lines(result)
                return
            write_file(path, CONTENTS[form](result))
            self._output.append(f"policy coverage as {form.value}: {path}")

    @contextmanager
    def _telling(self, failure: str) -> Iterator[None]:
        """Tell an exception of the block in the terminal, in one line, and suppress it."""
        try:
            yield
        except Exception as reason:  # noqa: BLE001 - it must not fail the run
            self._problems.append(f"{failure}: {describe_problem(reason)}")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the text form, if requested, the paths of the files, and what went wrong."""
        terminalreporter.write_sep("-", "kmsmock policy coverage")
        for line in self._output:
            terminalreporter.write_line(line)
        for problem in self._problems:
            terminalreporter.write_line(problem, red=True)
