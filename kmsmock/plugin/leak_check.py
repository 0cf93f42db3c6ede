"""The check, at the end of a test, for plaintexts of KMS in what the test has left behind."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from kmsmock.ledger.call_record import Call
from kmsmock.ledger.secrets import Secrets
from kmsmock.process.watchers import Watcher, watching

#: Fixtures with which a test takes captured output away from pytest's report.
_CAPTURING = frozenset({"capsys", "capsysbinary", "capteesys", "capfd", "capfdbinary"})
_TITLE = "plaintexts of KMS were found (kms_leak_check)"
_NAME = "kmsmock-leak-check"


def get_leak_check(config: pytest.Config) -> LeakCheck:
    """Give the check of a run, made when a test first needs it."""
    check = config.pluginmanager.get_plugin(_NAME)
    if check is None:
        check = LeakCheck()
        config.pluginmanager.register(check, _NAME)
    assert isinstance(check, LeakCheck)
    return check


class _Log(logging.Handler):
    """Keeps log records, whatever the test does to ``caplog``."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class _Plaintexts(Watcher):
    """Keeps what any mock hands out while it watches."""

    def __init__(self) -> None:
        self.secrets = Secrets()

    def handed_out(
        self,
        backend: object,  # noqa: ARG002 - plaintexts of any mock are kept
        event: Call,
        plaintexts: Mapping[str, bytes],
    ) -> None:
        """Keep the plaintexts of an answer."""
        self.secrets.note(plaintexts, event)


class _Test:
    """The plaintexts, the output and the findings of the test that runs.

    secrets: the plaintexts that are looked for. taken: output that the test has read, with its
    name. findings: in words, each once.
    """

    def __init__(self, shared: list[Secrets]) -> None:
        self.plaintexts = _Plaintexts()
        # The shared ones of now, since they may end with this test, and before its end.
        self.secrets = (self.plaintexts.secrets, *shared)
        self.log = _Log()
        self.taken: list[tuple[Any, str | None]] = []
        self.findings: dict[str, None] = {}

    def search(self, places: list[tuple[Any, str | None]]) -> None:
        for secrets in self.secrets:
            if secrets:
                findings = secrets.search(places).findings
                self.findings.update(dict.fromkeys(map(str, findings)))


class LeakCheck:
    """The check of the tests of a run, a pytest plugin of its own.

    Looked for is what was handed out during the test, its fixtures included, by any mock; and
    while fixtures were set up that live longer and are still there. Looked through are captured
    stdout and stderr, the log records that reach the root logger, and ``tmp_path``.
    """

    def __init__(self) -> None:
        self._shared: list[Secrets] = []
        self._test: _Test | None = None
        self._has_warned = False

    @contextmanager
    def check_test(self) -> Iterator[None]:
        """Check the test that runs inside."""
        self._test = test = _Test(self._shared)
        logging.getLogger().addHandler(test.log)
        try:
            with watching(test.plaintexts):
                yield
        finally:
            logging.getLogger().removeHandler(test.log)
            self._test = None

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Warn once that there is no output to search."""
        is_captured = item.config.getoption("capture") != "no"
        if self._test is None or is_captured or self._has_warned:
            return
        self._has_warned = True
        notice = pytest.PytestWarning(
            "kms_leak_check looks through logging and tmp_path only: stdout and stderr are not "
            "captured (-s)"
        )
        with warnings.catch_warnings():
            warnings.simplefilter("always")  # a notice also where warnings are errors
            item.warn(notice)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """Note what a longer lived fixture was handed out, and where fixtures put output."""
        if fixturedef.scope != "function":
            return (yield from self._set_up_shared(fixturedef))
        value, test = (yield), self._test
        if test is None:
            pass
        elif fixturedef.argname in _CAPTURING:
            _keep_what_is_read(value, fixturedef.argname, test)
        elif fixturedef.argname == "tmp_path":
            # Before its end, when pytest may remove the folder.
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
        """Fail the teardown of the test when something was found."""
        report, test = (yield), self._test
        if test is None or call.when != "teardown":
            return report
        output = [(text, title) for title, text in report.sections if "std" in title]
        records = [(record, f"log record {n}") for n, record in enumerate(test.log.records, 1)]
        test.search([*output, *test.taken, *records])
        if test.findings:
            lines = "\n".join(f"  {finding}" for finding in test.findings)
            if report.failed:
                report.longrepr.addsection(_TITLE, lines)  # type: ignore[union-attr]
            else:
                report.outcome = "failed"
                report.longrepr = f"{report.nodeid}: {_TITLE}:\n{lines}"
        return report


def _keep_what_is_read(capture: Any, name: str, test: _Test) -> None:
    """Keep what a test reads from a fixture, which pytest then does not report."""
    readouterr = capture.readouterr

    def read_and_keep() -> Any:
        result = readouterr()
        test.taken += [(result.out, f"stdout read from {name}")] if result.out else []
        test.taken += [(result.err, f"stderr read from {name}")] if result.err else []
        return result

    capture.readouterr = read_and_keep
