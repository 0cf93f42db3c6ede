"""A plugin of pytest that records which lines of the package each test runs.

Each process of the run writes what it has seen to the folder that the environment variable names.
"""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import coverage
import pytest

#: The environment variable with the folder.
FOLDER = "MUTANTS_RECORDS"
_PACKAGE = Path(__file__).parents[2] / "kmsmock"


class Record(NamedTuple):
    """What is known of one test."""

    #: In seconds.
    duration: float
    #: Path of a file, from the root of the repository -> its lines, as the bits of a number.
    lines: dict[str, int]


class _Recorder:
    """Each test is a dynamic context of coverage."""

    def __init__(self) -> None:
        self._durations: dict[str, float] = {}
        self._failed: set[str] = set()
        self._coverage = coverage.Coverage(
            data_file=None, config_file=False, source=[str(_PACKAGE)]
        )

    def pytest_sessionstart(self) -> None:
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        start = time.perf_counter()
        self._coverage.switch_context(item.nodeid)
        try:
            return (yield)
        finally:
            self._coverage.switch_context("")
            self._durations[item.nodeid] = time.perf_counter() - start

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        passed = {
            test: Record(duration, {})
            for test, duration in self._durations.items()
            if test not in self._failed
        }
        data = self._coverage.get_data()
        for file in data.measured_files():
            name = os.path.relpath(file, _PACKAGE.parent)
            for line, tests in data.contexts_by_lineno(file).items():
                for test in passed.keys() & tests:
                    lines = passed[test].lines
                    lines[name] = lines.get(name, 0) | 1 << line
        if passed:
            path = Path(os.environ[FOLDER]) / f"{os.getpid()}.pickle"
            path.write_bytes(pickle.dumps(passed, protocol=pickle.HIGHEST_PROTOCOL))


def pytest_configure(config: pytest.Config) -> None:
    """Record, unless this is a run inside of a test."""
    if FOLDER in os.environ:
        config.pluginmanager.register(_Recorder())
