"""The leak check: search a test's output, logs and files for plaintexts that KMS returned."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
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
    """The plaintexts, the output and the findings of the running test.

    secrets: the plaintexts to search for. read_output: output that the test has read through a
    fixture, with its title. findings: their texts, without duplicates.
    """

    def __init__(self, shared: list[Secrets]) -> None:
        self.plaintexts = _Plaintexts()
        # A copy, since wider-scoped fixtures may be torn down before the test is searched.
        self.secrets = (self.plaintexts.secrets, *shared)
        self.log = _Log()
        self.read_output: list[tuple[Any, str | None]] = []
        self.findings: dict[str, None] = {}

    def search(self, sources: list[tuple[Any, str | None]]) -> None:
        for secrets in self.secrets:
            if secrets:
                findings = secrets.search(sources).findings
                self.findings.update(dict.fromkeys(map(str, findings)))


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
        self._test = test = _Test(self._shared)
        logging.getLogger().addHandler(test.log)
        try:
            with watching(test.plaintexts):
                yield
        finally:
            logging.getLogger().removeHandler(test.log)
            self._test = None

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Warn once if output is not captured, so that it cannot be searched."""
        is_captured = item.config.getoption("capture") != "no"
        if self._test is None or is_captured or self._has_warned:
            return
        self._has_warned = True
        notice = pytest.PytestWarning(
            "kms_leak_check searches only logging and tmp_path: stdout and stderr are not captured "
            "(-s)"
        )
        with warnings.catch_warnings():
            warnings.simplefilter("always")  # not an error, even if warnings are errors
            item.warn(notice)

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
        elif fixturedef.argname == "tmp_path":
            # Search before the teardown, since pytest may remove the folder.
            fixturedef.addfinalizer(lambda: test.search([(value, None)] if value.is_dir() else []))
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

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail the teardown of a test with findings."""
        report, test = (yield), self._test
        if test is None or call.when != "teardown":
            return report
        output = [(text, title) for title, text in report.sections if "std" in title]
        records = [(record, f"log record {n}") for n, record in enumerate(test.log.records, 1)]
        test.search([*output, *test.read_output, *records])
        if test.findings:
            lines = "\n".join(f"  {finding}" for finding in test.findings)
            if report.failed:
                report.longrepr.addsection(_TITLE, lines)  # type: ignore[union-attr]
            else:
                report.outcome = "failed"
                report.longrepr = f"{report.nodeid}: {_TITLE}:\n{lines}"
        return report


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
