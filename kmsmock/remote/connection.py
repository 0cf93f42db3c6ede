"""The connection of a process to the objects of a mock in another one."""

from __future__ import annotations

import json
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kmsmock.misuse.caller_warnings import warn_caller
from kmsmock.misuse.values import describe
from kmsmock.protocols.messages import HttpRequest
from kmsmock.remote.clients import ClientMaker
from kmsmock.remote.transport import Transport
from kmsmock.remote.values import VERSION, Codec, UnsendableError, decode_error

#: Where the server answers messages.
PATH = "/_kmsmock/v1/object"
#: The attribute of an object of the server that has its `Link`.
LINK = "_kmsmock_link"
_OK = 200
_FORBIDDEN = 403
#: The members by which an object of this process names a key, an account or a principal.
_NAMING = ("arn", "id")


class Link:
    """What an object of the server has here. number: None for the control object."""

    __slots__ = ("connection", "constant", "number", "received")

    def __init__(
        self, connection: Connection, number: int | None, constant: Mapping[str, Any]
    ) -> None:
        self.connection = connection
        self.number = number
        #: Attributes that never change, and so are not asked for.
        self.constant = constant
        #: How often the object was received.
        self.received = 1


class Connection:
    """A connection to the objects of a mock; several threads may use it.

    transport: carries the messages. clients: makes boto3 clients. make: returns the object here for
    a link and the name of its class at the server; None for the control object.
    """

    def __init__(
        self,
        transport: Transport,
        clients: ClientMaker,
        make: Callable[[Link, str | None], Any],
    ) -> None:
        self._transport = transport
        self.clients = clients
        self._make = make
        self._codec = Codec(self._refer, self._resolve)
        self._lock = threading.Lock()
        #: Number -> object of the server, as long as anything here holds it.
        self._objects: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        #: Links of objects that are no longer held; appended to while garbage is collected.
        self._released: deque[Link] = deque()
        self._is_closed = False
        self._session = ""
        self.kms: Any = make(Link(self, None, {}), None)
        self._open()

    @property
    def name(self) -> str:
        """Where the mock is, in messages."""
        return self._transport.name

    def _open(self) -> None:
        """Begin a session. Raises ConnectionError if the server is not of this version."""
        opened = self._send({"open": VERSION})
        if opened.get("version") != VERSION:
            raise ConnectionError(
                f"the server at {self.name} is kmsmock {opened.get('version')}, and this process "
                f"has {VERSION}: install the same version for both"
            )
        self._session = opened["session"]
        #: The Region of the mock.
        self.region: str = opened["region"]
        self.clients.set_up(opened["services"])
        #: Whether requests need access keys that the mock has issued.
        self.is_strict: bool = opened["strict_credentials"]

    def close(self) -> None:
        """Let all objects go; no effect if it is closed already."""
        if self._is_closed:
            return
        try:
            self._send({"close": self._session})
        except ConnectionError:
            pass  # the server has ended before
        finally:
            self._is_closed = True
            self._transport.close()

    # --- messages ----------------------------------------------------------------------------

    def read(self, thing: Any, name: str) -> Any:
        """Return an attribute of an object of the server."""
        __tracebackhide__ = True
        link: Link = getattr(thing, LINK)
        if name in link.constant:
            return link.constant[name]
        return self._ask(thing, {"name": name})

    def call(
        self, thing: Any, name: str, arguments: Sequence[Any] = (), keywords: Any = None
    ) -> Any:
        """Call a method of an object of the server, or what stands for one."""
        __tracebackhide__ = True
        encode = self._codec.encode
        return self._ask(
            thing,
            {
                "name": name,
                "arguments": [encode(argument) for argument in arguments],
                "keywords": {key: encode(value) for key, value in (keywords or {}).items()},
            },
        )

    def _ask(self, thing: Any, message: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        if self._is_closed:
            raise RuntimeError(f"this connection to {self.name} was closed: connect again")
        message["target"] = self._refer(thing)
        message["release"] = self._take_released()
        answer = self._send({**message, "session": self._session})
        if answer.get("lost"):
            if '"$object"' in json.dumps(message):
                raise RuntimeError(
                    f"this object is of a mock that is no longer at {self.name}, since the server "
                    "was started again, or of a connection that was not used for long: get it "
                    "again from the control object"
                )
            self._open()
            answer = self._send({**message, "session": self._session})
        for text in answer["warnings"]:
            warn_caller(text)
        if "raised" not in answer:
            return self._codec.decode(answer["value"])
        error = decode_error(answer["raised"], self._codec)
        if isinstance(error, AttributeError):
            error.obj = thing
        raise error

    def _take_released(self) -> list[list[int]]:
        released = []
        while self._released:
            link = self._released.popleft()
            if link.number is not None:
                released.append([link.number, link.received])
        return released

    def _send(self, message: Mapping[str, Any]) -> dict[str, Any]:
        __tracebackhide__ = True
        headers = {"host": self._transport.host, "content-type": "application/json"}
        body = json.dumps(message).encode()
        response = self._transport.send(HttpRequest("POST", PATH, headers, body))
        try:
            answer = json.loads(response.body)
            error = answer.get("error")
        except (ValueError, AttributeError):
            answer, error = None, None
        if response.status == _OK and isinstance(answer, dict):
            return answer
        if isinstance(error, dict) and "message" in error:
            kind = ConnectionError if response.status == _FORBIDDEN else RuntimeError
            raise kind(f"the server at {self.name} has refused this: {error['message']}")
        raise ConnectionError(
            f"what answers at {self.name} is not `kmsmock serve` of this version: its status is "
            f"{response.status}"
        )

    # --- objects -----------------------------------------------------------------------------

    def _refer(self, value: Any) -> dict[str, Any]:
        link = getattr(value, LINK, None)
        if isinstance(link, Link):
            if link.connection is not self:
                raise UnsendableError(
                    f"this {type(value).__name__} is of {link.connection.name}, not of {self.name}"
                )
            return {"$kms": True} if link.number is None else {"$object": link.number}
        members = {name: member for name in _NAMING if isinstance(member := _get(value, name), str)}
        if members:
            return {"$named": type(value).__name__, "members": members}
        raise UnsendableError(
            f"{describe(value)} of this process cannot be sent to the server at {self.name}"
        )

    def _resolve(self, value: Mapping[str, Any]) -> Any:
        if "$kms" in value:
            return self.kms
        if "$object" not in value:
            raise ValueError(f"the server has sent {value}")
        number = value["$object"]
        with self._lock:
            known = self._objects.get(number)
            if known is not None:
                getattr(known, LINK).received += 1
                return known
            link = Link(self, number, {})
            made = self._objects[number] = self._make(link, value["class"])
            weakref.finalize(made, self._released.append, link).atexit = False
        link.constant = {
            name: self._codec.decode(item) for name, item in value.get("constant", {}).items()
        }
        return made


def _get(value: object, name: str) -> Any:
    return None if isinstance(value, type) else getattr(value, name, None)
