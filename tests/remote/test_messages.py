"""Messages that no connected process of this version sends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kmsmock.protocols.messages import HttpRequest, HttpResponse
from tests.remote.in_process import Direct

KMS = {"$kms": True}


@pytest.fixture
def session(direct: Direct) -> str:
    return ask(direct, {"open": "0.0.1"})[1]["session"]


def ask(direct: Direct, message: Any) -> tuple[int, Any]:
    headers = {"host": "localhost", "content-type": "application/json"}
    request = HttpRequest("POST", "/_kmsmock/v1/object", headers, json.dumps(message).encode())
    response = direct.application._call(request)
    assert isinstance(response, HttpResponse)
    return response.status, json.loads(response.body)


def test_a_message_can_be_without_keywords(direct: Direct, session: str) -> None:
    message = {"session": session, "target": KMS, "name": "__len__", "arguments": []}

    status, answer = ask(direct, {**message, "name": "checkpoint"})

    assert (status, answer["value"]["class"]) == (200, "kmsmock.state.checkpoints:Checkpoint")


@pytest.mark.parametrize(
    "message",
    [
        {"target": KMS},
        {"name": "keys"},
        {"target": KMS, "name": "keys", "release": 5},
        {"target": KMS, "name": "keys", "release": [5]},
    ],
    ids=str,
)
def test_an_incomplete_message_is_refused(direct: Direct, session: str, message: Any) -> None:
    status, answer = ask(direct, {**message, "session": session})

    assert (status, list(answer)) == (400, ["error"])


@pytest.mark.parametrize("message", [{}, {"session": "none"}, {"session": 5, "name": "keys"}])
def test_a_message_without_a_session_says_that_there_is_none(direct: Direct, message: Any) -> None:
    assert ask(direct, message) == (200, {"lost": True})


@pytest.mark.parametrize(
    "message",
    [
        *({"name": name} for name in ("_backend", "__class__", "__init__", "backend", 5, None)),
        *({"name": name, "arguments": []} for name in ("__setattr__", "__getattribute__", "@no")),
        {"name": "__call__", "arguments": []},
        {"name": "keys", "target": {"$object": 99}},
        {"name": "keys", "target": {"$object": []}},
        {"name": "keys", "target": {"$data": ["kmsmock.control:KMSMock", []]}},
        {"name": "keys", "target": {"$record": 5}},
        {"name": "upper", "target": "text", "arguments": []},
        {"name": "append", "target": [], "arguments": [1]},
        {"name": "account", "arguments": [{"$named": "Account", "members": 5}]},
        {"name": "account", "arguments": 5},
        {"name": "account", "arguments": [], "keywords": {"acount_id": "1"}},
        {"name": "@client_terms", "arguments": []},
        {"name": "@write_world", "arguments": [], "target": "text"},
    ],
    ids=lambda message: json.dumps(message)[:60],
)
def test_a_wrong_message_raises_an_error_there(
    direct: Direct, session: str, message: dict[str, Any]
) -> None:
    status, answer = ask(direct, {"target": KMS, **message, "session": session})

    assert status == 200
    assert answer["raised"]["$error"] in (
        *("AttributeError", "TypeError", "ValueError", "KeyError"),
    )
