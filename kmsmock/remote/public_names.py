"""Which names of which objects a connected process can use, and why not the others."""

from __future__ import annotations

from contextlib import _GeneratorContextManager
from dataclasses import fields, is_dataclass
from types import FunctionType, MappingProxyType

from kmsmock.accounts import Principal
from kmsmock.activation.typed_clients import ClientSource
from kmsmock.authorization.grant_index import Grants
from kmsmock.authorization.grants import Grant, GrantConstraints, GrantTerms
from kmsmock.authorization.policy import Policy, Statement
from kmsmock.control import KMSMock
from kmsmock.keys.key import Key
from kmsmock.ledger.call_filter import CallFilter
from kmsmock.ledger.secrets import Secrets
from kmsmock.misuse.public_object import PlainPublicObject
from kmsmock.trail.trail import Trail

#: What stands for a context manager that a function with `contextlib.contextmanager` returns.
CONTEXT_MANAGER = "contextlib:AbstractContextManager"
#: Types beside the public objects of which some are members: only what they contain is read.
_READ_ONLY = (CallFilter, Grant, GrantConstraints, Grants, GrantTerms, Policy, Statement)
#: Names that a connected object has not -> the reason.
UNAVAILABLE = MappingProxyType(
    {
        (KMSMock, "backend"): "these are the internal objects of the server's process",
        (KMSMock, "pause"): "it lets the clients of this process call what they would without a "
        "mock, and clients of a server call it by its URL: make others for that",
    }
)
#: Names that the connected process answers itself, since files and the like are there.
LOCAL = MappingProxyType(
    {
        ClientSource: frozenset({"client"}),
        KMSMock: frozenset({"export", "load"}),
        Principal: frozenset({"session"}),
        Secrets: frozenset({"assert_absent_from", "find_in"}),
        Trail: frozenset({"write_files", "write_jsonl"}),
    }
)
#: Type -> attributes that never change, and are sent together with an object.
CONSTANT = MappingProxyType({Key: Key.FIXED - Key._internal})  # noqa: SLF001 - as `dir` uses it
#: Special methods that are called at the server, if the class has one of its own.
SPECIAL = (
    *("__bool__", "__call__", "__contains__", "__enter__", "__eq__", "__exit__", "__getitem__"),
    *("__hash__", "__iter__", "__len__", "__repr__", "__reversed__", "__str__"),
)


def is_served(thing: object) -> bool:
    """Return whether an object of the server can be used by a connected process."""
    return isinstance(thing, (PlainPublicObject, _GeneratorContextManager, *_READ_ONLY))


def list_public(kind: type) -> list[str]:
    """Return the public names of the objects of a class, also those that are not available."""
    names = {name for name in dir(kind) if not name.startswith("_")}
    if is_dataclass(kind):
        names |= {field.name for field in fields(kind) if not field.name.startswith("_")}
    return sorted(names - get_internal(kind))


def get_internal(kind: type) -> frozenset[str]:
    """Return the names of a class that only this package uses."""
    internal: frozenset[str] = getattr(kind, "_internal", frozenset())
    return internal


def is_local(kind: type, name: str) -> bool:
    """Return whether the connected process answers a name of a class itself."""
    return any(issubclass(kind, owner) and name in own for owner, own in LOCAL.items())


def find_reason(kind: type, name: str) -> str | None:
    """Return why a connected process cannot use a name of a class; None if it can."""
    for (owner, unavailable), reason in UNAVAILABLE.items():
        if name == unavailable and issubclass(kind, owner):
            return f"{kind.__name__}.{name} cannot be used from another process: {reason}"
    if issubclass(kind, _READ_ONLY) and isinstance(getattr(kind, name, None), FunctionType):
        return f"{kind.__name__}.{name} is internal to the server"
    return None


def require_served(thing: object, name: str) -> None:
    """Require that a connected process can use a name of an object. Raises AttributeError."""
    kind = type(thing)
    reason = find_reason(kind, name)
    if reason is None and (name.startswith("_") or name in get_internal(kind)):
        reason = f"{kind.__name__}.{name} is not public"
    if reason is None and is_local(kind, name):
        reason = f"{kind.__name__}.{name} is answered by the connected process"
    if reason is not None:
        raise AttributeError(reason)
