"""Decorated generators, coroutines and context managers run as undecorated ones in a mock."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
import sys
import types
import warnings

import boto3
import pytest

from kmsmock import current, mock_kms
from tests.decorators.mocked import is_mocked

# --- generators ---------------------------------------------------------------------------------

#: What is seen inside of the generators: what they get, and whether they are mocked.
seen: list = []


def note(value):
    seen.append((repr(value), is_mocked()))


def echo():
    value = "begun"
    while True:
        note(value)
        value = yield value


def catching():
    for number in range(3):
        try:
            note((yield number))
        except ValueError as error:  # noqa: PERF203 - it goes on
            note(error)
    return "returned"


def failing():
    yield 1
    raise KeyError("inside")


def cleaning():
    try:
        yield 1
        yield 2
    finally:
        note("cleaned")


def returning_when_closed():
    try:
        yield 1
    except GeneratorExit:
        return "closed"


def empty():
    return "nothing"
    yield


def delegating():
    note((yield from catching()))


def stopping():
    yield 1
    raise StopIteration("wrong")  # noqa: PLR1708 - Python tells it


def give_mock():
    yield current()


GENERATORS = [echo, catching, failing, cleaning, returning_when_closed, empty, delegating, stopping]

NEXT, SEND = ("send", None), ("send", "value")
THROW, CLOSE = ("throw", ValueError("thrown")), ("close",)
SCRIPTS = {
    "to the end": [NEXT] * 5,
    "with values": [NEXT, SEND, SEND, SEND, SEND],
    "with a value at first": [SEND, NEXT],
    "with an exception": [NEXT, THROW, THROW, NEXT, NEXT],
    "with an exception at first": [THROW, NEXT],
    "with StopIteration": [NEXT, ("throw", StopIteration(5)), NEXT],
    "with StopAsyncIteration": [NEXT, ("throw", StopAsyncIteration(5)), NEXT],
    "with GeneratorExit": [NEXT, ("throw", GeneratorExit())],
    "closed": [NEXT, CLOSE, NEXT, CLOSE],
    "closed at first": [CLOSE, NEXT],
    "closed after an exception": [NEXT, THROW, CLOSE],
}


def follow(run, script):
    """Give what comes of each step of a run, and what the run has seen."""
    seen.clear()
    outcomes = []
    for name, *arguments in script:
        try:
            outcomes.append(getattr(run, name)(*arguments))
        except BaseException as error:  # noqa: BLE001, PERF203 - all that comes is compared
            outcomes.append(repr(error))
    return outcomes, list(seen)


def by_name(function):
    return getattr(function, "__name__", None)


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("function", GENERATORS, ids=by_name)
def test_a_generator_takes_and_gives_what_it_does_undecorated(function, script):
    with mock_kms():
        expected = follow(function(), script)

    assert follow(mock_kms(function)(), script) == expected
    assert not is_mocked()


class Callable:
    def __call__(self):
        yield current()


@pytest.mark.parametrize(
    "make",
    [
        lambda: mock_kms(give_mock),
        lambda: mock_kms(mock_kms(give_mock)),
        lambda: mock_kms(functools.partial(give_mock)),
        lambda: mock_kms(functools.partial(mock_kms(give_mock))),
        lambda: mock_kms(Callable().__call__),
        lambda: mock_kms(Callable()),
    ],
    ids=["function", "twice", "partial", "partial of a decorated one", "method", "object"],
)
def test_a_generator_joins_the_mock_that_is_there_at_its_first_step(make):
    generator = make()()
    assert not is_mocked()

    with mock_kms() as kms:
        assert next(generator) is kms
        generator.close()


def test_the_mock_ends_even_if_a_generator_refuses_to_be_closed():
    @mock_kms
    def stubborn():
        with contextlib.suppress(GeneratorExit):
            yield
        yield

    generator = stubborn()
    next(generator)

    with pytest.raises(RuntimeError, match=r"^generator ignored GeneratorExit$"):
        generator.close()
    assert not is_mocked()


def test_a_generator_that_is_deleted_cleans_up_with_its_mock():
    generator = mock_kms(cleaning)()
    next(generator)
    seen.clear()

    del generator

    assert seen == [("'cleaned'", True)]


# --- asynchronous generators --------------------------------------------------------------------


async def async_echo():
    value = "begun"
    while True:
        note(value)
        await asyncio.sleep(0)
        value = yield value


async def async_catching():
    for number in range(3):
        try:
            note((yield number))
        except ValueError as error:  # noqa: PERF203 - it goes on
            await asyncio.sleep(0)
            note(error)


async def async_failing():
    yield 1
    raise KeyError("inside")


async def async_cleaning():
    try:
        yield 1
        yield 2
    finally:
        await asyncio.sleep(0)
        note("cleaned")


async def async_returning_when_closed():
    try:
        yield 1
    except GeneratorExit:
        return


ASYNC_GENERATORS = [async_echo, async_catching, async_failing, async_cleaning]
ASYNC_GENERATORS += [async_returning_when_closed]


async def async_follow(generator, script):
    seen.clear()
    outcomes = []
    for name, *arguments in script:
        try:
            outcomes.append(await getattr(generator, f"a{name}")(*arguments))
        except BaseException as error:  # noqa: BLE001, PERF203 - all that comes is compared
            outcomes.append(repr(error))
    return outcomes, list(seen)


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("function", ASYNC_GENERATORS, ids=by_name)
def test_an_asynchronous_generator_takes_and_gives_what_it_does_undecorated(function, script):
    with mock_kms():
        expected = asyncio.run(async_follow(function(), script))

    assert asyncio.run(async_follow(mock_kms(function)(), script)) == expected
    assert not is_mocked()


def test_the_mock_ends_even_if_an_asynchronous_generator_refuses_to_be_closed():
    @mock_kms
    async def stubborn():
        with contextlib.suppress(GeneratorExit):
            yield
        yield

    async def close():
        generator = stubborn()
        await generator.asend(None)
        with pytest.raises(RuntimeError, match=r"^async generator ignored GeneratorExit$"):
            await generator.aclose()
        assert not is_mocked()

    asyncio.run(close())


@pytest.mark.parametrize("is_kept", [True, False])
def test_an_asynchronous_generator_that_is_left_cleans_up_with_its_mock(is_kept, monkeypatch):
    kept, logged = [], []
    monkeypatch.setattr(logging.getLogger("asyncio"), "handle", logged.append)

    async def leave():
        generator = mock_kms(async_cleaning)()
        async for _ in generator:
            break
        if is_kept:
            kept.append(generator)

    async def main():
        await leave()
        for _ in range(5):
            await asyncio.sleep(0)

    seen.clear()
    asyncio.run(main())

    assert seen == [("'cleaned'", True)]
    assert not logged


# --- coroutines ---------------------------------------------------------------------------------


@types.coroutine
def pause(value):
    return (yield value)


async def listening():
    try:
        note(await pause(1))
        note(await pause(2))
    except ValueError as error:
        note(error)
    return "returned"


@types.coroutine
def old_coroutine():
    note((yield 1))
    return "returned"


async def cleaning_up():
    try:
        await pause(1)
    finally:
        note("cleaned")


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("function", [listening, cleaning_up, old_coroutine], ids=by_name)
def test_a_coroutine_takes_and_gives_what_it_does_undecorated(function, script):
    with mock_kms():
        expected = follow(function(), script)

    assert follow(mock_kms(function)(), script) == expected
    assert not is_mocked()


def test_a_coroutine_of_a_generator_can_be_awaited():
    @mock_kms
    @types.coroutine
    def coroutine():
        yield from asyncio.sleep(0).__await__()
        return is_mocked()

    async def main():
        return await coroutine()

    assert asyncio.run(main())


def test_a_coroutine_that_is_cancelled_ends_its_mock():
    @mock_kms
    async def waiting():
        await asyncio.sleep(60)

    async def main():
        task = asyncio.create_task(waiting())
        await asyncio.sleep(0)
        assert is_mocked()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not is_mocked()

    asyncio.run(main())


def test_of_a_coroutine_that_is_never_awaited_python_warns_once_and_by_its_name():
    with pytest.warns(RuntimeWarning) as caught:
        del [mock_kms(listening)()][0]

    assert [str(warning.message) for warning in caught] == [
        "coroutine 'listening' was never awaited"
    ]


def test_a_coroutine_that_is_closed_at_once_causes_no_warning():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mock_kms(listening)().close()

    assert caught == []


# --- what functions return ----------------------------------------------------------------------


def through(function):
    """Decorate as many libraries do, synchronously."""

    @functools.wraps(function)
    def call(*args, **kwargs):
        call.is_mocked = is_mocked()
        call.kms = current() if call.is_mocked else None
        return function(*args, **kwargs)

    return call


@pytest.mark.parametrize("function", [listening, echo, catching], ids=by_name)
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_what_a_synchronous_wrapper_returns_is_mocked_until_it_ends(function, script):
    with mock_kms():
        expected = follow(through(function)(), script)

    assert follow(mock_kms(through(function))(), script) == expected
    assert not is_mocked()


def test_a_synchronous_wrapper_has_the_same_mock_as_what_it_returns():
    @through
    async def get_mock():
        return current()

    decorated = mock_kms(seed=1)(get_mock)

    assert asyncio.run(decorated()) is decorated.kms


@pytest.mark.parametrize("function", [echo, listening, async_echo], ids=by_name)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_no_mock_waits_for_what_a_synchronous_wrapper_returns(function):
    assert mock_kms(through(function))() is not None
    assert not is_mocked()


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_a_task_that_a_function_returns_is_mocked_until_it_is_done(is_cancelled):
    @mock_kms
    def begin():
        begun.append(current())
        return asyncio.create_task(work())

    async def work():
        await asyncio.sleep(0)
        begun.append(current())

    async def main():
        task = begin()
        await asyncio.sleep(0)
        if is_cancelled:
            task.cancel()
        await asyncio.wait([task])
        assert not is_mocked()

    begun = []
    asyncio.run(main())

    assert begun[1:] == ([] if is_cancelled else begun[:1])


def test_a_generator_that_was_begun_goes_on():
    def begun():
        generator = echo()
        next(generator)
        return generator

    generator = mock_kms(begun)()

    assert generator.send("first") == "first"
    assert generator.send("second") == "second"
    assert seen[-1] == ("'second'", True)
    generator.close()


CONTEXT_MANAGERS = {
    "above": lambda function: contextlib.contextmanager(mock_kms(function)),
    "below": lambda function: mock_kms(contextlib.contextmanager(function)),
    "below, through another function": lambda function: mock_kms(
        through(contextlib.contextmanager(function))
    ),
}


@pytest.fixture(params=CONTEXT_MANAGERS)
def world(request):
    """Give a function that returns a context manager of a world with a key."""

    def world():
        client = boto3.client("kms")
        client.create_key()
        try:
            yield client
        except ValueError as error:
            note(error)
        finally:
            note("left")

    return CONTEXT_MANAGERS[request.param](world)


def test_a_context_manager_is_mocked_inside_of_its_block(world):
    with world() as client:
        assert len(client.list_keys()["Keys"]) == 1

    assert not is_mocked()


def test_a_context_manager_gets_the_exception_of_its_block(world):
    with world():
        seen.clear()
        raise ValueError("inside")

    assert seen == [("ValueError('inside')", True), ("'left'", True)]
    assert not is_mocked()


def test_a_context_manager_that_decorates_a_function_mocks_it(world):
    @world()
    def count_keys():
        return len(boto3.client("kms").list_keys()["Keys"])

    assert (count_keys(), count_keys()) == (1, 1)


@pytest.mark.parametrize("is_above", [True, False])
def test_an_asynchronous_context_manager_is_mocked_inside_of_its_block(is_above):
    async def world():
        try:
            yield current()
        except ValueError as error:
            await asyncio.sleep(0)
            note(error)

    manage = contextlib.asynccontextmanager
    decorated = manage(mock_kms(world)) if is_above else mock_kms(manage(world))

    async def enter():
        async with decorated() as kms:
            seen.clear()
            assert current() is kms
            raise ValueError("inside")

    asyncio.run(enter())
    assert seen == [("ValueError('inside')", True)]


def test_a_function_that_is_marked_as_a_coroutine_function_is_awaited_with_its_mock():
    if sys.version_info < (3, 12):
        pytest.skip("Python marks them since 3.12")

    class Awaitable:
        def __await__(self):
            yield from asyncio.sleep(0).__await__()
            return is_mocked()

    @mock_kms
    @inspect.markcoroutinefunction
    def marked():
        return Awaitable()

    assert inspect.iscoroutinefunction(marked)

    async def main():
        return await marked()

    assert asyncio.run(main())
