"""The ASGI application, without a server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from kmsmock import KMSMock
from kmsmock.server import app
from kmsmock.server.application import ABORT, Application
from kmsmock.server.settings import Settings

SCOPE = "20260101/us-east-1/kms/aws4_request"


class Exchange:
    """A request with the ASGI interface. sent: the messages of the application."""

    def __init__(self, *bodies: bytes, **scope: Any) -> None:
        last = len(bodies) - 1
        self._messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": body, "more_body": number < last}
            for number, body in enumerate(bodies)
        ]
        headers = {
            "x-amz-target": "TrentService.ListKeys",
            "host": "kms",
            **scope.pop("headers", {}),
        }
        if "authorization" not in headers:
            headers["authorization"] = (
                f"AWS4-HMAC-SHA256 Credential=test/{SCOPE}, SignedHeaders=host, Signature=0"
            )
        self._scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "raw_path": b"/",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            **scope,
        }
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        return self._messages.pop(0) if self._messages else {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    def run(self, application: Any) -> Exchange:
        asyncio.run(application(self._scope, self.receive, self.send))
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])


def make(**settings: Any) -> Application:
    return Application(lambda: Settings(**settings))


def test_a_request_is_answered() -> None:
    exchange = Exchange(b"{}").run(make())

    assert (exchange.status, json.loads(exchange.body)["Keys"]) == (200, [])


def test_a_body_in_several_parts_is_joined() -> None:
    exchange = Exchange(b'{"Limit"', b": 1", b"}").run(make())

    assert exchange.status == 200


def test_a_path_is_read_where_a_server_does_not_tell_its_bytes() -> None:
    exchange = Exchange(b"{}", raw_path=None, path="/elsewhere").run(make())

    assert b"The service has no path /elsewhere" in exchange.body


def test_a_client_that_goes_early_gets_no_answer() -> None:
    exchange = Exchange(b'{"Limit"', b"1")
    exchange._messages.pop()

    assert exchange.run(make()).sent == []


@pytest.mark.parametrize(
    "exchange",
    [
        Exchange(b"a" * 2**20, b"b"),
        Exchange(b"a" * (2**20 + 1)),
        Exchange(headers={"content-length": str(2**20 + 1)}),
        Exchange(headers={"content-length": "9" * 5000}),
    ],
    ids=["in parts", "at once", "announced", "absurd"],
)
def test_a_body_that_is_too_large_is_refused(exchange: Exchange) -> None:
    exchange.run(make())

    assert exchange.status == 413
    assert json.loads(exchange.body) == {
        "__type": "RequestEntityTooLargeException",
        "message": "The body of the request has more than 1048576 bytes.",
    }


WORLD = {"path": "/_kmsmock/v1/world", "raw_path": b"/_kmsmock/v1/world"}
JSON = {"content-type": "application/json", "host": "localhost"}


def test_a_world_can_be_larger_than_a_request_to_aws() -> None:
    world = json.dumps({"keys": [{"description": "a" * 8000}] * 200}).encode()
    assert len(world) > 2**20

    exchange = Exchange(world[:100], world[100:], headers=JSON, **WORLD).run(make())

    assert (exchange.status, json.loads(exchange.body)) == (200, {"keys": 200})


@pytest.mark.parametrize(
    ("headers", "most"),
    [(JSON, 64 * 2**20), ({**JSON, "content-type": "text/plain"}, 2**20)],
    ids=["JSON", "what a page of another site can send"],
)
def test_a_world_that_is_too_large_is_refused(headers: dict[str, str], most: int) -> None:
    announced = {**headers, "content-length": str(most + 1)}

    exchange = Exchange(headers=announced, **WORLD).run(make())

    assert exchange.status == 413
    assert json.loads(exchange.body) == {"error": {"message": "The body has too many bytes."}}


def test_a_client_that_asks_first_is_told_to_go() -> None:
    headers = {"content-length": "2000000", "expect": "100-continue"}

    exchange = Exchange(headers=headers).run(make())

    assert (b"connection", b"close") in exchange.sent[0]["headers"]


def test_unknown_access_keys_are_refused_with_strict_credentials() -> None:
    assert b"UnrecognizedClientException" in Exchange(b"{}").run(make(strict_credentials=True)).body


def test_options_are_those_of_the_mock() -> None:
    application = make(options={"region": "eu-west-1", "services": ["kms"]})

    assert application.kms.options["region"] == "eu-west-1"


def test_its_mock_does_not_answer_clients_of_the_process(kms: KMSMock) -> None:
    application = make()
    application.kms.client  # noqa: B018 - it is there

    kms.client().create_key()

    assert (len(kms.keys), len(application.kms.keys)) == (1, 0)


def test_a_defect_is_an_error_of_the_server_without_its_details(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("secret")

    logged: list[str] = []
    monkeypatch.setattr("kmsmock.protocols.answering.answer_http", fail)
    monkeypatch.setattr("kmsmock.server.application._logger.exception", logged.append)

    exchange = Exchange(b"{}").run(make())

    assert exchange.status == 500
    assert exchange.body == (
        b"The request could not be answered, by a defect of the server: KeyError. The server has "
        b"written more to its standard error.\n"
    )
    assert logged == ["A request could not be answered"]


# --- lost connections ---------------------------------------------------------------------------


def test_a_fault_ends_the_connection() -> None:
    application, ended = make(), []
    application.kms.faults.drop_connection("ListKeys")

    exchange = Exchange(b"{}", extensions={ABORT: lambda: ended.append(1)}).run(application)

    assert (exchange.sent, ended) == ([], [1])


def test_a_fault_leaves_the_response_incomplete_where_the_connection_cannot_be_ended() -> None:
    application = make()
    application.kms.faults.drop_connection("ListKeys")
    exchange = Exchange(b"{}")

    with pytest.raises(ConnectionAbortedError):
        exchange.run(application)
    assert exchange.sent == [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]}
    ]


def test_a_fault_lets_a_client_wait_until_it_goes() -> None:
    application = make()
    application.kms.faults.timeout("ListKeys")

    assert Exchange(b"{}").run(application).sent == []


# --- the life of a server -----------------------------------------------------------------------


def live(application: Any) -> list[dict[str, Any]]:
    exchange = Exchange(type="lifespan")
    exchange._messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    return exchange.run(application).sent


def test_the_mock_is_made_when_a_server_starts() -> None:
    assert live(make()) == [
        {"type": "lifespan.startup.complete"},
        {"type": "lifespan.shutdown.complete"},
    ]


def test_wrong_settings_prevent_that_a_server_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KMSMOCK_SERVER_REGION", "mars")

    (message,) = live(Application(Settings.of_environment))

    assert message["type"] == "lifespan.startup.failed"
    assert "KMSMOCK_SERVER_REGION: region must be a Region" in message["message"]


def test_the_application_of_the_module_has_the_options_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(app, "_kms", None)
    monkeypatch.setenv("KMSMOCK_SERVER_ACCOUNT_ID", "111122223333")

    assert app.kms.options["account_id"] == "111122223333"
    app._kms = None


def test_websockets_are_refused() -> None:
    assert Exchange(type="websocket").run(make()).sent == [{"type": "websocket.close"}]
