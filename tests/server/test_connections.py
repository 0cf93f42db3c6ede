"""Clients that are slow, many, or send what is no HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from kmsmock.server.application import Application
from kmsmock.server.running import bind, make_server
from kmsmock.server.settings import Settings
from tests.server.processes import EXTRA

MOST = 8
SCOPE = "test/20260101/us-east-1/kms/aws4_request"
HEAD = (
    "POST / HTTP/1.1\r\nhost: a\r\nx-amz-target: TrentService.ListKeys\r\n"
    f"authorization: AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host, Signature=0\r\n"
).encode()
REQUEST = HEAD + b"content-length: 2\r\n\r\n{}"
OK = b"HTTP/1.1 200 OK\r\n"


@contextlib.contextmanager
def serving(arriving: float, answering: float, idle: float) -> Iterator[int]:
    """Run a server in a thread of this process; yield its port. Its patience is in seconds."""
    for name in EXTRA:
        pytest.importorskip(name, reason="the extra server is not installed")
    from kmsmock.server.connections import Limits, Phase

    seconds = {Phase.ARRIVING: arriving, Phase.ANSWERING: answering, Phase.IDLE: idle}
    application = Application(Settings)
    application.kms.faults.timeout("ListAliases", times=None)
    application.kms.faults.drop_connection("GenerateRandom", times=None)
    server: Any = make_server(application, Limits(MOST, seconds, period=0.05))
    listener = bind("127.0.0.1", 0)
    number = listener.getsockname()[1]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield number
    finally:
        server.should_exit = True
        thread.join(20)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server whose patience is short."""
    with serving(0.4, 0.8, 1.0) as port:
        yield port


@pytest.fixture
def connect(port: int) -> Iterator[Any]:
    with connecting(port) as connect:
        yield connect


@contextlib.contextmanager
def connecting(port: int) -> Iterator[Any]:
    with contextlib.ExitStack() as stack:

        def connect() -> socket.socket:
            return stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))

        yield connect


def receive(client: socket.socket) -> bytes:
    """Return what arrives next; nothing if the connection has ended."""
    try:
        return client.recv(65536)
    except ConnectionError:
        return b""


def ask(client: socket.socket) -> None:
    """Send a request, and receive its whole response."""
    client.sendall(REQUEST)
    received = b""
    while not received.endswith(b"}"):
        received += client.recv(65536)
    assert received.startswith(OK)


def require_answer(connect: Any) -> None:
    ask(connect())


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST / HT", HEAD, HEAD + b"content-length: 9\r\n\r\n{}"],
    ids=["nothing", "half a line", "half a head", "half a body"],
)
def test_a_request_that_does_not_arrive_is_ended(connect: Any, sent: bytes) -> None:
    client, began = connect(), time.monotonic()
    client.sendall(sent)

    assert receive(client) == b""
    assert 0.3 < time.monotonic() - began < 5


def test_a_request_that_goes_on_slowly_is_ended(connect: Any) -> None:
    client, began = connect(), time.monotonic()
    with pytest.raises(ConnectionError):  # noqa: PT012 - one of the parts raises it
        for part in HEAD * 100:
            client.sendall(bytes([part]))
            time.sleep(0.02)

    assert time.monotonic() - began < 5
    require_answer(connect)


def test_an_idle_connection_is_ended(connect: Any) -> None:
    client, began = connect(), time.monotonic()
    ask(client)

    assert receive(client) == b""
    assert 0.9 < time.monotonic() - began < 5


def test_a_connection_goes_on_as_long_as_requests_come(connect: Any) -> None:
    client = connect()
    for _ in range(5):
        ask(client)
        time.sleep(0.3)


def test_a_client_that_waits_for_a_response_in_vain_is_ended(connect: Any) -> None:
    client, began = connect(), time.monotonic()
    client.sendall(REQUEST.replace(b"ListKeys", b"ListAliases"))

    assert receive(client) == b""
    assert time.monotonic() - began > 0.6


def test_a_fault_ends_the_connection_and_logs_nothing(
    connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[logging.LogRecord] = []
    monkeypatch.setattr(logging.Logger, "handle", lambda _, record: logged.append(record))
    client = connect()
    client.sendall(REQUEST.replace(b"ListKeys", b"GenerateRandom"))

    assert receive(client) == b""
    require_answer(connect)
    assert logged == []


def test_one_connection_too_many_ends_the_one_that_has_waited_for_longest() -> None:
    with serving(60, 60, 60) as port, connecting(port) as connect:
        first, *others = (connect() for _ in range(MOST))
        require_answer(connect)

        assert receive(first) == b""
        for other in others:
            ask(other)


@pytest.mark.parametrize(
    "head",
    [b"x" * 70_000, HEAD + b"a: b\r\n" * 15_000, b"POST /" + b"a" * 70_000],
    ids=["method", "headers", "path"],
)
def test_a_head_that_is_too_large_is_refused(connect: Any, head: bytes) -> None:
    client = connect()
    with contextlib.suppress(ConnectionError):
        client.sendall(head)

    assert receive(client)[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b"")
    require_answer(connect)


def test_a_body_that_is_too_large_is_refused_before_it_has_arrived(connect: Any) -> None:
    client = connect()
    client.sendall(HEAD + b"content-length: 2000000\r\n\r\n")

    assert receive(client).startswith(b"HTTP/1.1 413 ")


def test_chunks_that_are_too_large_are_refused_while_they_arrive(connect: Any) -> None:
    client = connect()
    client.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    for _ in range(20):
        client.sendall(chunk)

    assert receive(client).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        b"\x00" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n",
        b"POST / HTTP/1.1\r\n: no name\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "POST /ä HTTP/1.1\r\nhost: ü\r\n\r\n".encode(),
        os.urandom(10_000),
    ],
    ids=["TLS", "zeros", "version", "length", "chunk", "header", "HTTP 2", "letters", "random"],
)
def test_garbage_ends_its_connection_only(connect: Any, garbage: bytes) -> None:
    client = connect()
    client.sendall(garbage)
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_WR)
    while receive(client):
        pass

    require_answer(connect)


class Pieces(asyncio.Transport):
    """A transport that keeps the pieces in which it was given data."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.has_written = asyncio.Event()
        self.is_ended = False

    def write(self, data: Any) -> None:
        self.pieces.append(data)
        self.has_written.set()

    def close(self) -> None:
        self.is_ended = True

    def is_closing(self) -> bool:
        return self.is_ended


@pytest.mark.parametrize(
    ("request_", "is_ended"),
    [(REQUEST, False), (REQUEST.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), True)],
    ids=["kept", "closed"],
)
def test_head_and_body_of_a_response_are_one_piece(request_: bytes, is_ended: bool) -> None:
    pytest.importorskip("httptools", reason="the extra server is not installed")
    from kmsmock.server.connections import Limits

    async def answer() -> tuple[list[bytes], bool]:
        server: Any = make_server(Application(Settings), Limits(MOST))
        server.config.load()
        connection = server.config.http_protocol_class(
            server.config, server.server_state, {}, asyncio.get_running_loop()
        )
        transport = Pieces()
        connection.connection_made(transport)
        connection.data_received(request_)
        await transport.has_written.wait()
        was_ended = transport.is_ended
        connection.connection_lost(None)
        return transport.pieces, was_ended

    (piece,), was_ended = asyncio.run(answer())

    assert piece.startswith(OK)
    assert piece.endswith(b"}")
    assert was_ended == is_ended


def test_many_connections_that_are_dropped_leave_nothing(connect: Any) -> None:
    for number in range(300):
        client = connect()
        client.sendall(REQUEST[: number % len(REQUEST)])
        client.close()

    require_answer(connect)


BODY = b"content-length: 2\r\n\r\n{}"
OLD = HEAD.replace(b"HTTP/1.1", b"HTTP/1.0")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (OLD + BODY, 200),
        (OLD + b"connection: keep-alive\r\n" + BODY, 200),
        (HEAD.replace(b"host: a\r\n", b"") + BODY, 200),
        (HEAD.replace(b"host: a", b"host: [::1%25eth0]:99999") + BODY, 200),
        (HEAD.replace(b"POST /", b"POST http://a/") + BODY, 200),
        (HEAD.replace(b"POST /", b"POST /%2F?") + BODY, 200),
        (HEAD + b"expect: something\r\n" + BODY, 200),
        (
            HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n1;a=b\r\n}\r\n0\r\nc: d\r\n\r\n",
            200,
        ),
        (
            HEAD + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            400,
        ),
        (HEAD + b"content-encoding: gzip\r\n" + BODY, 400),
        (HEAD.replace(b"POST", b"OPTIONS") + BODY, 400),
        (HEAD.replace(b"POST", b"CONNECT") + BODY, 400),
        (b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", 403),
        (b"HEAD /_kmsmock/health HTTP/1.1\r\nhost: localhost\r\n\r\n", 200),
        (b"GET http://localhost/_kmsmock/health HTTP/1.1\r\nhost: localhost\r\n\r\n", 200),
        (b"GET /_kmsmock HTTP/1.1\r\nhost: localhost\r\n\r\n", 404),
        (b"GET /_kmsmock/v1/%63alls HTTP/1.1\r\nhost: localhost\r\n\r\n", 404),
        (b"GET /_kmsmock/v1/calls?%ff=%zz HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
        (b"GET /_kmsmock/v1/calls?operation=%0d%0aa:b HTTP/1.1\r\nhost: localhost\r\n\r\n", 400),
    ],
    ids=[
        *("HTTP 1.0", "HTTP 1.0 kept alive", "no host", "strange host", "absolute URL"),
        *("encoded path", "expects something", "chunks with a trailer", "length and chunks"),
        *(
            "gzip",
            "OPTIONS",
            "CONNECT",
            "OPTIONS of all",
            "HEAD",
            "absolute URL of the control plane",
        ),
        *("control plane", "encoded path of the control plane", "odd query", "line break"),
    ],
)
def test_unusual_requests_have_a_response(connect: Any, sent: bytes, status: int) -> None:
    client = connect()
    client.sendall(sent)

    received = receive(client)

    assert received.startswith(b"HTTP/1.1 %d " % status), received
    assert b"\na:b" not in received
    require_answer(connect)


def test_a_response_to_head_has_no_body(connect: Any) -> None:
    client = connect()
    client.sendall(b"HEAD /_kmsmock/health HTTP/1.1\r\nhost: localhost\r\n\r\n" + REQUEST)
    received = b""
    while not received.endswith(b"}"):
        received += client.recv(65536)

    assert received.count(OK) == 2
    assert b'"status"' not in received


def test_pipelined_requests_are_answered_in_turn(connect: Any) -> None:
    client = connect()
    client.sendall(REQUEST * 5)
    received = b""
    while received.count(OK) < 5:
        received += client.recv(65536)
