"""Decorated functions, methods and callable objects stay what they are."""

from __future__ import annotations

import abc
import asyncio
import copy
import functools
import inspect
import pickle
import types
import typing
from unittest import mock

import pytest

import kmsmock
from kmsmock import current, mock_kms
from tests.decorators.mocked import is_mocked

DECORATORS = {
    "bare": mock_kms,
    "called": mock_kms(),
    "with options": mock_kms(region="eu-west-1"),
    "twice": lambda function: mock_kms(region="eu-west-1")(mock_kms(function)),
}


@pytest.fixture(params=DECORATORS.values(), ids=DECORATORS)
def decorate(request):
    return request.param


# --- functions ----------------------------------------------------------------------------------


def plain(first: int, *rest: str, second: float = 2.0) -> list:
    """Document."""
    return [first, rest, second, is_mocked()]


async def coroutine(first):
    return [first, is_mocked()]


def generator(first):
    yield [first, is_mocked()]


async def async_generator(first):
    yield [first, is_mocked()]


FUNCTIONS = [plain, coroutine, generator, async_generator]

#: What tools ask functions.
QUESTIONS = {
    "signature": inspect.signature,
    "full argument specification": inspect.getfullargspec,
    "annotations": typing.get_type_hints,
    "source": inspect.getsource,
    "documentation": inspect.getdoc,
    "function": inspect.isfunction,
    "coroutine function": inspect.iscoroutinefunction,
    "generator function": inspect.isgeneratorfunction,
    "asynchronous generator function": inspect.isasyncgenfunction,
    "callable": callable,
    "name": lambda function: (function.__module__, function.__qualname__, function.__name__),
    "code": lambda function: function.__code__,
    "defaults": lambda function: (function.__defaults__, function.__kwdefaults__),
    "attributes": vars,
    "representation": repr,
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_a_decorated_function_answers_as_the_function_itself(decorate, function, ask):
    assert ask(decorate(function)) == ask(function)


def test_the_original_function_is_known(decorate):
    assert inspect.unwrap(decorate(plain)) is plain


def test_wrong_arguments_are_told_when_a_function_is_called(decorate):
    for function in FUNCTIONS:
        with pytest.raises(TypeError, match=rf"{function.__name__}\(\) .* argument"):
            decorate(function)()


def pickled(subject):
    return pickle.loads(pickle.dumps(subject))


@mock_kms
def of_this_module(text):
    return text, is_mocked()


def test_a_decorated_function_is_pickled_by_its_name():
    assert pickled(of_this_module) is of_this_module


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_a_copy_of_a_decorated_function_is_the_function(make):
    assert make(of_this_module) is of_this_module


def test_arguments_with_the_names_of_anything_are_passed_on(decorate):
    @decorate
    def function(self, start, function, /, **others):
        return self, start, function, others

    names = {"self": 4, "start": 5, "function": 6, "instance": 7, "wrapped": 8, "args": 9}

    assert function(1, 2, 3, **names) == (1, 2, 3, names)


def test_an_exception_leaves_no_mock(decorate):
    @decorate
    def failing():
        raise ValueError(is_mocked())

    with pytest.raises(ValueError, match="True"):
        failing()
    assert not is_mocked()


def test_the_options_of_the_inner_decorator_hold():
    @mock_kms(region="eu-west-1")
    @mock_kms(region="eu-west-2")
    def function():
        return current().options["region"]

    assert function() == "eu-west-2"


def test_a_bare_decorator_outside_or_inside_changes_no_options():
    def function():
        return current().options["region"]

    with_options = mock_kms(region="eu-west-1")

    assert mock_kms(with_options(function))() == "eu-west-1"
    assert with_options(mock_kms(function))() == "eu-west-1"


@pytest.mark.parametrize("is_above", [True, False])
def test_patch_works_above_and_below(is_above):
    def function(patched, *, keyword):
        return patched, keyword, is_mocked()

    patch = mock.patch(f"{__name__}.plain")
    decorated = patch(mock_kms(function)) if is_above else mock_kms(patch(function))

    patched, keyword, mocked = decorated(keyword=1)

    assert isinstance(patched, mock.MagicMock)
    assert (keyword, mocked) == (1, True)


# --- methods ------------------------------------------------------------------------------------


class Base(abc.ABC):
    """A class whose methods are decorated one by one."""

    @mock_kms
    def method(self, value):
        return type(self).__name__, value, is_mocked()

    @mock_kms
    async def async_method(self, value):
        return type(self).__name__, value, is_mocked()

    @mock_kms
    @staticmethod
    def static_above(value):
        return "static", value, is_mocked()

    @staticmethod
    @mock_kms
    def static_below(value):
        return "static", value, is_mocked()

    @mock_kms
    @classmethod
    def class_above(cls, value):
        return cls.__name__, value, is_mocked()

    @classmethod
    @mock_kms
    def class_below(cls, value):
        return cls.__name__, value, is_mocked()

    def general(self, kind, value):
        return kind, value, is_mocked()

    partial = mock_kms(functools.partialmethod(general, "partial"))
    partial_below = functools.partialmethod(mock_kms(general), "partial")

    @mock_kms
    @functools.singledispatchmethod
    def dispatched(self, value):
        return "object", value, is_mocked()

    @dispatched.register
    def _(self, value: int):
        return "int", value, is_mocked()

    @mock_kms
    @functools.lru_cache  # noqa: B019 - the one object is short-lived
    def cached(self, value):
        return "cached", value, is_mocked()

    mocked_builtin = mock_kms(len)
    mocked_partial = mock_kms(functools.partial(plain, 1))

    @mock_kms
    @abc.abstractmethod
    def abstract(self): ...


class Derived(Base):
    def method(self, value):
        return super().method(value)

    @classmethod
    def class_above(cls, value):
        return super().class_above(value)

    def abstract(self):
        return super().abstract()


METHODS = {
    "method": ("Derived", 1, True),
    "static_above": ("static", 1, True),
    "static_below": ("static", 1, True),
    "class_above": ("Derived", 1, True),
    "class_below": ("Derived", 1, True),
    "partial": ("partial", 1, True),
    "partial_below": ("partial", 1, True),
    "dispatched": ("int", 1, True),
    "cached": ("cached", 1, True),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_decorated_method_is_called_on_an_object(name):
    assert getattr(Derived(), name)(1) == METHODS[name]


@pytest.mark.parametrize("name", ["static_above", "static_below", "class_above", "class_below"])
def test_static_and_class_methods_are_called_on_the_class(name):
    assert getattr(Derived, name)(1) == METHODS[name]
    assert isinstance(vars(Base)[name], staticmethod if "static" in name else classmethod)


def test_an_asynchronous_method_is_mocked_until_it_ends():
    method = Derived().async_method

    assert inspect.iscoroutinefunction(method)
    assert asyncio.run(method(1)) == ("Derived", 1, True)


def test_a_method_can_be_called_on_the_class_with_an_object():
    assert Base.method(Derived(), 1) == ("Derived", 1, True)


def test_an_abstract_method_stays_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Base()


def test_what_has_no_self_gets_none():
    assert Derived().mocked_builtin("abc") == 3


@pytest.mark.filterwarnings("ignore:functools.partial will be a method descriptor:FutureWarning")
def test_a_partial_in_a_class_behaves_as_it_does_undecorated():
    class Undecorated:
        function = functools.partial(plain, 1)

    with mock_kms():
        expected = Undecorated().function("a")[:1]

    assert Derived().mocked_partial("a")[:1] == expected


def test_methods_that_python_makes_class_methods_of_are_class_methods():
    class Special:
        made: typing.ClassVar = []

        @mock_kms
        def __init_subclass__(cls):
            cls.made.append((cls.__name__, is_mocked()))

        @mock_kms
        def __class_getitem__(cls, item):
            return cls.__name__, item, is_mocked()

        @mock_kms
        def __new__(cls):
            cls.made.append(("new", is_mocked()))
            return super().__new__(cls)

        @mock_kms
        def __iter__(self):
            yield is_mocked()

    class Subclass(Special):
        pass

    assert Subclass[1] == ("Subclass", 1, True)
    assert list(Subclass()) == [True]
    assert Special.made == [("Subclass", True), ("new", True)]


def test_attributes_of_a_static_method_stay_there():
    method = staticmethod(plain)
    method.label = "labelled"

    assert mock_kms(method).label == "labelled"


class Properties:
    def __init__(self):
        self.values = []

    @mock_kms
    @property
    def value(self):
        """Document."""
        return len(self.values), is_mocked()

    @value.setter
    @mock_kms
    def value(self, value):
        self.values.append((value, is_mocked()))

    @mock_kms
    @functools.cached_property
    def cached(self):
        return object(), is_mocked()


def test_a_property_is_read_and_set_with_a_mock():
    thing = Properties()
    thing.value = 5

    assert thing.values == [(5, True)]
    assert thing.value == (1, True)
    assert Properties.value.__doc__ == "Document."


def test_a_cached_property_is_computed_once_with_a_mock():
    thing = Properties()

    assert thing.cached is thing.cached
    assert thing.cached[1]


# --- callable objects ---------------------------------------------------------------------------


class Handler:
    """A callable with state."""

    def __init__(self):
        self.count = 0

    def __call__(self, value):
        self.count += 1
        return value, is_mocked()

    def __len__(self):
        return self.count

    def __eq__(self, other):
        return isinstance(other, Handler) and other.count == self.count

    __hash__ = None


class AsyncHandler:
    async def __call__(self, value):
        return value, is_mocked()


def test_a_callable_object_keeps_its_state_and_its_type(decorate):
    handler = Handler()
    decorated = decorate(handler)

    assert decorated("a") == ("a", True)
    decorated.count += 1

    assert (handler.count, decorated.count, len(decorated)) == (2, 2, 2)
    assert isinstance(decorated, Handler)
    assert decorated == handler


def test_an_asynchronous_callable_object_is_mocked_until_it_ends(decorate):
    assert asyncio.run(decorate(AsyncHandler())("a")) == ("a", True)


def test_a_callable_object_in_a_class_is_not_bound():
    class Holder:
        handler = mock_kms(Handler())

    assert Holder().handler("a") == ("a", True)


def test_a_callable_object_is_copied_and_pickled_with_its_state():
    decorated = mock_kms(region="eu-west-1")(Handler())
    decorated("a")

    for copied in (
        copy.copy(decorated),
        copy.deepcopy(decorated),
        pickle.loads(pickle.dumps(decorated)),
    ):
        assert copied("b") == ("b", True)
        assert (copied.count, decorated.count) == (2, 1)


CALLABLES = {
    "partial": (functools.partial(plain, 1), ("a",), [1, ("a",), 2.0, True]),
    "partial of a coroutine function": (functools.partial(coroutine, 1), (), [1, True]),
    "partial of a partial": (
        functools.partial(functools.partial(plain, 1), "a"),
        (),
        [1, ("a",), 2.0, True],
    ),
    "bound method": (Derived().general, ("kind", 1), ("kind", 1, True)),
    "bound decorated method": (Derived().method, (1,), ("Derived", 1, True)),
    "builtin": (len, ("abc",), 3),
    "method of a builtin type": (str.upper, ("a",), "A"),
    "method of a builtin": ("a".join, (["b", "c"],), "bac"),
    "single dispatch": (functools.singledispatch(plain), (1,), [1, (), 2.0, True]),
    "mock": (mock.Mock(side_effect=is_mocked), (), True),
    "asynchronous mock": (mock.AsyncMock(side_effect=is_mocked), (), True),
}


@pytest.mark.parametrize(("function", "arguments", "expected"), CALLABLES.values(), ids=CALLABLES)
def test_any_callable_can_be_decorated(decorate, function, arguments, expected):
    result = decorate(function)(*arguments)

    assert (asyncio.run(result) if inspect.iscoroutine(result) else result) == expected


@pytest.mark.parametrize("function", [row[0] for row in CALLABLES.values()], ids=CALLABLES)
def test_any_callable_has_the_signature_that_it_has_undecorated(decorate, function):
    def show(function):
        try:
            return str(inspect.signature(function))
        except (TypeError, ValueError):
            return None

    assert show(decorate(function)) == show(function)


def test_the_attributes_of_a_partial_are_there():
    function = functools.partial(plain, 1, second=3)
    decorated = mock_kms(function)

    assert isinstance(decorated, functools.partial)
    assert (decorated.func, decorated.args, decorated.keywords) == (plain, (1,), {"second": 3})


def test_a_mock_that_is_decorated_counts_its_calls():
    called = mock.Mock()

    mock_kms(called)(1)

    called.assert_called_once_with(1)


# --- what cannot be decorated -------------------------------------------------------------------

OTHERS = {
    "module": kmsmock,
    "str": "eu-west-1",
    "int": 5,
    "dict": {"region": "eu-west-1"},
    "NoneType": None,
    "object": object(),
    "ellipsis": ...,
    "generator": (number for number in ()),
    "member_descriptor": types.FunctionType.__globals__,
}
OTHERS["instance"] = type("instance", (), {})()


@pytest.mark.parametrize("name", OTHERS)
def test_what_cannot_be_decorated_is_refused_with_what_can(decorate, name):
    message = (
        f"^a {name} cannot be decorated: functions, methods, properties, callable objects and "
        r"classes can; options are keyword arguments: mock_kms\(region=\.\.\.\)$"
    )
    with pytest.raises(TypeError, match=message):
        decorate(OTHERS[name])


def test_a_builtin_class_cannot_be_decorated(decorate):
    with pytest.raises(TypeError, match="the class dict cannot be decorated: cannot set"):
        decorate(dict)


def test_only_one_object_is_decorated_at_a_time():
    with pytest.raises(TypeError, match="mock_kms decorates one object"):
        mock_kms(plain, plain)
