"""Wrap functions and test classes so that a mock is active while they run."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

MakeMocker = Callable[[], Any]

#: Attribute of a test instance: functions that end the mocks of its test, the innermost last.
_MARK = "_kmsmock_test"
#: Attribute of a test instance: for each set-up in progress, the function that creates its mock.
_SET_UPS = "_kmsmock_set_ups"
#: Attribute of a decorated class.
_DECORATED = "_kmsmock_decorated"
#: Attribute of a class nested in a decorated one: the enclosing class.
_AROUND = "_kmsmock_around"
#: Attribute of a class: the mock of its class-level set-up.
_CLASS = "_kmsmock_class"


def decorate_function(function: Callable[..., Any], make: MakeMocker) -> Callable[..., Any]:
    """Wrap a function, coroutine function or generator function to run with an active mock.

    make: creates the mock for each call.
    """
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_coroutine(*args: Any, **kwargs: Any) -> Any:
            with make():
                return await function(*args, **kwargs)

        return run_coroutine
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def run_async_generator(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            with make():
                generator = function(*args, **kwargs)
                try:
                    async for item in generator:
                        yield item
                finally:
                    await generator.aclose()

        return run_async_generator
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def run_generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            with make():
                return (yield from function(*args, **kwargs))

        return run_generator

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with make():
            return function(*args, **kwargs)

    return run


def decorate_class(decorated: type, make: MakeMocker) -> type:
    """Wrap a test class so that each test, with its set-up, runs with a mock of its own.

    Nested classes are included. Each test starts with the state that the class-level set-up has
    created. make: creates the mock for each test.
    """
    setattr(decorated, _DECORATED, True)
    test_case: Any = _find_test_case()
    if test_case is not None and issubclass(decorated, test_case):
        _wrap_class_fixtures(decorated, make, "setUpClass", "tearDownClass")
        set_run: Any = decorated
        set_run.run = _wrap_run(set_run.run, make)
        return decorated
    _wrap_class_fixtures(decorated, make, "setup_class", "teardown_class")
    _wrap_method_fixtures(decorated, make)
    _decorate_nested(decorated, make)
    for name, member in list(vars(decorated).items()):
        if name.startswith("test") and inspect.isfunction(member):
            setattr(decorated, name, _wrap_test_method(member, make))
    return decorated


def _decorate_nested(decorated: type, make: MakeMocker) -> None:
    """Decorate the test classes nested in a class; pytest calls its set-up for their tests, too.

    A nested class of a base class is not changed, but replaced in this class by a subclass.
    """
    for around in decorated.__mro__:
        for name, member in list(vars(around).items()):
            is_nested = inspect.isclass(member) and member.__qualname__.startswith(
                f"{around.__qualname__}."
            )
            if not is_nested or getattr(decorated, name) is not member:
                continue
            if not any(each.startswith(("test", "Test")) for each in (name, *dir(member))):
                continue
            if _DECORATED in vars(member):
                continue
            own: Any = member
            if around is not decorated:
                named = {"__module__": decorated.__module__, "__doc__": member.__doc__}
                make_class: Any = type(member)
                own = make_class(name, (member,), named)
                own.__qualname__ = f"{decorated.__qualname__}.{name}"
                setattr(decorated, name, own)
            setattr(own, _AROUND, decorated)
            decorate_class(own, make)
            for unused in ("setup_method", "teardown_method"):
                if not hasattr(own, unused):  # a unittest.TestCase, which does not use them
                    setattr(own, unused, lambda _self, *_: None)


def _wrap_test_method(test: Callable[..., Any], make: MakeMocker) -> Callable[..., Any]:
    """Wrap a test method to start a mock if it is called directly, and not by pytest."""
    alone = decorate_function(test, make)

    def choose(instance: Any) -> Callable[..., Any]:
        return test if vars(instance).get(_MARK) else alone

    if inspect.iscoroutinefunction(test):

        @functools.wraps(test)
        async def run_coroutine(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await choose(self)(self, *args, **kwargs)

        return run_coroutine

    @functools.wraps(test)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        return choose(self)(self, *args, **kwargs)

    return run


def _find_test_case() -> Any:
    """Return unittest.TestCase; None if unittest is not imported: then no class derives from it."""
    return getattr(sys.modules.get("unittest.case"), "TestCase", None)


def _wrap_run(run: Callable[..., Any], make: MakeMocker) -> Callable[..., Any]:
    @functools.wraps(run)
    def run_test(self: Any, *args: Any, **kwargs: Any) -> Any:
        start_test(self, make)
        try:
            return run(self, *args, **kwargs)
        finally:
            stop_test(self)

    return run_test


def _wrap_class_fixtures(decorated: type, make: MakeMocker, set_up: str, tear_down: str) -> None:
    """Wrap class-level set-up and tear-down, if there is a set-up, to start and stop a mock."""
    inherited = getattr(_find_test_case(), set_up, None)
    original = getattr(decorated, set_up, None)
    if original is None or getattr(original, "__func__", original) is getattr(
        inherited, "__func__", object()
    ):
        return
    ending = getattr(decorated, tear_down, None)
    started: list[Any] = []

    def start_class(cls: Any) -> None:
        if _CLASS in vars(cls):
            # pytest calls the set-up of a class for nested classes, too: they share one mock.
            _call_on_class(original, cls)
            return
        mocker = make()
        mocker.start()
        try:
            _call_on_class(original, cls)
        except BaseException:
            mocker.stop()
            raise
        setattr(cls, _CLASS, mocker)
        started.append(cls)

    def stop_class(cls: Any) -> None:
        try:
            if ending is not None:
                _call_on_class(ending, cls)
        finally:
            if cls in started:
                started.remove(cls)
                vars(cls)[_CLASS].stop()
                delattr(cls, _CLASS)

    setattr(decorated, set_up, classmethod(start_class))
    setattr(decorated, tear_down, classmethod(stop_class))


def _call_on_class(method: Any, cls: type) -> None:
    function = getattr(method, "__func__", None)
    if function is not None:
        function(cls)
    else:
        method()


def _wrap_method_fixtures(decorated: type, make: MakeMocker) -> None:
    """Wrap pytest's setup_method and teardown_method to start and stop the mock of each test."""
    set_up = getattr(decorated, "setup_method", None)
    tear_down = getattr(decorated, "teardown_method", None)

    def setup_method(self: Any, method: Any) -> None:
        under_way = vars(self).setdefault(_SET_UPS, [])
        under_way.append(make)
        if under_way.count(make) > 1:
            return  # pytest calls it again for each enclosing class
        start_test(self, make)
        try:
            _call_with_method(set_up, self, method)
        except BaseException:
            stop_test(self)
            under_way.remove(make)
            raise

    def teardown_method(self: Any, method: Any) -> None:
        under_way = vars(self)[_SET_UPS]
        under_way.remove(make)
        if make in under_way:
            return
        try:
            _call_with_method(tear_down, self, method)
        finally:
            stop_test(self)

    decorated.setup_method = setup_method  # type: ignore[attr-defined]
    decorated.teardown_method = teardown_method  # type: ignore[attr-defined]


def _call_with_method(fixture: Any, instance: Any, method: Any) -> None:
    if fixture is None:
        return
    takes_method = len(inspect.signature(fixture).parameters) > 1
    fixture(instance, method) if takes_method else fixture(instance)


def start_test(instance: Any, make: MakeMocker) -> None:
    """Start the mock of one test, or take a checkpoint of the mock of its class."""
    ends = vars(instance).setdefault(_MARK, [])
    class_mocker = _find_class_mocker(type(instance))
    mocker = make()
    if class_mocker is None:
        mocker.start()
        ends.append(mocker.stop)
        return
    kms = class_mocker.world
    checkpoint = kms.checkpoint()
    ends.append(functools.partial(kms.restore, checkpoint))


def _find_class_mocker(cls: type | None) -> Any:
    """Return the mock of a class-level set-up, of the class or an enclosing one; None if none."""
    while cls is not None:
        mocker = getattr(cls, _CLASS, None)
        if mocker is not None:
            return mocker
        cls = getattr(cls, _AROUND, None)
    return None


def stop_test(instance: Any) -> None:
    """Stop the innermost mock of one test, or restore the mock of its class."""
    ends = vars(instance).get(_MARK)
    if ends:
        ends.pop()()
