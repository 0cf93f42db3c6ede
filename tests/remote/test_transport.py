"""Connections to servers, and what is said if there is none."""

from __future__ import annotations

import gc
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import kmsmock
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.remote import transport
from kmsmock.remote.clients import EndpointClients
from kmsmock.remote.connecting import connect_through
from kmsmock.remote.transport import HttpTransport
from kmsmock.remote.values import VERSION
from kmsmock.server.application import Application
from kmsmock.server.settings import Settings
from kmsmock.serving.loopback import LoopbackServer

OPENED = {
    "session": "1",
    "version": VERSION,
    "region": "us-east-1",
    "services": [],
    "strict_credentials": False,
}
REQUEST = HttpRequest("GET", "/", {"host": "localhost"}, b"")


@contextmanager
def answering(answer: Callable[[HttpRequest], Any]) -> Iterator[str]:
    """Serve answers of another kind; gives the URL."""
    server = LoopbackServer(answer)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


def responding(status: int, content: Any) -> Callable[[HttpRequest], HttpResponse]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return lambda _: HttpResponse(status, {}, body)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


# --- wrong URLs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("127.0.0.1:4599", "url must begin with http://, as in 'http://127.0.0.1:4599'"),
        ("localhost:4599", "url must begin with http://, as in 'http://localhost:4599'"),
        ("https://127.0.0.1:4599", "url must be such as .*answers HTTP, without TLS"),
        ("http://", "url must be such as"),
        ("http://127.0.0.1:4599/kms", "url must have scheme, host and port only"),
        ("http://127.0.0.1:4599?a=b", "url must have scheme, host and port only"),
        ("http://me:secret@127.0.0.1:4599", "url must have scheme, host and port only"),
        ("http://127.0.0.1:port", "is no URL"),
        ("http://[::1", "is no URL"),
    ],
)
def test_a_url_that_no_server_has_is_refused(url: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        kmsmock.connect(url)

    assert "secret" not in str(caught.value)


def test_arguments_of_wrong_types_are_refused() -> None:
    with pytest.raises(TypeError, match="url must be a str"):
        kmsmock.connect(4599)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="timeout must be a number of seconds"):
        kmsmock.connect("http://127.0.0.1:4599", timeout="1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="timeout must be above 0, not 0"):
        kmsmock.connect("http://127.0.0.1:4599", timeout=0)


# --- other servers ----------------------------------------------------------------------------


def test_where_nothing_answers_the_error_says_how_to_start_a_server() -> None:
    port = free_port()

    with pytest.raises(ConnectionError, match=f"start one with `kmsmock serve --port {port}`"):
        kmsmock.connect(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("status", "content"),
    [(200, b"<html>"), (404, b"not here"), (200, []), (404, {"message": "no"}), (200, {"a": 1})],
    ids=["a page", "a text", "a list", "another error", "another answer"],
)
def test_another_server_is_no_server_of_kmsmock(status: int, content: Any) -> None:
    with answering(responding(status, content)) as url, pytest.raises(ConnectionError) as caught:
        kmsmock.connect(url)

    assert url in str(caught.value)


def test_what_is_no_http_server_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        def answer() -> None:
            connection, _ = listener.accept()
            connection.recv(1000)
            connection.sendall(b"220 mail.example ESMTP\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ConnectionError, match="what answers there is no HTTP server"):
            kmsmock.connect(url)
        thread.join()


@pytest.mark.parametrize("version", ["0.0.1", None])
def test_a_server_of_another_version_is_refused(version: str | None) -> None:
    opened = {**OPENED, "version": version}
    with answering(responding(200, opened)) as url:
        expected = f"is kmsmock {version}, and this process has {VERSION}: install the same version"
        with pytest.raises(ConnectionError, match=expected):
            kmsmock.connect(url)


def test_an_older_server_without_these_messages_is_refused() -> None:
    error = {"error": {"message": "There is no /_kmsmock/v1/object"}}
    with (
        answering(responding(404, error)) as url,
        pytest.raises(ConnectionError, match="There is no /_kmsmock/v1/object"),
    ):
        kmsmock.connect(url)


def test_what_is_too_large_for_a_server_is_an_error_of_its_own() -> None:
    with (
        answering(responding(413, b"The body has more than 5 bytes.\n")) as url,
        pytest.raises(ValueError, match=r"too much for one request to .*: The body has more"),
    ):
        kmsmock.connect(url)


def test_a_server_on_another_host_says_that_it_must_allow_remote() -> None:
    application = Application(Settings)
    with answering(application._call) as url:
        port = url.rpartition(":")[2]
        sender = HttpTransport(url, 5)
        sender.host = f"kms.internal:{port}"

        with pytest.raises(ConnectionError, match="--allow-remote permits other hosts"):
            connect_through(sender, EndpointClients(url))


def test_a_server_that_does_not_answer_in_time_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        with pytest.raises(TimeoutError, match=f"{url} has not answered within 0.05 seconds"):
            kmsmock.connect(url, timeout=0.05)


def test_a_connection_that_is_dropped_is_closed_without_a_warning() -> None:
    application = Application(Settings)
    with answering(application._call) as url:
        kms = kmsmock.connect(url)
        used = kms._kmsmock_link.connection._transport._find_connection()
        assert used.sock is not None
        del kms
        gc.collect()

        assert used.sock is None


# --- connections ------------------------------------------------------------------------------


def test_a_connection_is_used_again_and_replaced_once_the_server_has_closed_it() -> None:
    with answering(responding(200, b"first")) as url:
        sender = HttpTransport(url, 5)
        assert sender.send(REQUEST).body == b"first"
        (used,) = sender._connections.values()
        socket_of_first = used.sock
        assert sender.send(REQUEST).body == b"first"
        assert used.sock is socket_of_first
        used.sock.shutdown(socket.SHUT_RDWR)

        assert sender.send(REQUEST).body == b"first"
        sender.close()


def test_each_thread_has_a_connection_which_ends_with_it() -> None:
    with answering(responding(200, b"")) as url:
        sender = HttpTransport(url, 5)
        for _ in range(3):
            thread = threading.Thread(target=sender.send, args=(REQUEST,))
            thread.start()
            thread.join()
        sender.send(REQUEST)

        assert [ident for _, ident in sender._connections] == [threading.get_ident()]
        sender.close()


def test_a_forked_child_does_not_use_the_connection_of_its_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with answering(responding(200, b"")) as url:
        sender = HttpTransport(url, 5)
        sender.send(REQUEST)
        monkeypatch.setattr(transport.os, "getpid", lambda: 0)
        sender.send(REQUEST)

        assert len(sender._connections) == 2
        sender.close()
