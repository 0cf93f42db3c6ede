"""The pytest plugin: fixtures, mark, options and hooks.

Loaded in every pytest run, so it imports nothing slow: the rest is imported when it is needed.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from kmsmock.plugin.budgets import ExceededBudgets, enforce_limits
from kmsmock.plugin.configuration import (
    REPORT,
    add_options,
    read_options_before_conftests,
    read_options_of_run,
    require_known_arguments,
)
from kmsmock.plugin.contexts import Contexts, get_test_context
from kmsmock.plugin.fault_check import note_failure
from kmsmock.plugin.marks import (
    merge_marks,
    read_limits,
    require_options_of_marks,
    require_valid_marks,
)
from kmsmock.plugin.mocks import (
    describe_calls_of_test,
    require_own_state,
    run_mock,
    run_server,
)
from kmsmock.plugin.orderings import (
    add_late_answers,
    begin_ordering,
    describe_ordering,
    get_late_answers,
    tell_worker,
)
from kmsmock.plugin.real_aws import block_real_aws, blocking_as, say_what_is_blocked
from kmsmock.plugin.rollback import Rollback
from kmsmock.plugin.shared import begin_sharing, describe_sharing, get_shared, share_with_worker
from kmsmock.process.active_mocks import active, get_joinable
from kmsmock.process.contexts import get_running_test
from kmsmock.process.environment import describe_region, without_leftovers
from kmsmock.process.repeated_warnings import forget_warnings
from kmsmock.process.watchers import watchers

if TYPE_CHECKING:
    from kmsmock.accounts import Account
    from kmsmock.activation.key_factory import KmsKey, KmsKeyFactory
    from kmsmock.activation.typed_clients import KMSClient
    from kmsmock.control import KMSMock
    from kmsmock.plugin.hints import MockedTests
    from kmsmock.serving.server import KmsServer

_MARKER = (
    "kms(**options): options for the mock of the kms fixture, for example "
    'kms(region="eu-west-1"), and limits of the test: kms(max_requests=3, max_usd="0.01"); '
    "marks of function, class and module are merged"
)
#: The title of what calls of a failed test say.
_CALLS = "kmsmock"
_contexts: pytest.StashKey[Contexts] = pytest.StashKey()
_mocked_tests: pytest.StashKey[MockedTests] = pytest.StashKey()
_exceeded_budgets: pytest.StashKey[ExceededBudgets] = pytest.StashKey()


# --- configuration --------------------------------------------------------------------------


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    """Let the module of the entry point be named again, as ``-p kmsmock.entry`` does.

    pytest cannot register a module under two names, so something else keeps the first one.
    """
    if getattr(plugin, "__name__", None) == "kmsmock.entry":
        name = manager.get_name(plugin)
        manager.unregister(plugin)
        manager.register(object(), name)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the command-line and ini options, and block requests to the real KMS."""
    add_options(parser)
    block_real_aws(pluginmanager)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Iterator[None]:
    """Begin the run, so that the mocks that conftest files start have its options and end with it.

    Afterwards pytest knows the options of conftest files: others with our prefix are misspelt.
    """
    _begin_run(early_config)
    _configure_mocks(early_config, read_options_before_conftests(early_config))
    yield
    require_known_arguments(parser, args)


def _begin_run(config: pytest.Config) -> None:
    if _contexts not in config.stash:
        contexts = config.stash[_contexts] = Contexts()
        contexts.begin()
        forget_warnings()
        config.pluginmanager.register(contexts, "kmsmock contexts")
        config.add_cleanup(contexts.end)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the configuration of the run."""
    config.addinivalue_line("markers", _MARKER)
    from kmsmock.plugin.hints import MockedTests

    configured = read_options_of_run(config)
    _configure_mocks(config, configured)
    mocked_tests = config.stash.setdefault(_mocked_tests, MockedTests())
    exceeded_budgets = config.stash.setdefault(_exceeded_budgets, ExceededBudgets())
    config.pluginmanager.register(exceeded_budgets, "kmsmock budgets")
    for watcher in (mocked_tests, exceeded_budgets, get_late_answers(config)):
        watchers.add(watcher)
        config.add_cleanup(functools.partial(watchers.remove, watcher))
    _begin_run(config)
    begin_ordering(config, configured, config.stash[_contexts])
    begin_sharing(config, configured)
    if configured.get("with_moto"):
        from kmsmock.mock import follow_moto

        follow_moto()
    reports = config.getoption(REPORT)
    if reports:
        from kmsmock.reports.plugin import add_reports

        add_reports(config, reports)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let the workers of xdist have the ordering of the run, and its world if it is shared."""
    tell_worker(node)
    share_with_worker(node)


def _configure_mocks(config: pytest.Config, options: dict[str, Any]) -> None:
    """Let the mocks of a run have its options by default."""
    from kmsmock.options import configure

    before = configure(options)

    def restore() -> None:
        configure(before)

    config.add_cleanup(restore)


def pytest_report_header(config: pytest.Config) -> str:
    """Show the default options of mocks."""
    from kmsmock.options import complete

    chosen = complete({})
    region = chosen["region"] or describe_region()
    seed = "" if chosen["seed"] is None else f", seed {chosen['seed']!r}"
    return (
        f"kmsmock: account {chosen['account_id']}, region {region}, "
        f"authorization {chosen['authorization']}, {say_what_is_blocked()}{seed}"
        f"{describe_ordering(config)}{describe_sharing(config)}"
    )


# --- the running test --------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Apply a test's marks ``leak_check``, ``block_real_kms`` and ``block_real_aws``."""
    marks = merge_marks(item)
    try:
        get_late_answers(item.config).begin()
        with blocking_as(marks), without_leftovers(), _check_leaks(item, marks):
            return (yield)
    finally:
        item.config.stash[_mocked_tests].forget(item.nodeid)


def _check_leaks(item: pytest.Item, marks: dict[str, Any]) -> AbstractContextManager[None]:
    if not marks.get("leak_check", item.config.getini("kms_leak_check")):
        return nullcontext()
    from kmsmock.plugin.leak_check import get_leak_check

    return get_leak_check(item.config).check_test()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test with invalid marks before its fixtures are set up."""
    require_valid_marks(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Add what calls of a failed test say, beside what is done to its error."""
    if call.excinfo is not None:
        _prepare_error(item, call)
    report: Any = yield
    if report.failed and call.when == "call":
        own = item.config.stash[_mocked_tests].list_mocks(get_running_test())
        text = describe_calls_of_test(own)
        if text:
            report.sections.append((_CALLS, text))
    if report.failed:
        add_late_answers(item, report)
    item.config.stash[_exceeded_budgets].attach(item, report)
    return report


def _prepare_error(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Hide the frames of clients, and add hints to errors without a mock, or without ``await``."""
    assert call.excinfo is not None
    if call.when != "teardown":
        note_failure(get_test_context())
    if "aiobotocore" in sys.modules:
        from kmsmock.plugin.async_hints import hint_at_await

        hint_at_await(call.excinfo.value)
    has_mock = get_running_test() in item.config.stash[_mocked_tests]
    if not has_mock:
        from kmsmock.plugin.hints import hint_at_mock

        hint_at_mock(call.excinfo.value)
    if isinstance(call.excinfo.value, UnicodeEncodeError):
        from kmsmock.plugin.hints import hint_at_blob

        hint_at_blob(call.excinfo.value)
    if isinstance(call.excinfo.value, AttributeError):
        from kmsmock.misuse.public_object import add_nearest_name

        add_nearest_name(call.excinfo.value)
    from kmsmock.plugin.tracebacks import hide_client_frames

    hide_client_frames(call.excinfo.value, has_mock=has_mock or bool(active))


@pytest.hookimpl(tryfirst=True)
def pytest_warning_recorded(warning_message: warnings.WarningMessage) -> None:
    """Add a hint to the warning that a call of aiobotocore was never awaited."""
    if "aiobotocore" in sys.modules:
        from kmsmock.plugin.async_hints import add_hint_to_warning

        add_hint_to_warning(warning_message)


def pytest_exception_interact(call: pytest.CallInfo[Any], report: Any) -> None:
    """Add a hint to such errors of clients that a module creates while it is imported."""
    if call.when == "collect" and call.excinfo is not None:
        from kmsmock.plugin.hints import AT_IMPORT, hint_at_mock

        if hint_at_mock(call.excinfo.value) and hasattr(report.longrepr, "addsection"):
            report.longrepr.addsection("kmsmock", AT_IMPORT)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test that exceeds the limits of its marks; fixture set-up is not counted."""
    limits = read_limits(item)
    if not limits:
        return (yield)
    with enforce_limits(item, limits):
        return (yield)


def pytest_assertrepr_compare(op: str, left: Any, right: Any) -> list[str] | None:
    """Explain failed comparisons of calls, call by call."""
    calls = sys.modules.get("kmsmock.ledger.calls")
    if calls is None or not isinstance(left, calls.Calls):
        return None
    from kmsmock.ledger.assertion_messages import explain_comparison

    return explain_comparison(left, op, right)


# --- fixtures --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def session_kms(request: pytest.FixtureRequest) -> Iterator[KMSMock]:
    """Return a mock that lasts for the whole run."""
    yield from run_mock(request.node)


@pytest.fixture(scope="module")
def module_kms(request: pytest.FixtureRequest) -> Iterator[KMSMock]:
    """Return a mock that lasts for a module."""
    yield from run_mock(request.node)


@pytest.fixture(scope="class")
def class_kms(request: pytest.FixtureRequest) -> Iterator[KMSMock]:
    """Return a mock that lasts for a class."""
    yield from run_mock(request.node)


@pytest.fixture
def kms(request: pytest.FixtureRequest) -> Iterator[KMSMock]:
    """Return an active mock for one test.

    If the test uses a fixture with a wider scope, such as `module_kms`, or any fixture that has
    started a mock, it is that mock, which is restored to its state from before the test.
    """
    joined = get_joinable()
    if joined is None or merge_marks(request.node).get("isolated"):
        yield from run_mock(request.node)
        return
    require_options_of_marks(request.node)
    require_own_state(request.node, joined)
    rollbacks = get_test_context().rollbacks
    rollbacks.append(Rollback(joined.kms))
    joined.kms.backend.faults.are_checked = True
    yield joined.kms
    rollbacks.pop().restore()


@pytest.fixture
def kms_server(kms: KMSMock) -> Iterator[KmsServer]:
    """Return a running server with the mock of the test, on the loopback address."""
    yield from run_server(kms)


@pytest.fixture(scope="session")
def session_kms_server(session_kms: KMSMock) -> Iterator[KmsServer]:
    """Return a running server with the mock `session_kms`, on the loopback address."""
    yield from run_server(session_kms)


@pytest.fixture
def kms_client(kms: KMSMock) -> KMSClient:
    """Return a boto3 KMS client of the default principal."""
    return kms.client()


@pytest.fixture
def kms_key_factory(kms_client: KMSClient) -> KmsKeyFactory:
    """Return ``factory(spec="SYMMETRIC_DEFAULT", usage=None, alias=None, ...)`` to create keys."""
    from kmsmock.activation.key_factory import KmsKeyFactory

    return KmsKeyFactory(kms_client)


@pytest.fixture
def kms_key(kms_key_factory: KmsKeyFactory) -> KmsKey:
    """Return a new symmetric encryption key."""
    return kms_key_factory()


@pytest.fixture
def kms_accounts(request: pytest.FixtureRequest, kms: KMSMock) -> tuple[Account, Account]:
    """Return two accounts, ``(source, target)``; the source is the default account."""
    source = kms.options["account_id"]
    if get_shared(request.node) is not None:
        return kms.account(source), kms.account()
    target = "444455556666" if source != "444455556666" else "111122223333"
    return kms.account(source), kms.account(target)
