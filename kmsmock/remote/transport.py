"""How requests of a connected object get to the mock: by HTTP, or by whatever else carries them."""

from __future__ import annotations

import contextlib
import http.client
import os
import threading
import weakref
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

from kmsmock.misuse.values import require_type
from kmsmock.protocols.messages import HttpRequest, HttpResponse

#: What an idle connection ends with, if the server has closed it meanwhile.
_CLOSED = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


class Transport(Protocol):
    """Carries the requests of a connected object; several threads may use it."""

    @property
    def host(self) -> str:
        """The header Host of the requests."""
        ...

    @property
    def name(self) -> str:
        """Where the requests go, in messages, such as a URL."""
        ...

    def send(self, request: HttpRequest) -> HttpResponse:
        """Return the response to a request. Raises ConnectionError, TimeoutError."""
        ...

    def close(self) -> None:
        """End all connections."""
        ...


class HttpTransport:
    """HTTP to a server, with a connection for each thread, and without proxies.

    url: ``http://host:port``. timeout: in seconds, for each step of a request. Raises TypeError and
    ValueError for a URL that no server of kmsmock has.
    """

    def __init__(self, url: str, timeout: float) -> None:
        parts = _read_url(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._timeout = timeout
        self.host = parts.netloc
        #: The URL, without a slash at the end.
        self.name = f"http://{parts.netloc}"
        self._lock = threading.Lock()
        #: Thread and process -> its connection; a forked child must not use that of its parent.
        self._connections: dict[tuple[int, int], http.client.HTTPConnection] = {}
        # Also without `close`, no socket is left open.
        weakref.finalize(self, _close_all, self._connections)

    def send(self, request: HttpRequest) -> HttpResponse:
        """Return the response to a request. Raises ConnectionError, TimeoutError."""
        connection = self._find_connection()
        is_reused = connection.sock is not None
        try:
            try:
                return _exchange(connection, request)
            except _CLOSED:
                connection.close()
                if not is_reused:
                    raise
            return _exchange(connection, request)
        except TimeoutError:
            connection.close()
            raise TimeoutError(
                f"the server at {self.name} has not answered within {self._timeout:g} seconds"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ConnectionError(
                f"no server of kmsmock answers at {self.name} ({_explain(error)}): start one with "
                f"`kmsmock serve --port {self._address[1]}`"
            ) from None

    def close(self) -> None:
        """End all connections."""
        with self._lock:
            _close_all(self._connections)

    def _find_connection(self) -> http.client.HTTPConnection:
        mine = (os.getpid(), threading.get_ident())
        with self._lock:
            connection = self._connections.get(mine)
            if connection is None:
                self._forget_ended_threads()
                connection = http.client.HTTPConnection(*self._address, timeout=self._timeout)
                self._connections[mine] = connection
        return connection

    def _forget_ended_threads(self) -> None:
        running = {thread.ident for thread in threading.enumerate()}
        for process, thread in list(self._connections):
            if process == os.getpid() and thread not in running:
                self._connections.pop((process, thread)).close()


def _close_all(connections: dict[Any, http.client.HTTPConnection]) -> None:
    while connections:
        with contextlib.suppress(OSError):
            connections.popitem()[1].close()


def _exchange(connection: http.client.HTTPConnection, request: HttpRequest) -> HttpResponse:
    # http.client would add headers, and take no Host of ours beside its own.
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    headers: Mapping[str, str] = {**request.headers, "content-length": str(len(request.body))}
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(request.body)
    response = connection.getresponse()
    received = {name.lower(): value for name, value in response.getheaders()}
    return HttpResponse(response.status, received, response.read())


def _explain(error: Exception) -> str:
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return "what answers there is no HTTP server"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _read_url(url: str) -> SplitResult:
    """Split a URL. Raises TypeError and ValueError for one that no server of kmsmock has."""
    require_type(url, str, "url", "a str such as 'http://127.0.0.1:4599'")
    example = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(example)
        host, _ = parts.hostname, parts.port
    except ValueError as reason:
        raise ValueError(f"url: {url!r} is no URL: {reason}") from None
    if "://" not in url and host:
        raise ValueError(f"url must begin with http://, as in {example!r}")
    if parts.scheme != "http" or not host:
        raise ValueError(
            f"url must be such as 'http://127.0.0.1:4599', not {url!r}: `kmsmock serve` answers "
            "HTTP, without TLS"
        )
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            "url must have scheme, host and port only, as in 'http://127.0.0.1:4599'; it has also "
            + ("a user name" if parts.username is not None else "a path or a query")
        )
    return parts
