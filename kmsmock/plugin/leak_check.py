"""The leak check: search a test's output, logs and files for plaintexts that KMS returned."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.ledger.call_record import Call
from kmsmock.ledger.secrets import Secrets
from kmsmock.process.watchers import Watcher, watching

#: Fixtures by which a test reads captured output, which pytest then does not report.
_CAPTURING = frozenset({"capsys", "capsysbinary", "capteesys", "capfd", "capfdbinary"})
_TITLE = "plaintexts of KMS were found (kms_leak_check)"
_NAME = "kmsmock-leak-check"


def get_leak_check(config: pytest.Config) -> LeakCheck:
    """Return the leak check of the run, which is created on first use."""
    check = config.pluginmanager.get_plugin(_NAME)
    if check is None:
        check = LeakCheck()
        config.pluginmanager.register(check, _NAME)
    assert isinstance(check, LeakCheck)
    return check


class _Log(logging.Handler):
    """A handler that stores log records, independent of ``caplog``, which a test can clear."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class _Plaintexts(Watcher):
    """The plaintexts that all mocks return to clients while this watcher is active."""

    def __init__(self) -> None:
        self.secrets = Secrets()

    def handed_out(
        self,
        backend: object,  # noqa: ARG002 - plaintexts of any mock are kept
        event: Call,
        plaintexts: Mapping[str, SecretBytes],
    ) -> None:
        """Store the plaintexts in a response."""
        self.secrets.note(plaintexts, event)


class _Test:
    """The plaintexts, the output and the findings of the running test, of one attempt to run it."""

    def __init__(self) -> None:
        self.plaintexts = _Plaintexts()
        #: The plaintexts to search for, those of wider-scoped fixtures, too.
        self.secrets: tuple[Secrets, ...] = ()
        self.log = _Log()
        #: Output that the test has read through a fixture, with its title.
        self.read_output: list[tuple[Any, str | None]] = []
        #: Title and text of output that pytest has captured in subtests.
        self.captured: dict[tuple[str, str], str] = {}
        #: The texts of the findings, without duplicates.
        self.findings: dict[str, None] = {}
        #: What was not searched, and why.
        self.unsearched: dict[str, None] = {}

    def begin(self, shared: list[Secrets]) -> None:
        """Begin an attempt: a rerun of a flaky test does not have what the one before has left.

        shared: the plaintexts of wider-scoped fixtures.
        """
        self.plaintexts.secrets.clear()
        # A copy, since wider-scoped fixtures may be torn down before the test is searched.
        self.secrets = (self.plaintexts.secrets, *shared)
        for left in (self.log.records, self.read_output):
            left.clear()
        for noted in (self.captured, self.findings, self.unsearched):
            noted.clear()

    def search(self, sources: list[tuple[Any, str | None]]) -> None:
        """Search for all plaintexts. sources: pairs of a target and its name, or None."""
        for secrets in self.secrets:
            if secrets:
                result = secrets.search(sources)
                self.findings.update(dict.fromkeys(map(str, result.findings)))
                self.unsearched.update(dict.fromkeys(result.unsearched))

    def search_folder(self, folder: Path) -> None:
        """Search a folder, unless the test has removed it."""
        if folder.is_dir():
            self.search([(folder, None)])

    def note_captured(self, sections: list[tuple[str, str]], suffix: str) -> None:
        """Note captured output. sections: of a report of pytest. suffix: of the titles."""
        for title, text in sections:
            if "std" in title:
                self.captured.setdefault((title, text), title + suffix)


class LeakCheck:
    """The leak check of a run, a pytest plugin.

    It searches for the plaintexts that any mock returned during the test and its fixtures, and
    during the set-up of wider-scoped fixtures that still exist. It searches in captured stdout and
    stderr, in the log records that reach the root logger, and in the files of ``tmp_path``.
    """

    def __init__(self) -> None:
        self._shared: list[Secrets] = []
        self._test: _Test | None = None
        self._has_warned = False

    @contextmanager
    def check_test(self) -> Iterator[None]:
        """Collect the plaintexts and output of the test that runs in the block."""
        self._test = test = _Test()
        test.begin(self._shared)
        logging.getLogger().addHandler(test.log)
        try:
            with watching(test.plaintexts):
                yield
        finally:
            logging.getLogger().removeHandler(test.log)
            self._test = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Begin an attempt to run the test; warn once if its output cannot be searched."""
        if self._test is None:
            return
        self._test.begin(self._shared)
        why = _explain_uncaptured(item.config)
        if why is not None and not self._has_warned:
            self._has_warned = True
            _warn(
                item,
                "kms_leak_check searches only logging and tmp_path: stdout and stderr are not "
                f"captured ({why})",
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Collect the plaintexts of wider-scoped fixtures, and the output that fixtures store."""
        if fixturedef.scope != "function":
            return (yield from self._set_up_shared(fixturedef))
        value, test = (yield), self._test
        if test is None:
            pass
        elif fixturedef.argname in _CAPTURING:
            _store_read_output(value, fixturedef.argname, test)
        elif fixturedef.argname == "tmp_path" and isinstance(value, os.PathLike):
            folder = Path(value)
            # Search before the teardown, since pytest may remove the folder.
            fixturedef.addfinalizer(lambda: test.search_folder(folder))
        return value

    def _set_up_shared(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        plaintexts = _Plaintexts()
        with watching(plaintexts):
            value = yield
        secrets = plaintexts.secrets
        if secrets:
            self._shared.append(secrets)
            fixturedef.addfinalizer(lambda: self._shared.remove(secrets))
        return value

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what was captured in a subtest, of which the report of the test has nothing."""
        if self._test is not None and hasattr(report, "context"):
            self._test.note_captured(report.sections, " of a subtest")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail the teardown of a test with findings, and warn of what was not searched."""
        report, test = (yield), self._test
        if test is None or call.when != "teardown":
            return report
        test.note_captured(report.sections, "")
        output = [(text, title) for (_, text), title in test.captured.items()]
        records = [(record, f"log record {n}") for n, record in enumerate(test.log.records, 1)]
        test.search([*output, *test.read_output, *records])
        for unsearched in test.unsearched:
            _warn(item, f"kms_leak_check: {unsearched}")
        if test.findings:
            _fail(report, "\n".join(f"  {finding}" for finding in test.findings))
        return report


def _fail(report: pytest.TestReport, findings: str) -> None:
    """Fail a report of a teardown, which may have failed already, with the findings."""
    own: Any = report.longrepr if report.failed else None
    if hasattr(own, "addsection"):
        own.addsection(_TITLE, findings)
        return
    text = f"{report.nodeid}: {_TITLE}:\n{findings}"
    report.outcome = "failed"
    report.longrepr = text if own is None else f"{own}\n{text}"


def _explain_uncaptured(config: pytest.Config) -> str | None:
    """Return the option by which stdout and stderr are not captured; None if they are."""
    if not config.pluginmanager.has_plugin("capturemanager"):
        return "-p no:capture"
    return "-s" if config.getoption("capture", "no") == "no" else None


def _warn(item: pytest.Item, text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")  # not an error, even if warnings are errors
        item.warn(pytest.PytestWarning(text))


def _store_read_output(capture: Any, name: str, test: _Test) -> None:
    """Store the output that a test reads from a fixture, which pytest then does not report."""
    readouterr = capture.readouterr

    def read_and_store() -> Any:
        result = readouterr()
        for stream, text in (("stdout", result.out), ("stderr", result.err)):
            if text:
                test.read_output.append((text, f"{stream} read from {name}"))
        return result

    capture.readouterr = read_and_store
