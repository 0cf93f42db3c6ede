"""Decorate classes, so that their tests run with a mock, the set-up included.

A decorated class, its subclasses and the test classes nested in it get methods in the places of
their set-up and tear-down. These start and stop the mock, and call what was in their place, or what
the class inherits. So the mock is there whether or not the set-up of a subclass calls that of the
decorated class. Nested classes have them because pytest calls the set-up of a class for them, too.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from kmsmock.activation.class_mocks import (
    ClassMocks,
    Decoration,
    add_mocks,
    find_mocks,
    get_own_mocks,
    list_decorations,
    list_mocks,
    run_all,
)
from kmsmock.activation.fixture_markers import (
    get_fixture_marker,
    is_shared_fixture,
    rename_fixture,
)
from kmsmock.activation.mocked_callables import Start, mock_callable, rewrap

#: Hides the functions of this module in the tracebacks that pytest shows.
__tracebackhide__ = True
#: The names of set-ups and tear-downs of classes: those of pytest, and those of unittest.
_OF_CLASS = ("setup_class", "teardown_class")
_OF_TEST_CASE = ("setUpClass", "tearDownClass")
#: The names of set-ups and tear-downs of tests that pytest calls, also in a TestCase.
_OF_TEST = ("setup_method", "teardown_method")
#: What pytest calls before its version 8 if there are none.
_OF_NOSE = dict(zip(_OF_TEST, ("setup", "teardown"), strict=True))
#: Stands for an argument, or an attribute, that is missing.
_NOTHING: Any = object()


def mock_class(cls: type, start: Start) -> type:
    """Let the tests of a class run with a mock each, and return the class.

    Each test starts with the state that the class-level set-up has created. start: returns the
    context manager of a mock. Raises TypeError for a class whose attributes cannot be set.
    """
    _prepare(cls).decorations.insert(0, Decoration(start))
    _prepare_nested(cls)
    return cls


def _prepare(cls: type) -> ClassMocks:
    """Return the mocks of a class; if it has none, replace its methods first."""
    mocks = get_own_mocks(cls)
    if mocks is not None:
        return mocks
    try:
        mocks = add_mocks(cls)
    except (AttributeError, TypeError) as reason:
        raise TypeError(f"the class {cls.__qualname__} cannot be decorated: {reason}") from None
    _replace(cls, mocks, "__init_subclass__", _make_subclass, of_class=True)
    _replace_pair(cls, mocks, _OF_CLASS, of_class=True)
    _replace_pair(cls, mocks, _OF_TEST)
    if _is_test_case(cls):
        _replace_pair(cls, mocks, _OF_TEST_CASE, of_class=True)
        _replace_runs(cls, mocks)
    start = functools.partial(_start_idle, cls)
    for name, member in list(vars(cls).items()):
        if name.startswith("test"):
            setattr(cls, name, _mock_test(member, start))
    return mocks


def _is_test_case(cls: type) -> bool:
    # If unittest is not imported, no class derives from it.
    test_case = getattr(sys.modules.get("unittest.case"), "TestCase", None)
    return test_case is not None and issubclass(cls, test_case)


# --- tests that are called without set-up -----------------------------------------------------


def _mock_test(member: Any, start: Start) -> Any:
    """Return a test method that runs with a mock; other attributes as they are."""
    if get_fixture_marker(member) is not None:
        return member
    if inspect.isfunction(member) or isinstance(member, functools.partial):
        return mock_callable(member, start)
    if isinstance(member, (staticmethod, classmethod, functools.partialmethod)):
        return rewrap(member, lambda function: _mock_test(function, start))
    return member


def _start_idle(cls: type) -> ExitStack:
    """Start the mocks of a class that are not there: for a test that is called by hand."""
    return run_all([each for each in list_decorations(cls) if not each.is_running])


# --- methods in the places of others ----------------------------------------------------------


#: Called with the class or instance, and a function that calls the original method.
_Action = Callable[[Any, Callable[[], Any]], Any]


def _replace(
    cls: type, mocks: ClassMocks, name: str, action: _Action, *, of_class: bool = False
) -> None:
    """Put a method in the place of another one.

    of_class: whether it is a class method.
    """
    original = _take_away(cls, mocks, name)

    # pytest passes the method or class to functions that can take a second positional argument.
    def method(owner: Any, argument: Any = _NOTHING, /, *args: Any, **kwargs: Any) -> Any:
        arguments = args if argument is _NOTHING else (argument, *args)

        def call() -> Any:
            found = original
            if found is _NOTHING:
                found = _find_inherited(owner, cls, name, replacement)
            return _call(found, owner, name, arguments, kwargs)

        return action(owner, call)

    function = getattr(original, "__func__", original)
    method.__name__, method.__qualname__ = name, f"{cls.__qualname__}.{name}"
    if inspect.isfunction(function):
        functools.update_wrapper(method, function)
    replacement = classmethod(method) if of_class else method
    setattr(cls, name, replacement)


def _take_away(cls: type, mocks: ClassMocks, name: str) -> Any:
    """Return the attribute of a class that is to be replaced; _NOTHING if it has none."""
    original = vars(cls).get(name, _NOTHING)
    mocks.replaced[name] = None
    inherited = inspect.getattr_static(cls, name, None)
    marker = get_fixture_marker(inherited)
    if marker is not None:  # pytest does not take it for a set-up, but for a fixture
        setattr(cls, f"_kmsmock_{name}", rename_fixture(inherited, marker.name or name))
        return _NOTHING
    if original is not _NOTHING:
        mocks.replaced[name] = original
    return original


def _find_inherited(owner: Any, cls: type, name: str, replacement: Any) -> Any:
    """Return the attribute that follows a replacement in the method resolution order, or None.

    cls: the class for which it was made. Another one can have it, such as a copy that a dataclass
    with slots is, and another decorator can have wrapped it.
    """
    order = (owner if inspect.isclass(owner) else type(owner)).__mro__
    place = next((each for each in order if vars(each).get(name) is replacement), cls)
    if place not in order:
        order = cls.__mro__  # pytest calls the set-up of a class with a class nested in it
    found = [vars(each).get(name, replacement) for each in order[order.index(place) + 1 :]]
    return next((each for each in found if each is not replacement), None)


def _call(method: Any, owner: Any, name: str, arguments: tuple[Any, ...], kwargs: Any) -> Any:
    """Call a method as it would have been called in its place; None is no method."""
    if method is None:
        method = _find_nose_method(owner, name)
    if method is None:
        return None
    bind = getattr(type(method), "__get__", lambda method, *_: method)
    if inspect.isclass(owner):
        bound = bind(method, None, owner)
        if not arguments and not kwargs and inspect.isfunction(bound) and _takes_argument(bound):
            arguments = (owner,)  # no class method, but pytest calls it as one
    else:
        bound = bind(method, owner, type(owner))
        if name in _OF_TEST and len(arguments) == 1 and not _takes_argument(bound):
            arguments = ()
    return bound(*arguments, **kwargs)


def _takes_argument(function: Any) -> bool:
    """Return whether pytest would pass an argument to a set-up or tear-down."""
    count: int = function.__code__.co_argcount
    return count - inspect.ismethod(function) != 0


def _find_nose_method(owner: Any, name: str) -> Any:
    """Return the method that an old pytest calls if there is none with a name; None if none."""
    pytest: Any = sys.modules.get("pytest")
    if name not in _OF_NOSE or _is_test_case(type(owner)) or pytest is None:
        return None
    method = inspect.getattr_static(owner, _OF_NOSE[name], None)
    is_called = pytest.version_tuple[0] < 8 and get_fixture_marker(method) is None
    return method if is_called else None


def _replace_pair(
    cls: type, mocks: ClassMocks, names: tuple[str, str], *, of_class: bool = False
) -> None:
    """Put methods in the places of a set-up and its tear-down."""
    place = object()

    def set_up(owner: Any, call: Callable[[], Any]) -> Any:
        if of_class and not _has_class_set_up(owner):
            return call()
        return find_mocks(owner, mocks).set_up(owner, place, call)

    def tear_down(owner: Any, call: Callable[[], Any]) -> Any:
        return find_mocks(owner, mocks).tear_down(owner, place, call)

    _replace(cls, mocks, names[0], set_up, of_class=of_class)
    _replace(cls, mocks, names[1], tear_down, of_class=of_class)


def _replace_runs(cls: type, mocks: ClassMocks) -> None:
    """Put methods in the places of those by which unittest runs tests and cleans up classes."""

    def run_test(instance: Any, call: Callable[[], Any]) -> Any:
        return find_mocks(instance, mocks).run(instance, call)

    def clean_up(owner: Any, call: Callable[[], Any]) -> Any:
        try:
            return call()
        finally:
            find_mocks(owner, mocks).end(owner)

    _replace(cls, mocks, "run", run_test)
    _replace(cls, mocks, "debug", run_test)
    _replace(cls, mocks, "doClassCleanups", clean_up, of_class=True)


def _make_subclass(cls: Any, call: Callable[[], Any]) -> None:
    call()
    _prepare(cls)
    _prepare_nested(cls)


def _has_class_set_up(cls: type) -> bool:
    """Return whether a class, or one around it, has anything that is set up once for all tests."""
    enclosing = [mocks.enclosing for mocks in list_mocks(cls) if mocks.enclosing is not None]
    return any(map(_sets_up_class, cls.__mro__)) or any(map(_has_class_set_up, enclosing))


def _sets_up_class(cls: type) -> bool:
    mocks = get_own_mocks(cls)
    methods = vars(cls) if mocks is None else {**vars(cls), **mocks.replaced}
    if cls.__module__ == "unittest.case":
        return False  # its methods do nothing
    return any(methods.get(name) is not None for name in (*_OF_CLASS, *_OF_TEST_CASE)) or any(
        is_shared_fixture(name, member) for name, member in vars(cls).items()
    )


# --- nested classes -----------------------------------------------------------------------------


def _prepare_nested(cls: type) -> None:
    """Prepare the test classes nested in a class.

    Those of base classes, and those that are only named in it, are not changed, but replaced by
    subclasses.
    """
    for name in dir(cls):
        around = next((each for each in cls.__mro__ if name in vars(each)), None)
        member = None if around is None else vars(around)[name]
        if inspect.isclass(member):
            is_own = around is cls and member.__qualname__ == f"{cls.__qualname__}.{name}"
            if is_own or not _is_prepared(member, cls):
                _prepare_member(cls, name, member, is_own=is_own)


def _is_prepared(member: type, cls: type) -> bool:
    """Return whether a nested class has all decorators that it would get from a class."""
    mocks, enclosing = get_own_mocks(member), get_own_mocks(cls)
    if mocks is None or enclosing is None:
        return False
    return mocks.enclosing is cls or not enclosing.decorations


def _prepare_member(cls: type, name: str, member: type, *, is_own: bool) -> None:
    if issubclass(cls, member) or not _is_nested_test(name, member, is_own=is_own):
        return
    nested = member if is_own else _derive(cls, name, member)
    _prepare(nested).enclosing = cls
    _prepare_nested(nested)


def _is_nested_test(name: str, member: Any, *, is_own: bool) -> bool:
    """Return whether pytest collects a class in another one."""
    if _is_test_case(member):
        return True
    if member.__init__ is not object.__init__ or member.__new__ is not object.__new__:
        return False  # it is some other class
    has_tests = any(each.startswith(("test", "Test")) for each in dir(member))
    return [name.startswith("Test"), has_tests, is_own].count(True) >= 2


def _derive(cls: type, name: str, member: Any) -> type:
    """Put a subclass in the place of a class that is an attribute of another one."""
    make_class: Any = type(member)
    namespace = {"__module__": cls.__module__, "__doc__": member.__doc__}
    namespace["__qualname__"] = f"{cls.__qualname__}.{name}"
    derived: type = make_class(name, (member,), namespace)
    setattr(cls, name, derived)
    return derived
