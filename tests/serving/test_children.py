"""Processes that a test starts reach its mock, by what they inherit or copy of its environment."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from kmsmock import KMSMock, mock_kms
from kmsmock.process import environment
from kmsmock.protocols.messages import HttpResponse
from kmsmock.serving.children import _Children
from kmsmock.serving.loopback import LoopbackServer
from tests.serving import child

PROGRAM = str(Path(child.__file__))
COMMAND = [sys.executable, "-S", "-E", PROGRAM]
ENDPOINT = "AWS_ENDPOINT_URL_KMS"
#: What multiprocessing runs in its child; the module can be imported by name there.
CODE = f"import runpy; runpy.run_path({PROGRAM!r})['call']()"
on_posix = pytest.mark.skipif(os.name != "posix", reason="this is a function of POSIX")


def run(env: dict[str, str] | None = None, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Start the child; return status and body of what it gets."""
    ran = subprocess.run(
        [*COMMAND, *arguments], env=env, capture_output=True, text=True, check=True, timeout=60
    )
    status, _, body = ran.stdout.partition(" ")
    return int(status), json.loads(body)


def through_multiprocessing(method: str) -> Callable[[], object]:
    def start() -> None:
        process: Any = multiprocessing.get_context(method).Process(target=exec, args=(CODE,))
        process.start()
        process.join(60)
        assert process.exitcode == 0

    return start


WAYS: dict[str, Callable[[], object]] = {
    "inherited": run,
    "copied with **": lambda: run({**os.environ}),
    "copied with copy()": lambda: run(os.environ.copy()),
    "copied with items()": lambda: run(dict(os.environ.items())),
    "copied with an expression": lambda: run({name: os.environ[name] for name in os.environ}),
    "shell": lambda: subprocess.run(" ".join(COMMAND), shell=True, check=True),
    "os.system": lambda: os.system(" ".join(COMMAND)),
    "os.popen": lambda: os.popen(" ".join(COMMAND)).close(),
}
POSIX_WAYS: dict[str, Callable[[], object]] = {
    "os.posix_spawn": lambda: os.waitpid(os.posix_spawn(sys.executable, COMMAND, os.environ), 0),
    "os.spawnv": lambda: os.spawnv(os.P_WAIT, sys.executable, COMMAND),
    "os.spawnve": lambda: os.spawnve(os.P_WAIT, sys.executable, COMMAND, {**os.environ}),
}
METHODS = [
    method
    for method in ("spawn", "forkserver")
    if method in multiprocessing.get_all_start_methods()
]


@pytest.mark.parametrize("start", WAYS.values(), ids=WAYS)
def test_a_child_reaches_the_mock_of_the_test(kms: KMSMock, start: Callable[[], object]) -> None:
    start()
    kms.calls.assert_called(child.OPERATION, times=1)


@on_posix
@pytest.mark.parametrize("start", POSIX_WAYS.values(), ids=POSIX_WAYS)
def test_a_child_of_a_function_of_posix_reaches_the_mock(
    kms: KMSMock, start: Callable[[], object]
) -> None:
    start()
    kms.calls.assert_called(child.OPERATION, times=1)


@pytest.mark.parametrize("method", METHODS)
def test_a_child_of_multiprocessing_reaches_the_mock(kms: KMSMock, method: str) -> None:
    through_multiprocessing(method)()
    kms.calls.assert_called(child.OPERATION, times=1)


@pytest.mark.skipif("forkserver" not in METHODS, reason="there is no start method forkserver")
def test_children_of_a_fork_server_of_an_earlier_test_reach_the_mock(kms: KMSMock) -> None:
    with mock_kms(isolated=True):
        through_multiprocessing("forkserver")()
    through_multiprocessing("forkserver")()
    kms.calls.assert_called(child.OPERATION, times=1)


def test_a_child_works_with_the_keys_of_the_test(kms: KMSMock) -> None:
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
    status, body = run(None, "DescribeKey", json.dumps({"KeyId": key_id}))
    assert (status, body["KeyMetadata"]["KeyId"]) == (200, key_id)


def test_calls_of_a_child_are_those_of_the_test(kms: KMSMock) -> None:
    run()
    assert (kms.calls[-1].test_id or "").endswith("::test_calls_of_a_child_are_those_of_the_test")


@pytest.mark.kms(region="eu-central-1")
def test_the_region_travels(kms: KMSMock) -> None:
    run()
    assert kms.calls[-1].region == "eu-central-1"


def test_the_region_of_a_test_s_environment_travels(
    kms: KMSMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    run()
    assert kms.calls[-1].region == "eu-west-3"


def test_the_default_identity_travels(kms: KMSMock) -> None:
    role = kms.account("111122223333").role("App")
    with role:
        status, body = run()
    assert (status, body["__type"]) == (400, "AccessDeniedException")
    assert kms.calls[-1].account == "111122223333"


# --- the process itself --------------------------------------------------------------------------


def test_clients_of_the_test_keep_their_endpoints(kms: KMSMock) -> None:
    expected = boto3.client("kms").meta.endpoint_url
    run({**os.environ})
    assert os.environ[ENDPOINT].startswith("http://127.0.0.1:")
    assert boto3.client("kms").meta.endpoint_url == expected
    assert boto3.client("sts").meta.endpoint_url.startswith("https://sts.")
    boto3.client("kms").list_keys()
    kms.calls.assert_called("ListKeys", times=1)


@pytest.mark.parametrize("variable", [ENDPOINT, "AWS_ENDPOINT_URL"])
def test_an_endpoint_that_the_user_has_configured_stays(
    kms: KMSMock, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1/own")
    run_env = os.environ.copy()
    assert run_env[variable] == "http://127.0.0.1:1/own"
    if variable != ENDPOINT:
        assert ENDPOINT not in run_env
    assert boto3.client("kms").meta.endpoint_url == "http://127.0.0.1:1/own"
    assert kms.is_active


UNUSED = """
import os, sys, threading
import boto3
from kmsmock import mock_kms
with mock_kms() as kms:
    boto3.client("kms").create_key()
    kms.client("sts").get_caller_identity()
    names = [name for name in os.environ._data if b"ENDPOINT" in name]
assert names == [], names
assert threading.active_count() == 1
assert "kmsmock.serving.loopback" not in sys.modules
"""


def test_without_children_nothing_is_opened() -> None:
    subprocess.run([sys.executable, "-c", UNUSED], check=True, timeout=60)


def test_a_copy_of_the_environment_starts_no_thread(kms: KMSMock) -> None:
    names = {thread.name for thread in threading.enumerate()}
    assert ENDPOINT in os.environ.copy()
    assert {thread.name for thread in threading.enumerate()} == names
    assert kms.is_active


def test_the_variables_end_with_the_mock() -> None:
    before = dict(os.environ)
    with mock_kms(isolated=True):
        assert ENDPOINT in {**os.environ}
    assert dict(os.environ) == before


def test_a_copy_that_is_restored_after_the_mock_gives_clients_no_endpoint() -> None:
    with patch.dict(os.environ):
        with mock_kms():
            change = patch.dict(os.environ, {"COLOUR": "blue"})
            change.start()
        change.stop()
        assert ENDPOINT in os.environ
        client = boto3.client("kms", region_name="us-east-1")
        assert client.meta.endpoint_url == "https://kms.us-east-1.amazonaws.com"


def test_the_variables_are_not_there_while_the_mock_is_paused(kms: KMSMock) -> None:
    assert ENDPOINT in {**os.environ}
    with kms.pause():
        assert ENDPOINT not in {**os.environ}


def test_a_cleared_environment_has_the_variables_of_the_test_only(kms: KMSMock) -> None:
    with patch.dict(os.environ, {"OWN": "1"}, clear=True):
        assert {**os.environ} == {"OWN": "1"}
    assert kms.is_active


def test_a_child_reaches_the_mock_with_a_cleared_environment(kms: KMSMock) -> None:
    own = {"SYSTEMROOT": os.environ.get("SYSTEMROOT", "")}
    before = dict(os.environ)
    with patch.dict(os.environ, own, clear=True):
        run()
        assert {**os.environ} == own
    kms.calls.assert_called(child.OPERATION, times=1)
    assert before.items() <= os.environ.items()


def test_a_cleared_environment_is_restored_as_it_was() -> None:
    before = dict(os.environ)
    with mock_kms(isolated=True), patch.dict(os.environ, clear=True):
        run()
    assert dict(os.environ) == before


def test_proxies_are_not_asked_for_the_mock(kms: KMSMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "example.com")
    env = {**os.environ}
    assert env["no_proxy"] == "example.com,127.0.0.1"
    assert "127.0.0.1" in env["NO_PROXY"]
    assert kms.is_active


def test_a_plugin_that_blocks_sockets_of_the_test_does_not_block_ours(
    kms: KMSMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Blocked(socket.socket):
        def __init__(self, *_: object, **__: object) -> None:
            raise AssertionError("sockets are blocked")

    monkeypatch.setattr(socket, "socket", Blocked)
    server = LoopbackServer(lambda _: HttpResponse(200, {}, b""))
    server.start()
    server.stop()
    run()
    kms.calls.assert_called(child.OPERATION, times=1)


def test_a_failure_to_open_a_port_is_a_warning(
    kms: KMSMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError("no ports here")

    children = _Children()
    monkeypatch.setattr(LoopbackServer, "__init__", fail)
    with pytest.warns(UserWarning, match="PermissionError: no ports here"):
        children.prepare(is_starting=True)()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        children.prepare(is_starting=True)()  # it is said once
    assert kms.is_active


# --- which mock ----------------------------------------------------------------------------------


def test_the_innermost_mock_answers(kms: KMSMock) -> None:
    with mock_kms(isolated=True) as inner:
        run()
        inner.calls.assert_called(child.OPERATION, times=1)
    run()
    kms.calls.assert_called(child.OPERATION, times=1)


def test_a_child_that_outlives_its_mock_is_refused() -> None:
    with mock_kms(isolated=True):
        env = {**os.environ}
        run(env)
    status, body = run(env)
    assert (status, body) == (
        400,
        {
            "__type": "AccessDeniedException",
            "message": "No mock answers this process: the test that has started it has ended, or "
            "has ended its mock.",
        },
    )


@pytest.mark.kms(processes="blocked")
def test_a_blocked_child_is_told_why(kms: KMSMock) -> None:
    status, body = run()
    test = "tests/serving/test_children.py::test_a_blocked_child_is_told_why"
    assert (status, body) == (
        400,
        {
            "__type": "AccessDeniedException",
            "Message": f"Processes that {test} has started are refused: its mock has "
            'processes="blocked".',
        },
    )
    assert list(kms.calls) == []


@pytest.mark.kms(processes="alone")
def test_a_child_is_left_alone(kms: KMSMock) -> None:
    assert ENDPOINT not in {**os.environ}
    code = f"import os; assert {ENDPOINT!r} not in os.environ"
    subprocess.run([sys.executable, "-S", "-c", code], check=True)
    assert kms.is_active


def test_without_a_mock_children_are_left_alone() -> None:
    assert ENDPOINT not in {**os.environ}
    code = f"import os; assert {ENDPOINT!r} not in os.environ"
    subprocess.run([sys.executable, "-S", "-c", code], check=True)


OF_CHILD = """
import os
import boto3
from kmsmock import mock_kms
inherited = os.environ["AWS_ENDPOINT_URL_KMS"]
with mock_kms() as kms:
    boto3.client("kms").create_key()
    assert len(kms.keys) == 1
    assert boto3.client("kms").meta.endpoint_url.endswith(".amazonaws.com")
    assert {**os.environ}["AWS_ENDPOINT_URL_KMS"] != inherited
assert os.environ["AWS_ENDPOINT_URL_KMS"] == inherited
boto3.client("kms").list_keys()
"""


def test_a_mock_of_the_child_is_its_own(kms: KMSMock) -> None:
    subprocess.run([sys.executable, "-c", OF_CHILD], check=True, timeout=60)
    assert [call.operation for call in kms.calls] == ["ListKeys"]


# --- the profile of the machine -------------------------------------------------------------------


PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A variable that has named a profile since before the tests."""
    name: str = request.param
    monkeypatch.setattr(environment, "_machine_profiles", {name: "work"})
    for each in PROFILES:
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, "work")
    return name


def list_names(env: dict[str, str] | None = None) -> list[str]:
    """Return the variables that a child has."""
    code = "import os; print(*os.environ)"
    command = [sys.executable, "-S", "-E", "-c", code]
    return subprocess.run(
        command, env=env, check=True, capture_output=True, text=True
    ).stdout.split()


@pytest.mark.parametrize(
    "copy", [lambda: None, lambda: {**os.environ}], ids=["inherited", "copied"]
)
@pytest.mark.usefixtures("kms")
def test_a_child_does_not_need_the_profile_of_the_machine(
    profile: str, copy: Callable[[], dict[str, str] | None]
) -> None:
    names = list_names(copy())

    assert profile not in names
    assert "AWS_ACCESS_KEY_ID" in names
    assert os.environ[profile] == "work"


@pytest.mark.usefixtures("kms")
def test_a_copy_of_the_environment_has_the_profile(profile: str) -> None:
    assert {**os.environ}[profile] == "work"


@pytest.mark.parametrize(
    "copy", [lambda: None, lambda: {**os.environ}], ids=["inherited", "copied"]
)
@pytest.mark.usefixtures("kms")
def test_a_child_has_the_profile_that_a_test_sets(
    profile: str, copy: Callable[[], dict[str, str] | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(profile, "of the test")

    assert profile in list_names(copy())


def test_a_child_without_a_mock_has_the_profile_of_the_machine(profile: str) -> None:
    assert profile in list_names()


def test_a_forked_child_has_the_profile_of_the_machine(kms: KMSMock, profile: str) -> None:
    def in_child() -> None:
        assert os.environ[profile] == "work"
        boto3.client("kms").list_keys()

    process: Any = multiprocessing.get_context("fork").Process(target=in_child)
    process.start()
    process.join(60)
    assert process.exitcode == 0
    kms.calls.assert_called("ListKeys", times=1)
