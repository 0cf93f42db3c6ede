"""The objects of a mock, for connected processes: they read attributes, and call methods.

A connected process has a session, and in it a number for each object that it holds. It says how
often it has received an object when it needs it no longer, so that an object that is sent again at
the same time stays.
"""

from __future__ import annotations

import contextlib
import operator
import threading
import uuid
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import _GeneratorContextManager
from typing import TYPE_CHECKING, Any

from kmsmock.aws.services import ANSWERED
from kmsmock.remote.public_names import (
    CONSTANT,
    CONTEXT_MANAGER,
    SPECIAL,
    is_served,
    require_served,
)
from kmsmock.remote.server_parts import SERVER_PARTS
from kmsmock.remote.values import VERSION, Codec, UnsendableError, encode_error, name_class

if TYPE_CHECKING:
    from kmsmock.control import KMSMock

#: How many sessions there can be; the one that was used least recently makes room.
SESSIONS = 64
#: How many objects of the server a connected process can hold.
OBJECTS = 200_000


class _BlockRaisedError(Exception):
    """Stands for what the block of a `with` statement has raised in another process."""


_OPERATORS: dict[str, Callable[..., Any]] = {
    "__bool__": bool,
    "__contains__": operator.contains,
    "__eq__": operator.eq,
    "__getitem__": operator.getitem,
    "__hash__": hash,
    "__iter__": list,
    "__len__": len,
    "__repr__": repr,
    "__reversed__": lambda thing: list(reversed(thing)),
    "__str__": str,
    "__call__": lambda thing, *arguments, **keywords: thing(*arguments, **keywords),
}


class _Session:
    """What one connected process holds of the server's objects. kms: the control object."""

    def __init__(self, kms: KMSMock) -> None:
        self._kms = kms
        #: Number -> object, and how often it was sent.
        self._held: dict[int, tuple[Any, int]] = {}
        self._numbers: dict[int, int] = {}
        self._next = 0
        #: What was entered by a `with` statement that has not ended.
        self._entered: list[Any] = []
        self.codec = Codec(self._refer, self._resolve)

    def _refer(self, thing: Any) -> dict[str, Any]:
        if thing is self._kms:
            return {"$kms": True}
        if not is_served(thing):
            raise UnsendableError(f"the server has no form for a {type(thing).__qualname__}")
        number = self._numbers.get(id(thing))
        if number is None:
            if len(self._held) >= OBJECTS:
                raise RuntimeError(
                    f"this process holds {OBJECTS:,} objects of the server: let some of them go"
                )
            self._next += 1
            number = self._numbers[id(thing)] = self._next
        _, sent = self._held.get(number, (thing, 0))
        self._held[number] = (thing, sent + 1)
        described = {"$object": number, "class": _name_class(thing)}
        constant = CONSTANT.get(type(thing))
        if constant is not None and not sent:
            values = {name: self.codec.encode(getattr(thing, name)) for name in constant}
            described["constant"] = values
        return described

    def _resolve(self, value: Mapping[str, Any]) -> Any:
        if "$kms" in value:
            return self._kms
        if "$named" in value:
            return _Named.make(value["$named"], value["members"])
        if value.get("$object") not in self._held:
            raise ValueError(f"there is no object {value}")
        return self._held[value["$object"]][0]

    def release(self, released: list[list[int]]) -> None:
        """Let objects go: pairs of a number, and how often the object was received."""
        for number, received in released:
            thing, sent = self._held.get(number, (None, 0))
            if sent > received:
                self._held[number] = (thing, sent - received)
            elif number in self._held:
                del self._held[number], self._numbers[id(thing)]

    def perform(self, message: Mapping[str, Any]) -> Any:
        """Read an attribute or call a method. Raises ValueError, and what the method raises."""
        thing, name = self.codec.decode(message["target"]), message["name"]
        if not is_served(thing):
            raise TypeError(f"a {type(thing).__name__} is no object of a mock")
        if "arguments" not in message:
            require_served(thing, name)
            return getattr(thing, name)
        arguments = [self.codec.decode(argument) for argument in message["arguments"]]
        keywords = {
            key: self.codec.decode(item) for key, item in message.get("keywords", {}).items()
        }
        part = SERVER_PARTS.get(name)
        if part is not None:
            return part(thing, *arguments, **keywords)
        if name == "__enter__":
            result = thing.__enter__()
            self._entered.append(thing)
            return result
        if name == "__exit__":
            if thing in self._entered:
                self._entered.remove(thing)
            return _leave(thing, has_raised=bool(arguments[0]))
        if name in SPECIAL:
            return _OPERATORS[name](thing, *arguments, **keywords)
        require_served(thing, name)
        return getattr(thing, name)(*arguments, **keywords)

    def end(self) -> None:
        """Leave the blocks that have not ended, and let all objects go."""
        for thing in reversed(self._entered):
            # A budget that is exceeded, such as this, is nobody's any more.
            with contextlib.suppress(Exception):
                _leave(thing, has_raised=True)
        self._entered.clear()
        self._held.clear()
        self._numbers.clear()


def _name_class(thing: Any) -> str:
    is_context_manager = isinstance(thing, _GeneratorContextManager)
    return CONTEXT_MANAGER if is_context_manager else name_class(type(thing))


def _leave(thing: Any, *, has_raised: bool) -> Any:
    if not has_raised:
        return thing.__exit__(None, None, None)
    error = _BlockRaisedError("the block has raised an exception")
    return thing.__exit__(type(error), error, None)


class _Named:
    """Stands for an object of another process that names a key, account or principal."""

    @staticmethod
    def make(kind: str, members: Mapping[str, str]) -> Any:
        """Make one. kind: the name of its class there. members: such as ``arn``."""
        named = type(str(kind), (_Named,), {})()
        vars(named).update({str(name): str(value) for name, value in members.items()})
        return named


class ServedObjects:
    """The objects of one mock, for all connected processes; several threads may use it.

    kms: the control object. is_strict: whether requests need access keys of the mock.
    """

    def __init__(self, kms: KMSMock, *, is_strict: bool = False) -> None:
        self._kms = kms
        self._is_strict = is_strict
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._lock = threading.RLock()

    def answer(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a message of a connected process. Raises ValueError for one that it cannot send.

        message: ``open`` with the version of kmsmock there; ``close`` with a session; or
        ``session``, ``target``, ``name``, for a call ``arguments`` and ``keywords``, and
        ``release``. The answer has ``value`` or ``raised``, and ``warnings``; or ``lost``, if there
        is no such session.
        """
        with self._lock:
            if "open" in message:
                return self._open()
            if "close" in message:
                session = self._sessions.pop(message["close"], None)
                if session is not None:
                    session.end()
                return {}
            session = self._sessions.get(message.get("session", ""))
            if session is None:
                return {"lost": True}
            self._sessions.move_to_end(message["session"])
            if not {"target", "name"} <= message.keys():
                raise ValueError("a message has a target and a name")
            return self._perform(session, message)

    def _open(self) -> dict[str, Any]:
        name = uuid.uuid4().hex
        self._sessions[name] = _Session(self._kms)
        while len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)[1].end()
        return {
            "session": name,
            "version": VERSION,
            "region": self._kms.backend.default_region,
            "services": [name for name in self._kms.options["services"] if name in ANSWERED],
            "strict_credentials": self._is_strict,
        }

    @staticmethod
    def _perform(session: _Session, message: Mapping[str, Any]) -> dict[str, Any]:
        session.release(message.get("release", []))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                answer = {"value": session.codec.encode(session.perform(message))}
            except Exception as error:  # noqa: BLE001 - whatever it is, the other process raises it
                answer = {"raised": encode_error(error, session.codec)}
        return {**answer, "warnings": [str(one.message) for one in caught]}
