"""Wrapping functions and test classes, so that a mock is active while they run."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

MakeMocker = Callable[[], Any]

#: The attribute of a test instance that says how to end the world of its test.
_MARK = "_kmsmock_test"


def decorate_function(function: Callable[..., Any], make: MakeMocker) -> Callable[..., Any]:
    """Wrap a function of any kind, so that a mock is active until all of it has run."""
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
    """Make each test of a class run in a fresh world, its set-up included.

    What the class-level set-up makes is there in every test, and as it was.
    """
    test_case: Any = _unittest_case()
    if test_case is not None and issubclass(decorated, test_case):
        _wrap_class_fixtures(decorated, make, "setUpClass", "tearDownClass")
        set_run: Any = decorated
        set_run.run = _in_own_world(set_run.run, make)
        return decorated
    _wrap_class_fixtures(decorated, make, "setup_class", "teardown_class")
    _wrap_method_fixtures(decorated, make)
    for name, member in list(vars(decorated).items()):
        if name.startswith("test") and inspect.isfunction(member):
            setattr(decorated, name, _unless_started(member, make))
    return decorated


def _unless_started(test: Callable[..., Any], make: MakeMocker) -> Callable[..., Any]:
    """Wrap a test method for those who call it without pytest, which starts the mock earlier."""
    alone = decorate_function(test, make)

    def chosen(instance: Any) -> Callable[..., Any]:
        return test if _MARK in vars(instance) else alone

    if inspect.iscoroutinefunction(test):

        @functools.wraps(test)
        async def run_coroutine(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await chosen(self)(self, *args, **kwargs)

        return run_coroutine

    @functools.wraps(test)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        return chosen(self)(self, *args, **kwargs)

    return run


def _unittest_case() -> Any:
    """Give unittest's TestCase, if anybody has imported it: others cannot have derived from it."""
    return getattr(sys.modules.get("unittest.case"), "TestCase", None)


def _in_own_world(run: Callable[..., Any], make: MakeMocker) -> Callable[..., Any]:
    @functools.wraps(run)
    def run_test(self: Any, *args: Any, **kwargs: Any) -> Any:
        start_test(self, make)
        try:
            return run(self, *args, **kwargs)
        finally:
            stop_test(self)

    return run_test


def _wrap_class_fixtures(decorated: type, make: MakeMocker, set_up: str, tear_down: str) -> None:
    """Let a mock last from the class-level set-up, if there is any, to the tear-down."""
    inherited = getattr(_unittest_case(), set_up, None)
    original = getattr(decorated, set_up, None)
    if original is None or getattr(original, "__func__", original) is getattr(
        inherited, "__func__", object()
    ):
        return
    ending = getattr(decorated, tear_down, None)

    def start_class(cls: Any) -> None:
        mocker = make()
        mocker.start()
        try:
            _call_on_class(original, cls)
        except BaseException:
            mocker.stop()
            raise
        cls._kmsmock_class = mocker

    def stop_class(cls: Any) -> None:
        try:
            if ending is not None:
                _call_on_class(ending, cls)
        finally:
            cls._kmsmock_class.stop()

    setattr(decorated, set_up, classmethod(start_class))
    setattr(decorated, tear_down, classmethod(stop_class))


def _call_on_class(method: Any, cls: type) -> None:
    function = getattr(method, "__func__", None)
    if function is not None:
        function(cls)
    else:
        method()


def _wrap_method_fixtures(decorated: type, make: MakeMocker) -> None:
    """Let pytest's setup_method and teardown_method start and stop the mock of each test."""
    set_up = getattr(decorated, "setup_method", None)
    tear_down = getattr(decorated, "teardown_method", None)

    def setup_method(self: Any, method: Any) -> None:
        start_test(self, make)
        try:
            _call_with_method(set_up, self, method)
        except BaseException:
            stop_test(self)
            raise

    def teardown_method(self: Any, method: Any) -> None:
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
    """Begin the world of one test: that of its class as it is now, or a new one."""
    class_mocker = getattr(type(instance), "_kmsmock_class", None)
    mocker = make()
    if class_mocker is None:
        mocker.start()
        setattr(instance, _MARK, mocker.stop)
        return
    kms = class_mocker.world
    checkpoint = kms.checkpoint()
    setattr(instance, _MARK, functools.partial(kms.restore, checkpoint))


def stop_test(instance: Any) -> None:
    """End the world of one test."""
    end = vars(instance).pop(_MARK, None)
    if end is not None:
        end()
