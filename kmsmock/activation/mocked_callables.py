"""Callables that run with a mock, and are in all other respects what they were.

The mock is there from the first step of a run to its last: until a function has returned, or the
coroutine, generator or context manager that it returns has ended, was closed, or was deleted.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import sys
import types
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import TYPE_CHECKING, Any, cast

import wrapt

#: Hides the functions of this module in the tracebacks that pytest shows.
__tracebackhide__ = True
#: Returns the context manager of a mock.
Start = Callable[[], AbstractContextManager[Any]]

#: Flags of functions whose call only makes a coroutine or generator, and runs none of their code.
_DEFERRED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


#: Names by which Python makes class methods of functions.
_CLASS_METHODS = ("__init_subclass__", "__class_getitem__")
#: The code of the functions that `contextlib` makes of generator functions.
_CONTEXT_MANAGERS = tuple(
    decorate(lambda: None).__code__
    for decorate in (
        cast(Callable[..., Any], contextlib.contextmanager),
        cast(Callable[..., Any], contextlib.asynccontextmanager),
    )
)

if TYPE_CHECKING:
    _Proxy = wrapt.ObjectProxy[Any]
else:
    _Proxy = wrapt.ObjectProxy  # old versions have no [...]


class MockedCallable(_Proxy):
    """A callable that runs with a mock: a proxy, so that it has the attributes of the original."""

    def __init__(self, original: Any, start: Start) -> None:
        super().__init__(original)
        # The names of the proxy's own attributes begin with _self_.
        self._self_start = start

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the original with a mock."""
        return run(self.__wrapped__, self._self_start, *args, **kwargs)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __reduce_ex__(self, protocol: object) -> Any:
        if isinstance(self.__wrapped__, types.FunctionType):
            return self.__wrapped__.__qualname__  # pickle finds functions by name
        return mock_callable, (self.__wrapped__, self._self_start)

    def __copy__(self) -> Any:
        return self._with(copy.copy(self.__wrapped__))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._with(copy.deepcopy(self.__wrapped__, memo))

    def _with(self, original: Any) -> Any:
        return self if original is self.__wrapped__ else mock_callable(original, self._self_start)


class MockedDescriptor(MockedCallable):
    """A callable that classes bind to their instances, such as a function."""

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Bind as the original does."""
        if _is_function(self.__wrapped__):
            return self if instance is None else types.MethodType(self, instance)
        return self._with(self.__wrapped__.__get__(instance, owner))

    def __set_name__(self, owner: type, name: str) -> None:
        if name in _CLASS_METHODS and _is_function(self.__wrapped__):
            setattr(owner, name, classmethod(self))
        set_name = getattr(type(self.__wrapped__), "__set_name__", None)
        if set_name is not None:
            set_name(self.__wrapped__, owner, name)


def _is_function(original: Any) -> bool:
    kind = type(original)
    return kind is types.FunctionType or (
        issubclass(kind, MockedCallable) and _is_function(original.__wrapped__)
    )


def mock_callable(original: Any, start: Start) -> MockedCallable:
    """Return a callable, or a descriptor that binds to one, as one that runs with a mock."""
    binds = hasattr(type(original), "__get__")
    return (MockedDescriptor if binds else MockedCallable)(original, start)


def rewrap(member: Any, wrap: Callable[[Any], Any]) -> Any:
    """Return a descriptor of the same kind around wrapped functions; None for other objects."""
    copied: Any = None
    if isinstance(member, (staticmethod, classmethod)):
        copied = type(member)(wrap(member.__func__))
        vars(copied).update({**vars(member), "__wrapped__": copied.__func__})
    elif isinstance(member, property):
        copied = member
        for name in ("getter", "setter", "deleter"):
            function = getattr(member, f"f{name[:3]}")
            copied = copied if function is None else getattr(copied, name)(wrap(function))
    elif isinstance(member, (functools.cached_property, functools.partialmethod)):
        copied = copy.copy(member)
        copied.func = wrap(member.func)
    return copied


# --- runs ------------------------------------------------------------------------------------


def run(function: Callable[..., Any], start: Start, /, *args: Any, **kwargs: Any) -> Any:
    """Call a function with a mock; what it returns to be run later runs with the same mock.

    start: returns the context manager of a new mock, whose method ``resume`` returns one that
    starts the same mock again.
    """
    if _is_deferred(function):
        return _keep_mocked(function(*args, **kwargs), start, start)
    mock = start()
    with mock:
        result = function(*args, **kwargs)
        if inspect.iscoroutinefunction(function) and not inspect.iscoroutine(result):
            result = _await(result)  # the function was only marked as a coroutine function
    if _is_pending(result):
        return _mock_until_done(result, getattr(mock, "resume", start))
    if not _is_runnable(result):
        return result
    # The function may have done a part of the work, as wrappers of coroutine functions do.
    return _keep_mocked(result, getattr(mock, "resume", start), start)


def _is_deferred(function: Any) -> bool:
    """Return whether a call of a function runs none of its code."""
    kind = type(function)
    if kind is functools.partial:
        return _is_deferred(function.func)
    if kind is types.MethodType:
        return _is_deferred(function.__func__)
    if issubclass(kind, MockedCallable):
        return _is_deferred(function.__wrapped__)
    if kind is types.FunctionType:
        if function.__code__ in _CONTEXT_MANAGERS:
            return _is_deferred(function.__wrapped__)
        return bool(function.__code__.co_flags & _DEFERRED)
    call = kind.__call__
    return type(call) is types.FunctionType and _is_deferred(call)


def _is_runnable(result: Any) -> bool:
    return (
        inspect.isgenerator(result)
        or inspect.iscoroutine(result)
        or inspect.isasyncgen(result)
        or _is_context_manager(result)
    )


def _is_pending(result: Any) -> bool:
    """Return whether a result is a task, or another future, that is not done."""
    asyncio: Any = sys.modules.get("asyncio")  # if it is not imported, there are no futures
    return asyncio is not None and asyncio.isfuture(result) and not result.done()


def _mock_until_done(future: Any, start: Start) -> Any:
    """Return a future whose mock lasts until it is done."""
    mock = start()
    mock.__enter__()
    future.add_done_callback(lambda _: mock.__exit__(None, None, None))
    return future


def _is_context_manager(result: Any) -> bool:
    """Return whether a result is a context manager that `contextlib` has made of a generator."""
    generator = getattr(result, "gen", None)
    return (inspect.isgenerator(generator) or inspect.isasyncgen(generator)) and isinstance(
        result, (AbstractContextManager, AbstractAsyncContextManager)
    )


def _keep_mocked(result: Any, start: Start, again: Start) -> Any:
    """Return what behaves as a result of a call does, and runs with a mock.

    start: for its run. again: for the runs of functions that it decorates as a context manager.
    """
    if not _is_context_manager(result):
        return _drive(result, start)
    result.gen = _drive(result.gen, start)
    if hasattr(result, "func"):
        result.func = functools.partial(run, result.func, again)
    return result


def _drive(work: Any, start: Start) -> Any:
    """Return a coroutine or generator that runs another one with a mock, under its name."""
    if inspect.iscoroutine(work):
        driver: Any = _drive_coroutine(work, start)
        weakref.finalize(driver, _close_unstarted, work)
    elif inspect.isasyncgen(work):
        driver = _drive_async_generator(work, start)
    elif work.gi_code.co_flags & inspect.CO_ITERABLE_COROUTINE:
        driver = _drive_awaitable_generator(work, start)
    else:
        driver = _drive_generator(work, start)
    driver.__name__, driver.__qualname__ = work.__name__, work.__qualname__
    if _is_suspended(work):
        next(driver)
    return driver


def _is_suspended(work: Any) -> bool:
    """Return whether work is a generator that has begun, and waits for a value."""
    return inspect.isgenerator(work) and inspect.getgeneratorstate(work) == inspect.GEN_SUSPENDED


def _close_unstarted(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Close a coroutine that was never awaited; Python warns of the one that drives it."""
    if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
        coroutine.close()


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


async def _drive_coroutine(coroutine: Awaitable[Any], start: Start) -> Any:
    with start():
        return await coroutine


def _drive_generator(generator: Generator[Any, Any, Any], start: Start) -> Generator[Any, Any, Any]:
    # `yield from` would lose what the generator returns when it is closed.
    sent = thrown = None
    with start():
        try:
            value = None if _is_suspended(generator) else generator.send(None)
            while True:
                try:
                    sent, thrown = (yield value), None
                except BaseException as error:  # noqa: BLE001 - for the generator
                    sent, thrown = None, error
                value = generator.send(sent) if thrown is None else generator.throw(thrown)
                if isinstance(thrown, GeneratorExit):
                    raise RuntimeError(  # noqa: TRY004 - as Python does
                        "generator ignored GeneratorExit"
                    )
        except StopIteration as end:
            return end.value
        finally:
            thrown = None  # its traceback refers to this frame


@types.coroutine
def _drive_awaitable_generator(
    generator: Generator[Any, Any, Any], start: Start
) -> Generator[Any, Any, Any]:
    return (yield from _drive_generator(generator, start))


async def _drive_async_generator(
    generator: AsyncGenerator[Any, Any], start: Start
) -> AsyncGenerator[Any, Any]:
    sent = thrown = None
    with start():
        try:
            value = await _begin(generator)
            while True:
                try:
                    sent, thrown = (yield value), None
                except BaseException as error:  # noqa: BLE001 - for the generator
                    sent, thrown = None, error
                step = generator.asend(sent) if thrown is None else generator.athrow(thrown)
                value = await step
                if isinstance(thrown, GeneratorExit):
                    raise RuntimeError(  # noqa: TRY004 - as Python does
                        "async generator ignored GeneratorExit"
                    )
        except StopAsyncIteration:
            return
        finally:
            thrown = None  # its traceback refers to this frame


def _begin(generator: AsyncGenerator[Any, Any]) -> Awaitable[Any]:
    """Return the first step of an asynchronous generator that another one drives.

    Event loops close the generators that are left when they end; this one is closed by its driver.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return generator.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)
