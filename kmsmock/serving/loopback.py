"""A server on the loopback address, with one thread for all of its connections.

One thread can be stopped before the process forks, and started again afterwards, without losing a
connection: a thread that is there while a process forks can leave locks behind in the child, and
Python 3.12 and later warn about it. A mock answers one request after the other anyway.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from kmsmock.aws.disruptions import Loss, LostConnection
from kmsmock.process import running_servers
from kmsmock.process.real_time import RealTime
from kmsmock.protocols.boundaries import TOO_LARGE_BODY
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.serving import http_framing
from kmsmock.serving.http_framing import BadRequestError, BodyTooLargeError, Head

HOST = "127.0.0.1"
#: How many connections can be open; the one that was idle for longest makes room.
CONNECTIONS = 128
#: The seconds in which a request must be complete, and after which an idle connection ends.
PATIENCE, IDLENESS = 30.0, 120.0
_SLICE = 64 * 1024
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

#: Returns the response to a request.
Answering = Callable[[HttpRequest], "HttpResponse | LostConnection"]
# The class itself, also where a plugin such as pytest-socket replaces it for the code under test.
_Socket: Any = next(each for each in socket.socket.__mro__ if each.__module__ == "socket")


class _Connection:
    """A connection, with what was received and what is to be sent."""

    def __init__(self, sock: Any) -> None:
        self.socket = sock
        self.received = bytearray()
        self.to_send = bytearray()
        self.head: Head | None = None
        #: Whether it ends once everything is sent.
        self.is_closing = False
        #: Whether it gets no response any more, since a fault lets the client time out.
        self.is_lost = False
        #: When the present request, or the present pause between requests, began.
        self.since = RealTime.seconds()

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a request."""
        return not (self.is_closing or self.head or self.received or self.to_send)

    @property
    def deadline(self) -> float:
        """When it ends if nothing happens before."""
        return self.since + (IDLENESS if self.is_idle else PATIENCE)


class LoopbackServer:
    """A server on a port that the system chooses. answer: called in the thread of the server."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer
        self._connections: dict[int, _Connection] = {}
        self._thread: threading.Thread | None = None
        #: Tells the thread to end.
        self._stop = threading.Event()
        self._selector = getattr(selectors, "PollSelector", selectors.SelectSelector)()
        self._listener = _Socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.bind((HOST, 0))
        self._listener.settimeout(0)
        self.port: int = self._listener.getsockname()[1]
        self._wake_up, self._waker = _make_pipe()
        self._is_listening = self._is_abandoned = False
        running_servers.add(self)

    @property
    def url(self) -> str:
        """The URL of the server, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether requests are answered."""
        return self._thread is not None and not self._stop.is_set()

    def start(self) -> None:
        """Begin to answer requests; no effect if it does already. Not for several threads."""
        if self.is_running:
            return
        if not self._is_listening:
            self._listener.listen(CONNECTIONS)
            self._selector.register(self._listener, _READ, None)
            self._selector.register(self._wake_up, _READ, None)
            self._is_listening = True
        stop = self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run,
            args=(stop, self._thread),
            name=f"kmsmock server on port {self.port}",
            daemon=True,
        )
        self._thread.start()

    def interrupt(self, seconds: float = 5.0) -> None:
        """Stop the thread after the present request; connections stay for the next `start`.

        seconds: how long to wait for it.
        """
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return
        self._stop.set()
        _write(self._waker)
        thread.join(seconds)
        if not thread.is_alive():
            self._thread = None

    def stop(self) -> None:
        """End all connections, and give up the port."""
        self.interrupt()
        self.abandon()

    def abandon(self) -> None:
        """Close what the process has of the sockets, as a forked child does with its copies."""
        if self._is_abandoned:
            return
        self._is_abandoned = True
        self._thread = None
        running_servers.remove(self)
        # Only closed: other ends are told when no process has them any more.
        for connection in self._connections.values():
            connection.socket.close()
        self._connections.clear()
        self._listener.close()
        for end in (self._wake_up, self._waker):
            with contextlib.suppress(OSError):
                _close(end)
        self._selector.close()

    # --- the thread --------------------------------------------------------------------------

    def _run(self, stop: threading.Event, earlier: threading.Thread | None) -> None:
        if earlier is not None:  # it still answers a request
            earlier.join()
        while not stop.is_set():
            deadlines = [each.deadline for each in self._connections.values()]
            timeout = max(0.0, min(deadlines) - RealTime.seconds()) if deadlines else None
            for key, events in self._selector.select(timeout):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj == self._wake_up:
                    _read(self._wake_up)
                else:
                    self._serve(key.data, events)
            now = RealTime.seconds()
            for connection in list(self._connections.values()):
                if connection.deadline <= now:
                    self._close(connection)

    def _accept(self) -> None:
        try:
            fd, _ = self._listener._accept()  # noqa: SLF001 - see _Socket
        except OSError:  # the client has gone
            return
        sock = _Socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=fd)
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self._connections) >= CONNECTIONS:
            self._close(min(self._connections.values(), key=lambda each: each.since))
        connection = self._connections[fd] = _Connection(sock)
        self._selector.register(sock, _READ, connection)

    def _serve(self, connection: _Connection, events: int) -> None:
        if connection.socket.fileno() < 0:  # closed to make room
            return
        if connection.is_idle:
            connection.since = RealTime.seconds()
        try:
            if events & _READ and not self._receive(connection):
                self._close(connection)
                return
            self._send(connection)
        except OSError:  # such as a reset by the client
            self._close(connection)

    def _receive(self, connection: _Connection) -> bool:
        """Read, and answer what is complete; return whether the connection goes on."""
        received = connection.socket.recv(_SLICE)
        if not received:
            return False
        if connection.is_lost or connection.is_closing:
            return True
        connection.received += received
        try:
            return self._answer_complete(connection)
        except BadRequestError as error:
            connection.received.clear()
            self._respond(connection, error.respond(), is_kept_alive=False)
            return True

    def _answer_complete(self, connection: _Connection) -> bool:
        """Answer each request that has arrived completely."""
        while not connection.is_closing:
            if connection.head is None:
                connection.head = http_framing.take_head(connection.received)
                if connection.head is None:
                    return True
                if connection.head.expects_continue:
                    connection.to_send += http_framing.CONTINUE
            head = connection.head
            is_kept_alive = head.is_kept_alive
            try:
                body = http_framing.take_body(connection.received, head)
            except BodyTooLargeError:
                body, is_kept_alive = TOO_LARGE_BODY, False
                connection.received.clear()
            if body is None:
                return True
            connection.head = None
            answer = self._call(http_framing.to_request(head, body))
            if isinstance(answer, LostConnection):
                connection.is_lost = answer.how is Loss.READ_TIMEOUT
                return connection.is_lost
            self._respond(
                connection,
                answer,
                is_kept_alive=is_kept_alive,
                is_for_head=head.method.upper() == "HEAD",
            )
        return True

    def _call(self, request: HttpRequest) -> HttpResponse | LostConnection:
        try:
            return self._answer(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client learns of it
            return BadRequestError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                f"The request could not be answered: {type(error).__name__}: {error}",
            ).respond()

    def _respond(
        self,
        connection: _Connection,
        response: HttpResponse,
        *,
        is_kept_alive: bool,
        is_for_head: bool = False,
    ) -> None:
        connection.to_send += http_framing.format_response(
            response, is_kept_alive=is_kept_alive, is_for_head=is_for_head
        )
        connection.is_closing = not is_kept_alive
        connection.since = RealTime.seconds()

    def _send(self, connection: _Connection) -> None:
        """Send as much as the client takes."""
        if connection.to_send:
            with contextlib.suppress(BlockingIOError):
                del connection.to_send[: connection.socket.send(connection.to_send)]
        if connection.to_send:
            self._selector.modify(connection.socket, _READ | _WRITE, connection)
            return
        self._selector.modify(connection.socket, _READ, connection)
        if connection.is_closing:
            # The client closes, so that a response to a body that it still sends is not lost.
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_WR)

    def _close(self, connection: _Connection) -> None:
        fd = connection.socket.fileno()
        if fd < 0:
            return
        del self._connections[fd]
        self._selector.unregister(connection.socket)
        connection.socket.close()


# --- waking the thread --------------------------------------------------------------------------


def _make_pipe() -> tuple[Any, Any]:
    """Return an end to wait for, and an end to write to."""
    if os.name == "posix":
        return os.pipe()
    return socket.socketpair()  # pragma: no cover - Windows waits for sockets only


def _write(end: Any) -> None:
    os.write(end, b".") if isinstance(end, int) else end.send(b".")


def _read(end: Any) -> None:
    os.read(end, _SLICE) if isinstance(end, int) else end.recv(_SLICE)


def _close(end: Any) -> None:
    os.close(end) if isinstance(end, int) else end.close()
