"""The base class of the objects that tests hold: misspelt names on them name the nearest."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar

from kmsmock.misuse.argument_types import ArgumentTypes
from kmsmock.misuse.suggestions import suggest


class PlainPublicObject:
    """An object that tests hold, whose attributes are read as quickly as those of any object.

    For objects that there are many of, or that each call reads: with ``__getattr__`` in the class,
    Python reads all attributes more slowly. `add_nearest_name` completes the error of a misspelt
    one, in a run of pytest. A misspelt keyword argument of a public method raises TypeError with
    the nearest name. Arguments of public methods whose annotations have only
    simple types are checked. internal: the members of a class that only this package
    uses; they are not completed, not suggested, and not documented in docs/reference.md.
    own_checks: the parameters that its methods check themselves, with better sentences.
    """

    __slots__ = ()
    _internal: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(
        cls, *, internal: Iterable[str] = (), own_checks: Iterable[str] = (), **others: Any
    ) -> None:
        super().__init_subclass__(**others)
        cls._internal = cls._internal | frozenset(internal)
        for name, member in list(vars(cls).items()):
            is_public = not name.startswith("_") and name not in cls._internal
            if (is_public or name == "__call__") and _has_parameters(member):
                setattr(cls, name, _checking_arguments(member, frozenset(own_checks)))

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in self._internal]


class PublicObject(PlainPublicObject):
    """An object that tests hold: a misspelt attribute raises AttributeError with the nearest name.

    The rest is as for `PlainPublicObject`.
    """

    __slots__ = ()

    # Type checkers must not believe that every name is an attribute.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or hasattr(type(self), name):
                # Asked by Python and its tools; or a property has raised AttributeError itself.
                return object.__getattribute__(self, name)
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}"
                f"{_suggest_attribute(self, name)}",
                name=name,
                obj=self,
            )


def add_nearest_name(error: BaseException) -> None:
    """Let an AttributeError of one of these objects name the nearest, before it is reported.

    Its ``name`` is removed, since newer Pythons would add a suggestion of their own.
    """
    if not isinstance(error, AttributeError):
        return
    thing, name = error.obj, error.name
    if not isinstance(thing, PlainPublicObject) or not isinstance(name, str):
        return
    if name.startswith("_") or hasattr(type(thing), name):
        return
    if not isinstance(thing, PublicObject):
        text = f"{type(thing).__name__!r} object has no attribute {name!r}"
        error.args = (f"{text}{_suggest_attribute(thing, name)}",)
    del error.name


def _suggest_attribute(thing: object, name: str) -> str:
    public = sorted(known for known in dir(thing) if not known.startswith("_"))
    return suggest(name, public, "it has")


def _has_parameters(member: object) -> bool:
    """Return whether a member of a class is a function with parameters, not wrapped already."""
    if not isinstance(member, FunctionType) or hasattr(member, "_checks_arguments"):
        return False
    code = member.__code__
    is_open = code.co_flags & (CO_VARARGS | CO_VARKEYWORDS)
    return bool(is_open) or code.co_argcount + code.co_kwonlyargcount > 1


def _checking_arguments(
    function: Callable[..., Any], own_checks: Collection[str]
) -> Callable[..., Any]:
    """Wrap a method, so that errors about wrong arguments tell the right ones.

    Unknown keyword arguments name the nearest one; of arguments, `ArgumentTypes` are checked.
    """
    types: ArgumentTypes | None = None

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        nonlocal types
        __tracebackhide__ = True
        try:
            if types is None:
                types = ArgumentTypes(function, own_checks)
            misuse = types.explain_wrong(arguments[1:], keywords)
            if misuse is None:
                return function(*arguments, **keywords)
        except TypeError:
            misuse = _explain_keywords(function, keywords) or _explain_surplus(
                function, len(arguments) - 1
            )
            if misuse is None:
                raise
        finally:
            # Tracebacks show the variables of a frame, and arguments can be secrets.
            del arguments, keywords
        raise TypeError(misuse)

    call._checks_arguments = True  # type: ignore[attr-defined] # noqa: SLF001 - our own mark
    return call


def _explain_surplus(function: Callable[..., Any], number: int) -> str | None:
    """Return how to pass what is too much by position; None if a function takes so many arguments.

    number: of the arguments by position, without ``self``.
    """
    from inspect import Parameter, signature

    parameters = list(signature(function).parameters.values())[1:]
    if any(parameter.kind is Parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    in_order = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    by_position = [parameter.name for parameter in parameters if parameter.kind in in_order]
    if number <= len(by_position):
        return None
    by_name = [each.name for each in parameters if each.kind is Parameter.KEYWORD_ONLY]
    called = function.__qualname__.removesuffix(".__call__")
    names = f" ({', '.join(by_position)})" if by_position else ""
    others = f"; pass by name: {', '.join(by_name)}" if by_name else ""
    return (
        f"{called}() takes {len(by_position)} positional argument{'s' * (len(by_position) != 1)}"
        f"{names}, not {number}{others}"
    )


def _explain_keywords(function: Callable[..., Any], keywords: Iterable[str]) -> str | None:
    """Return what is wrong with keyword arguments; None if a function takes them all."""
    from inspect import Parameter, signature

    parameters = list(signature(function).parameters.values())[1:]
    if any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters):
        return None
    named = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    known = [parameter.name for parameter in parameters if parameter.kind in named]
    for name in keywords:
        if name not in known:
            called = function.__qualname__.removesuffix(".__call__")
            hint = suggest(name, known, "it takes")
            return f"{called}() got an unexpected keyword argument {name!r}{hint}"
    return None
