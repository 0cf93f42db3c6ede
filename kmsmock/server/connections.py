"""The connections of the server: uvicorn's, with limits for clients that are slow or many.

uvicorn limits neither the size of the headers nor the time that a request takes to arrive.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kmsmock.protocols.boundaries import MAX_HEADER_BYTES
from kmsmock.server.application import ABORT

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class Phase(enum.Enum):
    """What a connection waits for."""

    #: For all of a request.
    ARRIVING = "arriving"
    #: For the end of a response.
    ANSWERING = "answering"
    #: For the next request.
    IDLE = "idle"


class Limits(NamedTuple):
    """The limits of a server's connections."""

    #: How many there can be; a further one ends the one that has waited for longest.
    most: int
    #: How many seconds they wait at most. Most SDKs keep idle connections for less, and wait a
    #: minute for a response, if a fault of the mock makes them.
    seconds: Mapping[Phase, float] = {
        Phase.ARRIVING: 15,
        Phase.ANSWERING: 300,
        Phase.IDLE: 120,
    }
    #: The seconds between two checks of that.
    period: float = 1


class Connections:
    """All connections of a server, by phase, those first that have been in it for longest."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._phases: dict[Phase, dict[Connection, float]] = {phase: {} for phase in Phase}
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, connection: Connection, phase: Phase) -> None:
        """Note the beginning of a phase."""
        before = connection.phase
        if before is not None:
            del self._phases[before][connection]
        connection.phase = phase
        self._phases[phase][connection] = connection.loop.time()

    def add(self, connection: Connection) -> None:
        """Add a new connection."""
        if sum(map(len, self._phases.values())) >= self._limits.most:
            waiting = self._phases[Phase.ARRIVING] or self._phases[Phase.IDLE]
            self._end(next(iter(waiting), connection))
        self.enter(connection, Phase.ARRIVING)
        if self._timer is None:
            self._sweep(connection.loop)

    def remove(self, connection: Connection) -> None:
        """Remove a connection that has ended."""
        if connection.phase is not None:
            del self._phases[connection.phase][connection]
            connection.phase = None

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the connections that have waited for too long."""
        now = loop.time()
        for phase, connections in self._phases.items():
            late = []
            for connection, since in connections.items():
                if since + self._limits.seconds[phase] > now:
                    break
                late.append(connection)
            for connection in late:
                self._end(connection)
        period = self._limits.period
        are_left = any(self._phases.values())
        self._timer = loop.call_later(period, self._sweep, loop) if are_left else None

    def _end(self, connection: Connection) -> None:
        self.remove(connection)
        connection.transport.abort()


class JoinedWrites:
    """A transport that sends what is written at one time in one piece: a response's head and body.

    AWS's SDK for Go v2 of 2022 loses the second piece of some responses that arrive at once, with
    the error "use of closed network connection" (aws/aws-sdk-go-v2#1825).
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send data, with what is written until the event loop goes on."""
        if not self._written:
            self._loop.call_soon(self._send)
        self._written.append(data)

    def close(self) -> None:
        """End the connection after what was written."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._written:
            self._transport.write(b"".join(self._written))
            self._written.clear()


class Connection(HttpToolsProtocol):
    """A connection with limits. Overrides only methods of asyncio and of httptools' parser."""

    connections_of_server: Connections

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.phase: Phase | None = None
        #: The bytes of the head of the present request so far; None once it is complete.
        self._head_size: int | None = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))
        self.connections_of_server.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End all waiting."""
        self.connections_of_server.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived; end the connection if the head of the request is too large."""
        super().data_received(data)
        if self._head_size is not None:
            self._head_size += len(data)
            if self._head_size > MAX_HEADER_BYTES and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of the request."""
        super().on_message_begin()
        self._head_size = 0
        self.scope["extensions"] = {ABORT: self.transport.abort}  # type: ignore[dict-item]
        self._enter(Phase.ARRIVING)

    def on_headers_complete(self) -> None:
        """Let the application begin."""
        self._head_size = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for the response, unless the request was refused before it was complete."""
        super().on_message_complete()
        self._enter(Phase.IDLE if self.cycle.response_complete else Phase.ANSWERING)

    def on_response_complete(self) -> None:
        """Wait for the next request, if all of this one has arrived."""
        super().on_response_complete()
        if self.phase is Phase.ANSWERING:
            self._enter(Phase.IDLE)

    def _enter(self, phase: Phase) -> None:
        if self.phase is not None:  # otherwise it has ended
            self.connections_of_server.enter(self, phase)


def make_protocol(limits: Limits) -> type[Connection]:
    """Return the protocol of a new server."""
    return type("Connection", (Connection,), {"connections_of_server": Connections(limits)})
