"""The control plane: what docs/server.md says, and who may use it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.server.application import Application
from kmsmock.server.control_routes import ROUTES
from kmsmock.server.settings import Settings

DOCS = (Path(__file__).parents[2] / "docs" / "server.md").read_text()
EXAMPLES = re.findall(r"```http\n(\w+) (\S+)\n(.*?)\n?\n(\d+) (.*?)\n```", DOCS, re.DOTALL)
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/kms/aws4_request, SignedHeaders=host, "
)


@pytest.fixture
def application() -> Application:
    return Application(lambda: Settings({"region": "us-east-1"}))


def ask(
    application: Application,
    method: str,
    path: str,
    body: Any = None,
    **headers: str,
) -> tuple[int, Any]:
    content = b"" if body is None else json.dumps(body).encode()
    sent = {"host": "127.0.0.1:4599", **{n.replace("_", "-"): v for n, v in headers.items()}}
    if method == "POST":
        sent = {"content-type": "application/json", **sent}
    response = application._call(HttpRequest(method, f"/_kmsmock{path}", sent, content))
    assert isinstance(response, HttpResponse)
    return response.status, json.loads(response.body)


def call_kms(application: Application, operation: str, **parameters: Any) -> Any:
    headers = {
        "host": "127.0.0.1",
        "x-amz-target": f"TrentService.{operation}",
        "authorization": f"{SIGNED}Signature=0",
    }
    body = json.dumps(parameters).encode()
    return application._call(HttpRequest("POST", "/", headers, body))


def refused(message: str) -> dict[str, Any]:
    return {"error": {"message": message}}


# --- the documentation ------------------------------------------------------------------------


def require_members(expected: Any, found: Any, path: str = "") -> None:
    """Require the members of an example; ``…`` is any value."""
    if isinstance(expected, dict):
        for name, value in expected.items():
            require_members(value, found[name], f"{path}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for number, value in enumerate(expected):
            require_members(value, found[number], f"{path}[{number}]")
    elif expected == "…":
        assert found not in (None, ""), path
    else:
        assert found == expected, path


def test_the_examples_of_the_documentation_are_true(application: Application) -> None:
    for method, path, body, status, content in EXAMPLES:
        sent = json.loads(body) if body else None
        answered, found = ask(application, method, path.removeprefix("/_kmsmock"), sent)
        assert answered == int(status), (path, found)
        require_members(json.loads(content), found, path)


def test_each_route_has_an_example() -> None:
    documented = {(method, path.partition("?")[0]) for method, path, *_ in EXAMPLES}

    assert documented == {(route.method, f"/_kmsmock{route.path}") for route in ROUTES}


# --- what the routes do -----------------------------------------------------------------------


def test_a_restored_checkpoint_has_the_keys_from_before(application: Application) -> None:
    call_kms(application, "CreateKey")
    ask(application, "POST", "/v1/checkpoint")
    call_kms(application, "CreateKey")

    ask(application, "POST", "/v1/restore")

    assert len(application.kms.keys) == 1


def test_a_checkpoint_of_the_same_name_replaces_the_other(application: Application) -> None:
    ask(application, "POST", "/v1/checkpoint")
    call_kms(application, "CreateKey")
    ask(application, "POST", "/v1/checkpoint")
    ask(application, "POST", "/v1/restore")

    assert len(application.kms.keys) == 1


def test_there_are_no_more_than_100_checkpoints(application: Application) -> None:
    for number in range(100):
        assert ask(application, "POST", "/v1/checkpoint", {"name": str(number)})[0] == 200

    assert ask(application, "POST", "/v1/checkpoint", {"name": "more"}) == (
        400,
        refused("there are 100 checkpoints already: use one of their names"),
    )


def test_an_export_with_material_decrypts_elsewhere(application: Application) -> None:
    key_id = json.loads(call_kms(application, "CreateKey").body)["KeyMetadata"]["KeyId"]
    encrypted = call_kms(application, "Encrypt", KeyId=key_id, Plaintext="c2VjcmV0")
    blob = json.loads(encrypted.body)["CiphertextBlob"]
    _, world = ask(application, "GET", "/v1/world?material=true")
    other = Application(lambda: Settings({"region": "us-east-1"}))

    assert ask(other, "POST", "/v1/world", world)[0] == 200
    assert b"c2VjcmV0" in call_kms(other, "Decrypt", CiphertextBlob=blob).body


def test_an_export_has_no_material_unless_asked_for(application: Application) -> None:
    call_kms(application, "CreateKey")
    _, with_material = ask(application, "GET", "/v1/world?material=true")
    _, without = ask(application, "GET", "/v1/world")

    assert '"secret"' in json.dumps(with_material)
    assert '"secret"' not in json.dumps(without)


def test_the_clock_moves_by_seconds(application: Application) -> None:
    before = application.kms.clock.now()
    ask(application, "POST", "/v1/clock", {"advance_seconds": 3600})

    assert 3600 <= (application.kms.clock.now() - before).total_seconds() < 3660


def test_an_armed_fault_is_met_by_calls(application: Application) -> None:
    ask(application, "POST", "/v1/faults", {"fault": "throttle", "operation": "ListKeys"})

    assert b"ThrottlingException" in call_kms(application, "ListKeys").body
    assert ask(application, "GET", "/v1/faults") == (200, {"faults": []})


def test_a_corrupt_response_has_the_text_as_its_body(application: Application) -> None:
    ask(application, "POST", "/v1/faults", {"fault": "corrupt_response", "body": "ä"})

    assert call_kms(application, "ListKeys").body == "ä".encode()


def test_calls_say_who_has_called_what_and_why_it_failed(application: Application) -> None:
    call_kms(application, "DescribeKey", KeyId="alias/orders")
    call_kms(application, "ListKeys")

    _, found = ask(application, "GET", "/v1/calls?error_code=NotFoundException")

    assert found["made"] == 1
    assert found["calls"][0]["operation"] == "DescribeKey"
    assert found["calls"][0]["error_message"].startswith("Alias arn:aws:kms:us-east-1:")
    assert found["calls"][0]["caller"] == application.kms.calls[0].caller


def test_the_limit_keeps_the_newest_calls(application: Application) -> None:
    for operation in ("ListKeys", "ListAliases"):
        call_kms(application, operation)

    _, found = ask(application, "GET", "/v1/calls?limit=1")

    assert [call["operation"] for call in found["calls"]] == ["ListAliases"]


def test_the_trail_has_the_records_of_calls(application: Application) -> None:
    call_kms(application, "CreateKey")

    _, found = ask(application, "GET", "/v1/trail")

    assert [record["eventName"] for record in found["Records"]] == ["CreateKey"]


def test_costs_are_those_of_the_calls(application: Application) -> None:
    call_kms(application, "CreateKey")

    _, found = ask(application, "GET", "/v1/costs")

    assert found["requests"] == 1
    assert found["by_operation"]["CreateKey"]["requests"] == 1


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("GET", "/v1/clok", None, 404, "There is no /_kmsmock/v1/clok; did you mean"),
        ("GET", "/v2/clock", None, 404, "There is no /_kmsmock/v2/clock"),
        ("PUT", "/v1/clock", None, 405, "/_kmsmock/v1/clock has GET, POST only."),
        ("POST", "/v1/clock", {"advance": 1}, 400, "/_kmsmock/v1/clock takes no 'advance'"),
        ("POST", "/v1/clock", {}, 400, "one of advance_seconds and move_to is required"),
        ("POST", "/v1/clock", {"move_to": "x"}, 400, "Invalid isoformat string: 'x'"),
        ("POST", "/v1/clock", {"advance_seconds": "1"}, 400, ""),
        ("POST", "/v1/clock", {"move_to": "2001-01-01T00:00:00Z"}, 400, "the clock of a mock"),
        ("POST", "/v1/world", {"kesy": []}, 400, ""),
        ("POST", "/v1/restore", {"name": 1}, 400, "name must be a text, not 1"),
        ("POST", "/v1/restore", {}, 400, "there is no checkpoint 'default'"),
        ("POST", "/v1/faults", {"fault": "thottle"}, 400, "there is no fault 'thottle'"),
        ("POST", "/v1/faults", {"fault": "throttle", "key": "alias/no"}, 200, ""),
        ("POST", "/v1/faults", {"fault": "throttle", "optional": True}, 400, "a fault of a server"),
        ("POST", "/v1/faults", {"fault": "fail", "operation": "Decrypt"}, 400, ""),
        ("GET", "/v1/calls?limit=0", None, 400, "limit must be a number above 0, not '0'"),
        ("GET", "/v1/calls?operation=Decrpyt", None, 400, ""),
        ("GET", "/v1/world?material=1", None, 400, "material must be true or false, not '1'"),
        ("POST", "/v1/explain", {"action": "kms:Decrypt"}, 400, "principal must be a text"),
        ("POST", "/v1/explain", {"principal": "a", "action": "b"}, 400, ""),
        ("POST", "/v1/reset", [], 400, "The body must be a JSON object."),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(
    application: Application, method: str, path: str, body: Any, status: int, message: str
) -> None:
    answered, found = ask(application, method, path, body)

    assert answered == status
    if status != 200:
        assert found["error"]["message"].startswith(message)


def test_a_body_that_is_no_json_is_refused(application: Application) -> None:
    headers = {"host": "localhost", "content-type": "application/json"}

    response = application._call(HttpRequest("POST", "/_kmsmock/v1/reset", headers, b"{"))

    assert isinstance(response, HttpResponse)
    assert json.loads(response.body) == refused("The body is not JSON.")


def test_a_defect_does_not_show_its_details(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(application.kms, "reset", fail)

    assert ask(application, "POST", "/v1/reset") == (
        500,
        refused("This is a defect of the server: ZeroDivisionError."),
    )


# --- browsers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4599", "localhost", "LOCALHOST:80", "[::1]:4599", "127.8.8.8", "kms.localhost:1"],
)
def test_the_names_of_the_loopback_address_are_its_own(application: Application, host: str) -> None:
    assert ask(application, "GET", "/health", host=host)[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "10.0.0.1:1"])
def test_other_names_are_refused_as_they_may_be_rebound(
    application: Application, host: str
) -> None:
    status, found = ask(application, "GET", "/health", host=host)

    assert status == 403
    assert "DNS rebinding" in found["error"]["message"]


def test_other_names_are_its_own_if_others_may_reach_it() -> None:
    application = Application(lambda: Settings(allow_remote=True))

    assert ask(application, "GET", "/health", host="kmsmock.internal")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:4600"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
    ids=lambda headers: ": ".join(*headers.items()),
)
def test_pages_of_other_sites_are_refused(
    application: Application, headers: dict[str, str]
) -> None:
    call_kms(application, "CreateKey")

    assert ask(application, "POST", "/v1/reset", **headers)[0] == 403
    assert len(application.kms.keys) == 1


@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://127.0.0.1:4599"}, {"sec_fetch_site": "same-origin"}],
    ids=lambda headers: ": ".join(*headers.items()),
)
def test_its_own_pages_are_answered(application: Application, headers: dict[str, str]) -> None:
    assert ask(application, "POST", "/v1/reset", **headers)[0] == 200


def test_a_form_of_another_site_is_refused_by_its_content_type(application: Application) -> None:
    status, found = ask(application, "POST", "/v1/reset", content_type="text/plain")

    assert status == 415
    assert "application/json" in found["error"]["message"]


def test_a_program_finds_why_its_call_was_denied(application: Application) -> None:
    policy = {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}
    created = call_kms(
        application,
        "CreateKey",
        Policy=json.dumps(policy),
        BypassPolicyLockoutSafetyCheck=True,
    )
    key_id = json.loads(created.body)["KeyMetadata"]["KeyId"]
    response = call_kms(application, "DescribeKey", KeyId=key_id)
    call_kms(application, "DisableKey", KeyId=key_id)
    request_id = response.headers["x-amzn-requestid"]

    _, found = ask(application, "GET", f"/v1/calls?request_id={request_id}")

    (call,) = found["calls"]
    assert (call["operation"], call["error_code"]) == ("DescribeKey", "AccessDeniedException")
    assert "statement 1 of the key policy denies kms:DescribeKey" in call["explanation"]
