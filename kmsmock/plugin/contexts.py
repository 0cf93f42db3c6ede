"""The contexts of a run of pytest: its fixtures, tests and modules, which own the mocks they start.

A test asks for the mocks of all fixtures that it uses: those of its signature, of
``usefixtures`` and of ``autouse``, and what these request with ``getfixturevalue``, also if an
earlier test has set them up. Mocks of other fixtures are suspended while it runs.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from kmsmock.plugin.fault_check import end_faults_of_fixture, ending_faults, note_failure
from kmsmock.plugin.late_answers import let_all_be_seen
from kmsmock.plugin.marks import read_options, require_options_of_marks
from kmsmock.plugin.rollback import Rollback, keep_changes_of_fixture
from kmsmock.process.active_mocks import Use, arrange, end_uses, inside, list_uses, pop, push
from kmsmock.process.contexts import SCOPES, Context, contexts

#: Hides the functions of this module in the tracebacks that pytest shows.
__tracebackhide__ = True
_FUNCTION = SCOPES[-1]


class RunContext(Context):
    """A run of pytest. Its mocks are those that conftest files and hooks start."""

    def __init__(self) -> None:
        super().__init__("this run of pytest", "session", contexts[-1])
        self.depth += 1


class NodeContext(Context):
    """A module that is imported. Its mocks are those that the import starts."""

    def __init__(self, node: pytest.Collector, around: Context) -> None:
        super().__init__(f"the module {node.nodeid}", "module", around)


class FixtureContext(Context):
    """A fixture, from its set-up to its end."""

    def __init__(self, definition: Any, request: Any, around: TestContext) -> None:
        super().__init__(_describe_fixture(definition), definition.scope, around, test=around.test)
        self._test = around
        self._node = request.node
        #: The contexts of the fixtures that it has requested.
        self.requested: dict[FixtureContext, None] = {}
        #: The contexts of the fixtures that all tests of its node use.
        self.autouse: list[FixtureContext] = []
        #: What it had asked for when its set-up ended, which is there for its tear-down, too.
        self.asked: list[Context] | None = None

    @property
    def reach(self) -> tuple[int, int]:
        """The greatest rank of the mocks that it joins: not those of contexts that end before."""
        return self.rank

    def iterate_asked(self) -> Iterator[Context]:
        """Yield the contexts of what it and its test have requested."""
        if self.asked is not None:
            yield from self.asked
            return
        yield from self._test.iterate_asked()
        yield from _iterate_requested(self.requested)
        yield self

    def iterate_joined(self) -> Iterator[Context]:
        """Yield the contexts of what it has requested itself, if it lasts longer than the test.

        So the tests that use it share one mock, whichever of them is the first.
        """
        if self.scope == _FUNCTION or self.asked is not None:
            yield from self.iterate_asked()
            return
        yield from self._test.iterate_around()
        yield from _iterate_requested([*self.autouse, *self.requested])
        yield self

    def get_options(self) -> Mapping[str, Any]:
        """Return the options in the marks of its node, such as the module."""
        return read_options(self._node)


class TestContext(Context):
    """A test, from its set-up to the end of its tear-down.

    find_fixtures: returns the contexts of the fixtures that it uses by their names.
    """

    __test__ = False

    def __init__(
        self,
        item: pytest.Item,
        around: Context,
        find_fixtures: Callable[[pytest.Item], Iterator[FixtureContext]],
    ) -> None:
        super().__init__(f"the test {item.nodeid}", _FUNCTION, around, test=item.nodeid)
        self._item = item
        self._find_fixtures = find_fixtures
        #: The contexts of the fixtures that its code has requested by ``getfixturevalue``.
        self.requested: dict[FixtureContext, None] = {}
        #: The contexts whose mocks end with the test.
        self.ending: list[Context] = [self]
        #: The starts of mocks by hooks around it.
        self.around_test: list[Use] = []
        #: The mocks whose state is restored at its end.
        self.rollbacks: list[Rollback] = []
        #: Lines about the faults of fixtures that have ended without having fired.
        self.unfired: list[str] = []

    def iterate_asked(self) -> Iterator[Context]:
        """Yield the contexts of all that it uses, in the order in which it would start them."""
        yield from self.iterate_around()
        yield from _iterate_requested([*self._find_fixtures(self._item), *self.requested])
        yield self

    def iterate_around(self) -> Iterator[Context]:
        """Yield the contexts that do not depend on the test, such as the run of pytest."""
        if self.around is not None:
            yield from self.around.iterate_asked()

    def get_options(self) -> Mapping[str, Any]:
        """Return the options in its marks."""
        return read_options(self._item)


def get_test_context() -> TestContext:
    """Return the context of the running test; called by its fixtures."""
    context: Context | None = contexts[-1]
    while not isinstance(context, TestContext):
        assert context is not None, "fixtures run inside of tests"
        context = context.around
    return context


def _iterate_requested(requested: Iterable[FixtureContext]) -> Iterator[FixtureContext]:
    """Yield fixtures, each after those that it has requested, in the order of set-up."""
    found: set[FixtureContext] = set()
    # A stack, since fixtures can request each other many levels deep.
    left = [(each, False) for each in reversed(list(requested))]
    while left:
        fixture, is_expanded = left.pop()
        if is_expanded:
            yield fixture
        elif fixture not in found:
            found.add(fixture)
            left.append((fixture, True))
            left.extend((each, False) for each in reversed(fixture.requested))


def _describe_fixture(definition: Any) -> str:
    name: str = definition.argname
    if name.startswith(("_xunit_", "_unittest_", "xunit_", "unittest_")):
        return f"the set-up of a {definition.scope}"
    return f"the fixture {name}"


class Contexts:
    """Hooks that keep `kmsmock.process.contexts` up to date in one run of pytest."""

    def __init__(self) -> None:
        self._run = RunContext()
        self._modules: dict[pytest.Collector, NodeContext] = {}
        self._fixtures: dict[Any, FixtureContext] = {}
        self._tests: list[TestContext] = []

    def begin(self) -> None:
        """Begin the run."""
        push(self._run)
        _requests.add(self._note_request)

    def end(self) -> None:
        """End the run, and the mocks that are left of it."""
        _requests.remove(self._note_request)
        pop(self._run)
        end_uses({self._run, *self._modules.values(), *self._fixtures.values()})

    # --- modules and tests ---------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        """Attribute the mocks that a module starts while it is imported to this module."""
        if not isinstance(collector, pytest.Module) or isinstance(collector, pytest.Package):
            return (yield)
        context = self._modules.setdefault(collector, NodeContext(collector, self._run))
        with inside(context):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Run a test in a context of its own."""
        module = item.getparent(pytest.Module)
        around: Context = self._run if module is None else self._modules.get(module, self._run)
        self._tests.append(TestContext(item, around, self._find_fixtures))
        try:
            with inside(self._tests[-1]):
                return (yield)
        finally:
            end_uses({self._tests.pop()})

    def pytest_runtest_logstart(self) -> None:
        """Note the mocks that hooks have started around the whole test, and stop after it."""
        for test in self._tests[-1:]:  # none in the process that controls workers
            test.around_test = list_uses({test})

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Fail a test whose marks come too late for its mock, after its fixtures are set up."""
        require_options_of_marks(item)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        """End the faults that a test has armed; end the mocks that it has left, with a warning.

        It fails for faults that did not fire.
        """
        with self._tearing_down(item):
            return (yield)

    def tear_down_around(
        self, item: pytest.Item, nextitem: pytest.Item | None, *, has_failed: bool
    ) -> pytest.TestReport | None:
        """Tear down what is around a test that has been torn down itself; return a failed report.

        nextitem: the test whose fixtures stay. has_failed: whether the test has failed.
        """
        if has_failed:
            note_failure(self._tests[-1])

        def tear_down() -> None:
            with self._tearing_down(item):
                item.session._setupstate.teardown_exact(nextitem)  # noqa: SLF001 - as pytest does

        reraise = (pytest.exit.Exception, KeyboardInterrupt)
        call = pytest.CallInfo.from_call(tear_down, when="teardown", reraise=reraise)
        if call.excinfo is None:
            return None
        report: pytest.TestReport = item.ihook.pytest_runtest_makereport(item=item, call=call)
        return report

    @contextmanager
    def _tearing_down(self, item: pytest.Item) -> Iterator[None]:
        test = self._tests[-1]
        try:
            with ending_faults(test, test.unfired):
                yield
        finally:
            left = end_uses(test.ending, but=test.around_test)
            test.ending = [test]
            test.requested.clear()
            for use in left:
                text = (
                    f"the mock of KMS started by {use.describe()}, was not stopped; it has ended "
                    f"with {use.owner.name}: call stop() of what was started there, or use `with`"
                )
                file, line, _ = item.location
                place = use.place or (file, (line or 0) + 1)
                warnings.warn_explicit(text, ResourceWarning, *place)

    # --- fixtures --------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Iterator[None]:
        """Set up a fixture in a context of its own."""
        test = self._tests[-1]
        context = FixtureContext(fixturedef, request, test)
        if context.scope != _FUNCTION and self._fixtures:
            context.autouse.extend(self._find_autouse(request))
        self._fixtures[fixturedef] = context
        for name in fixturedef.argnames:
            self._note_request(request, name)
        outlived = [] if context.scope == _FUNCTION else test.rollbacks
        try:
            with inside(context), keep_changes_of_fixture(outlived):
                return (yield)
        finally:
            context.asked = list(context.iterate_asked())
            if context.scope != _FUNCTION:
                let_all_be_seen()
            # Finalizers run in reverse order: this one before those that the set-up has added.
            fixturedef.addfinalizer(functools.partial(push, context))

    @pytest.hookimpl(trylast=True)
    def pytest_fixture_post_finalizer(self, fixturedef: Any) -> None:
        """End the context of a fixture; its mocks end with the running test."""
        context = self._fixtures.pop(fixturedef, None)
        if context is None:
            return
        pop(context)
        unfired = end_faults_of_fixture(context)
        if self._tests:
            self._tests[-1].ending.append(context)
            self._tests[-1].unfired += unfired
        else:  # no test is running: the run was interrupted
            end_uses({context})

    def _note_request(self, request: Any, name: str) -> None:
        """Note that a fixture, or a test, has requested a fixture by name."""
        if name == "request":
            return
        requested = self._fixtures.get(request._get_active_fixturedef(name))  # noqa: SLF001
        if requested is None or not self._tests:
            return
        requesting = self._fixtures.get(getattr(request, "_fixturedef", None), self._tests[-1])
        if requested not in requesting.requested:
            requesting.requested[requested] = None
            arrange()

    def _find_autouse(self, request: Any) -> Iterator[FixtureContext]:
        """Yield the contexts of the ``autouse`` fixtures of the node of a fixture."""
        manager, node = request.session._fixturemanager, request.node  # noqa: SLF001
        try:
            names = set(manager._getautousenames(node))  # noqa: SLF001
        except AttributeError:  # pytest before version 8 takes node ids
            names = set(manager._getautousenames(node.nodeid))  # noqa: SLF001
        for definition, context in self._fixtures.items():
            if definition.argname in names:
                yield context

    def _find_fixtures(self, item: pytest.Item) -> Iterator[FixtureContext]:
        """Yield the contexts of the fixtures that a test uses by their names."""
        information = getattr(item, "_fixtureinfo", None)
        definitions_of = getattr(information, "name2fixturedefs", {})
        for name in getattr(item, "fixturenames", ()):
            for definition in reversed(definitions_of.get(name, ())):
                context = self._fixtures.get(definition)
                if context is not None:
                    yield context
                if name not in definition.argnames:
                    break  # it does not use the one that it overrides


class _ObservedRequests:
    """Observes ``request.getfixturevalue``, for which pytest has no hook; it is patched."""

    def __init__(self) -> None:
        self._observers: list[Callable[[Any, str], None]] = []
        self._original: Any = None

    def add(self, observer: Callable[[Any, str], None]) -> None:
        """Call an observer with each request and the name of the fixture."""
        if not self._observers:
            self._patch()
        self._observers.append(observer)

    def remove(self, observer: Callable[[Any, str], None]) -> None:
        """Stop calling an observer; without observers, pytest is as it was."""
        self._observers.remove(observer)
        if not self._observers:
            request_class: Any = pytest.FixtureRequest
            request_class.getfixturevalue = self._original

    def _patch(self) -> None:
        request_class: Any = pytest.FixtureRequest
        original = self._original = request_class.getfixturevalue

        @functools.wraps(original)
        def getfixturevalue(request: Any, argname: str) -> Any:
            value = original(request, argname)
            self._observers[-1](request, argname)
            return value

        request_class.getfixturevalue = getfixturevalue


_requests = _ObservedRequests()
