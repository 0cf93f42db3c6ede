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
#: The status of a server that does not let us in, and of one that has no such messages.
_NOT_SERVED = (403, 404)
_TOO_LARGE = 413
#: The members by which an object of this process names a key, an account or a principal.
_NAMING = ("arn", "id")


class Link:
    """What an object of the server has here.

    session: in which it was received. Session and number of the control object, which each session
    has, are None.
    """

    __slots__ = ("connection", "constant", "number", "received", "session")

    def __init__(
        self, connection: Connection, session: _Session | None = None, number: int | None = None
    ) -> None:
        self.connection = connection
        self.session = session
        self.number = number
        #: Attributes that never change, and so are not asked for, as far as they were sent.
        self.constant: Mapping[str, Any] = {}
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
        self.make = make
        self._lock = threading.Lock()
        self._is_closed = False
        self.kms: Any = make(Link(self), None)
        self._session = self._open()

    @property
    def name(self) -> str:
        """Where the mock is, in messages."""
        return self._transport.name

    def _open(self) -> _Session:
        """Begin a session. Raises ConnectionError if the server is not of this version."""
        opened = self._send({"open": VERSION})
        if opened.get("version") != VERSION:
            raise ConnectionError(
                f"the server at {self.name} is kmsmock {opened.get('version')}, and this process "
                f"has {VERSION}: install the same version for both"
            )
        #: The Region of the mock.
        self.region: str = opened["region"]
        self.clients.set_up(opened["services"])
        #: Whether requests need access keys that the mock has issued.
        self.is_strict: bool = opened["strict_credentials"]
        return _Session(self, opened["session"])

    def _open_again(self, lost: _Session) -> _Session:
        """Begin another session, unless another thread already has. lost: the one that ended."""
        with self._lock:
            if self._session is lost:
                self._session = self._open()
            return self._session

    def close(self) -> None:
        """Let all objects go; no effect if it is closed already."""
        if self._is_closed:
            return
        try:
            self._send({"close": self._session.name})
        except (ConnectionError, TimeoutError):
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
        return self._ask(self._session, thing, {"name": name})

    def call(
        self, thing: Any, name: str, arguments: Sequence[Any] = (), keywords: Any = None
    ) -> Any:
        """Call a method of an object of the server, or what stands for one."""
        __tracebackhide__ = True
        session = self._session
        encode = session.codec.encode
        try:
            message = {
                "name": name,
                "arguments": [encode(argument) for argument in arguments],
                "keywords": {key: encode(value) for key, value in (keywords or {}).items()},
            }
        finally:
            # Tracebacks show the variables of a frame, and arguments can be secrets.
            del arguments, keywords
        return self._ask(session, thing, message)

    def _ask(self, session: _Session, thing: Any, message: dict[str, Any]) -> Any:
        """Send a message about an object, which is empty afterwards; return the value."""
        __tracebackhide__ = True
        if self._is_closed:
            raise RuntimeError(f"this connection to {self.name} was closed: connect again")
        message["target"] = session.refer(thing)
        try:
            answer = self._send(session.complete(message))
            if answer.get("lost"):
                if '"$object"' in json.dumps(message):
                    raise session.make_lost_error()
                session = self._open_again(session)
                answer = self._send(session.complete(message))
        finally:
            message.clear()
        if answer.get("lost"):
            raise session.make_lost_error()
        for text in answer["warnings"]:
            warn_caller(text)
        if "raised" not in answer:
            return session.codec.decode(answer["value"])
        error = decode_error(answer["raised"], session.codec)
        if isinstance(error, AttributeError):
            error.obj = thing
        raise error

    def _send(self, message: Mapping[str, Any]) -> dict[str, Any]:
        __tracebackhide__ = True
        headers = {"host": self._transport.host, "content-type": "application/json"}
        request = HttpRequest("POST", PATH, headers, json.dumps(message).encode())
        del message  # the repr of a request does not show its body
        response = self._transport.send(request)
        try:
            answer = json.loads(response.body)
            error = answer.get("error")
        except (ValueError, AttributeError):
            answer, error = None, None
        if response.status == _OK and isinstance(answer, dict):
            return answer
        if isinstance(error, dict) and "message" in error:
            kind = ConnectionError if response.status in _NOT_SERVED else RuntimeError
            raise kind(f"the server at {self.name} has refused this: {error['message']}")
        if response.status == _TOO_LARGE:
            text = response.body.decode(errors="replace").strip()
            raise ValueError(f"this is too much for one request to {self.name}: {text}")
        raise ConnectionError(
            f"what answers at {self.name} is not `kmsmock serve` of this version: its status is "
            f"{response.status}"
        )


class _Session:
    """The objects of the server that this process holds, since it has connected or a restart."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self.name = name
        self.codec = Codec(self.refer, self._resolve)
        self._lock = threading.Lock()
        #: Number -> object of the server, as long as anything here holds it.
        self._objects: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        #: Links of objects that are no longer held; appended to while garbage is collected.
        self._released: deque[Link] = deque()

    def complete(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return a message with the session, and the objects that are no longer held."""
        released = []
        while self._released:
            link = self._released.popleft()
            released.append([link.number, link.received])
        return {**message, "session": self.name, "release": released}

    def make_lost_error(self) -> RuntimeError:
        """Return the error about an object that the server no longer has."""
        return RuntimeError(
            f"this object is of a mock that is no longer at {self._connection.name}, since the "
            "server was started again, or of a connection that was not used for long: get it again "
            "from the control object"
        )

    def refer(self, value: Any) -> dict[str, Any]:
        """Return what stands for an object. Raises UnsendableError if nothing does."""
        link, connection = getattr(value, LINK, None), self._connection
        if isinstance(link, Link):
            if link.connection is not connection:
                raise UnsendableError(
                    f"this {type(value).__name__} is of {link.connection.name}, and not of the "
                    f"mock at {connection.name}"
                )
            if link.session not in (None, self):
                raise self.make_lost_error()
            return {"$kms": True} if link.number is None else {"$object": link.number}
        members = {name: member for name in _NAMING if isinstance(member := _get(value, name), str)}
        if members:
            return {"$named": type(value).__name__, "members": members}
        raise UnsendableError(
            f"{describe(value)} of this process cannot be sent to the server at {connection.name}"
        )

    def _resolve(self, value: Mapping[str, Any]) -> Any:
        if "$kms" in value:
            return self._connection.kms
        if "$object" not in value:
            raise ValueError(f"the server has sent {value}")
        number = value["$object"]
        with self._lock:
            known = self._objects.get(number)
            if known is not None:
                getattr(known, LINK).received += 1
                return known
            link = Link(self._connection, self, number)
            made = self._objects[number] = self._connection.make(link, value["class"])
            weakref.finalize(made, self._released.append, link).atexit = False
        link.constant = {
            name: self.codec.decode(item) for name, item in value.get("constant", {}).items()
        }
        return made


def _get(value: object, name: str) -> Any:
    return None if isinstance(value, type) else getattr(value, name, None)
