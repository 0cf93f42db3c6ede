"""The server on the loopback address: HTTP, limits, and its thread."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from kmsmock.aws.disruptions import Loss, LostConnection
from kmsmock.protocols.boundaries import MAX_BODY, MAX_HEADER_BYTES, TOO_LARGE_BODY
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.serving import loopback
from kmsmock.serving.loopback import LoopbackServer


class Echo:
    """Answers with what it gets, and keeps it."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []
        self.answer: HttpResponse | LostConnection | Exception | None = None

    def __call__(self, request: HttpRequest) -> HttpResponse | LostConnection:
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or HttpResponse(200, {"content-type": "text/plain"}, request.body)


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def server(echo: Echo) -> Iterator[LoopbackServer]:
    server = LoopbackServer(echo)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def connection(server: LoopbackServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(loopback.HOST, server.port, timeout=5)
    yield connection
    connection.close()


@pytest.fixture
def raw(server: LoopbackServer) -> Iterator[Callable[[bytes], bytes]]:
    """Send bytes, and return all that comes until the server ends the connection."""
    sockets = []

    def send(data: bytes) -> bytes:
        sock = socket.create_connection((loopback.HOST, server.port), timeout=5)
        sockets.append(sock)
        sock.sendall(data)
        received = b""
        while part := sock.recv(65536):
            received += part
        return received

    yield send
    for sock in sockets:
        sock.close()


def test_a_connection_is_kept_for_further_requests(
    connection: http.client.HTTPConnection, echo: Echo
) -> None:
    for number in range(3):
        connection.request("POST", f"/{number}?a=b", body=b"body %d" % number)
        sock = connection.sock
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"body %d" % number)
        assert connection.sock is sock
    assert [each.target for each in echo.requests] == ["/0?a=b", "/1?a=b", "/2?a=b"]


def test_requests_in_a_row_are_answered_in_their_order(raw: Callable[[bytes], bytes]) -> None:
    first = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none"
    last = first.replace(b"Host: x", b"Host: x\r\nConnection: close").replace(b"one", b"two")
    received = raw(first + last)
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert received.index(b"one") < received.index(b"two")


def test_a_request_can_come_byte_by_byte(server: LoopbackServer, echo: Echo) -> None:
    with socket.create_connection((loopback.HOST, server.port), timeout=5) as sock:
        for byte in b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok":
            sock.sendall(bytes([byte]))
        assert sock.recv(65536).endswith(b"ok")
    assert echo.requests[0].headers == {"host": "x", "content-length": "2"}


def test_chunks_are_joined(connection: http.client.HTTPConnection, echo: Echo) -> None:
    connection.request("POST", "/", body=iter([b"one", b"", b"two"]), encode_chunked=True)
    assert connection.getresponse().read() == b"onetwo"
    assert echo.requests[0].body == b"onetwo"


def test_repeated_headers_are_joined_with_commas(raw: Callable[[bytes], bytes], echo: Echo) -> None:
    raw(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a:  2 \r\nConnection: close\r\n\r\n")
    assert echo.requests[0].headers["x-a"] == "1,2"


def test_a_client_can_wait_before_it_sends_the_body(server: LoopbackServer) -> None:
    with socket.create_connection((loopback.HOST, server.port), timeout=5) as sock:
        sock.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
        assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"ok")
        assert b"HTTP/1.1 200 OK" in sock.recv(65536)


def test_an_old_client_gets_a_closed_connection(raw: Callable[[bytes], bytes]) -> None:
    assert b"connection: close" in raw(b"GET / HTTP/1.0\r\n\r\n")


def test_head_has_no_body(connection: http.client.HTTPConnection, echo: Echo) -> None:
    echo.answer = HttpResponse(200, {}, b"body")
    connection.request("HEAD", "/")
    response = connection.getresponse()
    assert (response.headers["content-length"], response.read()) == ("4", b"")


LIMIT = MAX_BODY
REFUSED = {
    "no request line": (b"hello\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\n", 505),
    "header without a colon": (b"GET / HTTP/1.1\r\nHost\r\n\r\n", 400),
    "continued header": (b"GET / HTTP/1.1\r\nA: 1\r\n 2\r\n\r\n", 400),
    "length that is no number": (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "length and chunks": (
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    "other coding": (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 400),
    "chunk without a size": (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        400,
    ),
    "long headers": (b"GET / HTTP/1.1\r\nA: " + b"a" * MAX_HEADER_BYTES + b"\r\n\r\n", 431),
}


@pytest.mark.parametrize(("data", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_request_ends_the_connection_with_an_error(
    raw: Callable[[bytes], bytes], echo: Echo, data: bytes, status: int
) -> None:
    received = raw(data)
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in received
    assert echo.requests == []


@pytest.mark.parametrize(
    "framing",
    [b"Content-Length: %d\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n%x\r\n"],
    ids=["length", "chunk"],
)
def test_a_longer_body_is_not_read_and_the_connection_ends(
    raw: Callable[[bytes], bytes], echo: Echo, framing: bytes
) -> None:
    received = raw(b"POST / HTTP/1.1\r\n" + framing % (LIMIT + 1))

    assert [request.body is TOO_LARGE_BODY for request in echo.requests] == [True]
    assert b"connection: close" in received


def test_the_longest_body_is_answered(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/", body=b"a" * LIMIT)
    assert len(connection.getresponse().read()) == LIMIT


def test_an_error_of_the_mock_is_a_response(
    connection: http.client.HTTPConnection, echo: Echo
) -> None:
    echo.answer = ZeroDivisionError("oops")
    connection.request("GET", "/")
    response = connection.getresponse()
    assert (response.status, response.read()) == (
        500,
        b"The request could not be answered: ZeroDivisionError: oops\n",
    )


def test_a_fault_closes_the_connection(connection: http.client.HTTPConnection, echo: Echo) -> None:
    echo.answer = LostConnection(Loss.CLOSED, is_retried=None)
    connection.request("GET", "/")
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        connection.getresponse()


def test_a_fault_lets_the_client_time_out(server: LoopbackServer, echo: Echo) -> None:
    echo.answer = LostConnection(Loss.READ_TIMEOUT, is_retried=None)
    connection = http.client.HTTPConnection(loopback.HOST, server.port, timeout=0.05)
    connection.request("GET", "/")
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()


def test_an_idle_connection_does_not_stop_others(
    server: LoopbackServer, connection: http.client.HTTPConnection
) -> None:
    with socket.create_connection((loopback.HOST, server.port)) as idle:
        idle.sendall(b"POST / HTTP/1.1\r\nContent-Le")
        connection.request("POST", "/", body=b"ok")
        assert connection.getresponse().read() == b"ok"


def test_a_slow_client_is_disconnected(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loopback, "PATIENCE", 0.05)
    with socket.create_connection((loopback.HOST, server.port), timeout=5) as sock:
        start = time.perf_counter()
        sock.sendall(b"POST / HTTP/1.1\r\n")
        assert sock.recv(1) == b""
        assert time.perf_counter() - start < 4


def test_the_connection_that_was_idle_for_longest_makes_room(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loopback, "CONNECTIONS", 2)
    request = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
    sockets = [socket.create_connection((loopback.HOST, server.port), timeout=5) for _ in range(3)]
    for sock in sockets[1:]:
        sock.sendall(request)
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
    assert sockets[0].recv(1) == b""
    for sock in sockets:
        sock.close()


# --- the thread ----------------------------------------------------------------------------------


def test_connections_outlive_an_interruption(
    server: LoopbackServer, connection: http.client.HTTPConnection
) -> None:
    threads = threading.active_count()
    connection.request("POST", "/", body=b"before")
    sock = connection.sock
    assert connection.getresponse().read() == b"before"
    server.interrupt()
    assert threading.active_count() == threads - 1
    connection.request("POST", "/", body=b"after")
    server.start()
    assert connection.getresponse().read() == b"after"
    assert connection.sock is sock


def test_a_request_that_takes_long_is_finished_by_its_thread() -> None:
    proceed, has_begun = threading.Event(), threading.Event()

    def answer(request: HttpRequest) -> HttpResponse:
        if request.target == "/slow":
            has_begun.set()
            proceed.wait(5)
        return HttpResponse(200, {}, request.target.encode())

    server = LoopbackServer(answer)
    server.start()
    slow, fast = (
        http.client.HTTPConnection(loopback.HOST, server.port, timeout=5) for _ in range(2)
    )
    slow.request("GET", "/slow")
    has_begun.wait(5)
    server.interrupt(seconds=0.01)
    server.start()
    fast.request("GET", "/fast")
    proceed.set()
    assert (slow.getresponse().read(), fast.getresponse().read()) == (b"/slow", b"/fast")
    for connection in (slow, fast):
        connection.close()
    server.stop()


def test_nothing_is_left_of_a_stopped_server(echo: Echo) -> None:
    threads = threading.active_count()
    server = LoopbackServer(echo)
    server.start()
    with socket.create_connection((loopback.HOST, server.port), timeout=5) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(65536)
        server.stop()
        assert sock.recv(1) == b""
    assert threading.active_count() == threads
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((loopback.HOST, server.port), timeout=5)


def test_a_reserved_port_takes_no_connections_before_the_start(echo: Echo) -> None:
    server = LoopbackServer(echo)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((loopback.HOST, server.port), timeout=5)
    server.stop()
