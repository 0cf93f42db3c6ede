"""The objects of a mock in another process, as subclasses of what they are there.

All public names are asked for there; nothing of the class itself is used.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import FunctionType
from typing import Any, ClassVar, NoReturn

from kmsmock.control import KMSMock
from kmsmock.remote.connection import LINK, Link
from kmsmock.remote.local_parts import LOCAL_PARTS
from kmsmock.remote.public_names import (
    CONTEXT_MANAGER,
    SPECIAL,
    find_reason,
    get_internal,
    is_local,
    list_public,
)
from kmsmock.remote.values import UnsendableError, find_class


class Proxy:
    """What all objects here that stand for one of another process have in common."""

    #: The class of the object in its own process.
    _kmsmock_kind: ClassVar[type]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"{name!r} cannot be set: this {type(self).__name__} is in another process"
        )

    def __delattr__(self, name: str) -> None:
        raise AttributeError(
            f"{name!r} cannot be deleted: this {type(self).__name__} is in another process"
        )

    def __dir__(self) -> list[str]:
        kind = self._kmsmock_kind
        return [name for name in super().__dir__() if find_reason(kind, name) is None]

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        link: Link = getattr(self, LINK)
        raise TypeError(
            f"a {type(self).__name__} of {link.connection.name} can neither be pickled nor copied: "
            "connect again in the other process"
        )


def make_proxy(link: Link, name: str | None) -> Any:
    """Return an object for one of another process. name: of its class; None for `KMSMock`."""
    kind = KMSMock if name is None else _find_class(name)
    made = object.__new__(_make_class(kind))
    object.__setattr__(made, LINK, link)
    return made


def _find_class(name: str) -> type:
    if name == CONTEXT_MANAGER:
        return AbstractContextManager
    kind: type = find_class(name)
    return kind


@functools.cache
def _make_class(kind: type) -> Any:
    """Return the class of the objects here for those of a class there."""
    base = LOCAL_PARTS.get(kind, kind)
    own = frozenset(vars(base)) if base is not kind else frozenset()
    members: dict[str, Any] = {
        "__module__": __name__,
        "__qualname__": kind.__qualname__,
        "__doc__": kind.__doc__,
        "_kmsmock_kind": kind,
    }
    for name in (*list_public(kind), *get_internal(kind), *SPECIAL):
        if name not in own:
            members.update(_make_member(kind, name))
    return type(kind)(kind.__name__, (Proxy, base), members)


def _make_member(kind: type, name: str) -> dict[str, Any]:
    """Return the member with a name, by this name; none if that of the class itself stays."""
    member = _find_member(kind, name)
    if name in SPECIAL:
        # What has no hash has none here either.
        if member is vars(object).get(name) and name != "__repr__":
            return {}
        return {name: None if member is None else _SPECIAL.get(name, _call_special)(name)}
    reason = find_reason(kind, name)
    if reason is not None:
        return {name: _refuse(reason)}
    if name in get_internal(kind):
        return {name: _refuse(f"{kind.__name__}.{name} is internal to the server")}
    if is_local(kind, name) or isinstance(member, (staticmethod, classmethod)):
        return {}
    is_method = isinstance(member, FunctionType)
    return {name: _call_method(name, member) if is_method else _read_attribute(name, member)}


def _find_member(kind: type, name: str) -> Any:
    """Return a member of a class as it is there; None without one, also if it is of an object."""
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


# --- the members --------------------------------------------------------------------------------


def _refuse(reason: str) -> property:
    def refuse(_: Any) -> NoReturn:
        raise AttributeError(reason)

    return property(refuse)


def _read_attribute(name: str, member: Any) -> property:
    def read(self: Any) -> Any:
        __tracebackhide__ = True
        link: Link = getattr(self, LINK)
        return link.connection.read(self, name)

    return property(read, doc=inspect.getdoc(member) if isinstance(member, property) else None)


def _call_method(name: str, function: Any) -> Any:
    @functools.wraps(function)
    def call(self: Any, *arguments: Any, **keywords: Any) -> Any:
        __tracebackhide__ = True
        try:
            return _call(self, name, arguments, keywords)
        finally:
            # Tracebacks show the variables of a frame, and arguments can be secrets.
            del arguments, keywords

    # They are checked there.
    call._checks_arguments = True  # type: ignore[attr-defined] # noqa: SLF001 - of PublicObject
    return call


def _call_special(name: str) -> Any:
    def call(self: Any, *arguments: Any, **keywords: Any) -> Any:
        __tracebackhide__ = True
        try:
            return _call(self, name, arguments, keywords)
        finally:
            del arguments, keywords

    call.__name__ = name
    return call


def _iterate(name: str) -> Any:
    def iterate(self: Any) -> Iterator[Any]:
        return iter(_call(self, name))

    return iterate


def _compare(name: str) -> Any:
    def compare(self: Any, other: object) -> Any:
        try:
            return _call(self, name, (other,))
        except UnsendableError:
            return NotImplemented

    return compare


def _leave(name: str) -> Any:
    def leave(self: Any, *raised: Any) -> Any:
        __tracebackhide__ = True
        return _call(self, name, (raised[0] is not None,))

    return leave


def _represent(name: str) -> Any:
    def represent(self: Any) -> str:
        try:
            text: str = _call(self, name)
        except (RuntimeError, OSError):  # a repr is made while errors are reported
            link: Link = getattr(self, LINK)
            text = f"<{type(self).__name__} of {link.connection.name}, which is not reached>"
        return text

    return represent


_SPECIAL: dict[str, Callable[[str], Any]] = {
    "__repr__": _represent,
    "__iter__": _iterate,
    "__reversed__": _iterate,
    "__eq__": _compare,
    "__exit__": _leave,
}


def _call(thing: Any, name: str, arguments: Any = (), keywords: Any = None) -> Any:
    __tracebackhide__ = True
    link: Link = getattr(thing, LINK)
    try:
        return link.connection.call(thing, name, arguments, keywords)
    finally:
        del arguments, keywords
