"""Forked children: mocks of their parent are the parent's, and those that they start their own."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from kmsmock import KMSMock, KmsServer, mock_kms
from tests.serving import child
from tests.serving.test_children import COMMAND, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")


def fork(function: Callable[[], object]) -> None:
    """Call a function in a forked child; what it raises fails the test."""
    pid = os.fork()
    if pid == 0:
        try:
            function()
        except BaseException:  # noqa: BLE001 - the child must end here
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def refusal_of(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    text: str = caught.value.response["Error"]["Message"]
    return text


def test_calls_of_a_forked_child_are_those_of_the_parent_s_mock(kms: KMSMock) -> None:
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]

    def in_child() -> None:
        client = boto3.client("kms")
        ciphertext = client.encrypt(KeyId=key_id, Plaintext=b"secret")["CiphertextBlob"]
        assert client.decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"secret"
        client.create_alias(AliasName="alias/of-child", TargetKeyId=key_id)

    fork(in_child)
    assert [each.name for each in kms.aliases] == ["alias/of-child"]
    assert [call.operation for call in kms.calls][1:] == ["Encrypt", "Decrypt", "CreateAlias"]


def test_what_the_parent_does_later_reaches_the_child(kms: KMSMock) -> None:
    may_go_on, go_on = os.pipe()

    def in_child() -> None:
        os.read(may_go_on, 1)
        assert len(boto3.client("kms").list_keys()["Keys"]) == 1

    process: Any = multiprocessing.get_context("fork").Process(target=in_child)
    process.start()
    kms.client().create_key()
    os.write(go_on, b".")
    process.join(30)
    assert process.exitcode == 0


def test_clients_of_the_parent_and_of_principals_work_in_the_child(kms: KMSMock) -> None:
    client, role = kms.client(), kms.account("111122223333").role("App")
    of_role = role.client()

    def in_child() -> None:
        client.create_key()
        assert "is not authorized to perform: kms:ListKeys" in refusal_of(of_role.list_keys)

    fork(in_child)
    assert [call.account for call in kms.calls] == ["123456789012", "111122223333"]


def test_other_services_are_those_of_the_parent_too(kms: KMSMock) -> None:
    def in_child() -> None:
        boto3.client("iam").create_user(UserName="bob")
        assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"

    fork(in_child)
    users = kms.client("iam").list_users()["Users"]
    assert "bob" in [user["UserName"] for user in users]


def test_a_mock_that_a_child_starts_is_its_own(kms: KMSMock) -> None:
    def in_child() -> None:
        with mock_kms() as own:
            boto3.client("kms").create_key()
            assert len(own.keys) == 1
        boto3.client("kms").list_keys()

    fork(in_child)
    assert [call.operation for call in kms.calls] == ["ListKeys"]


def test_a_grandchild_reaches_the_same_mock(kms: KMSMock) -> None:
    fork(lambda: fork(lambda: boto3.client("kms").list_keys()))
    kms.calls.assert_called("ListKeys", times=1)


def test_a_program_that_a_forked_child_starts_reaches_the_same_mock(kms: KMSMock) -> None:
    fork(run)
    kms.calls.assert_called("GenerateRandom", times=1)


def test_an_own_endpoint_of_the_user_does_not_matter_to_forks(
    kms: KMSMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    fork(lambda: boto3.client("kms").list_keys())
    kms.calls.assert_called("ListKeys", times=1)


@pytest.mark.kms(processes="blocked")
def test_a_blocked_forked_child_is_told_why(kms: KMSMock) -> None:
    client = kms.client()

    def in_child() -> None:
        assert "test_a_blocked_forked_child_is_told_why" in refusal_of(client.list_keys)

    fork(in_child)
    assert list(kms.calls) == []


@pytest.mark.kms(processes="alone")
def test_a_forked_child_that_is_left_alone_has_a_copy(kms: KMSMock) -> None:
    client = kms.client()

    def in_child() -> None:
        client.create_key()
        assert len(kms.keys) == 1

    fork(in_child)
    assert len(kms.keys) == 0


def test_armed_faults_reach_a_forked_child(kms: KMSMock) -> None:
    kms.faults.fail("ListKeys", "KMSInternalException", times=1)
    fork(lambda: boto3.client("kms").list_keys())
    kms.calls.assert_called("ListKeys", times=2)


# --- threads -------------------------------------------------------------------------------------


def list_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "kmsmock" in thread.name]


def test_threads_of_servers_are_away_while_the_process_forks(
    kms: KMSMock, kms_server: KmsServer
) -> None:
    run()
    assert len(list_threads()) == 2
    seen: list[list[str]] = []
    is_watching = True
    # After the hooks of older modules; that it can never be removed does no harm.
    os.register_at_fork(after_in_parent=lambda: is_watching and seen.append(list_threads()))
    fork(lambda: None)
    is_watching = False
    assert seen == [[]]
    assert len(list_threads()) == 2
    run()
    assert kms_server.client().list_keys()["Keys"] == []
    kms.calls.assert_called("GenerateRandom", times=2)


FORKING = """
import multiprocessing, os, subprocess, sys, threading, warnings
warnings.simplefilter("error")
import boto3
from kmsmock import mock_kms


def in_child():
    boto3.client("kms").list_keys()


with mock_kms() as kms:
    subprocess.run([sys.executable, "-S", "-E", "-c", ""], check=True)
    assert threading.active_count() == 2
    for _ in range(2):
        process = multiprocessing.get_context("fork").Process(target=in_child)
        process.start()
        process.join(30)
        assert process.exitcode == 0
    command = [sys.executable, "-S", "-E", "-c", ""]
    subprocess.run(command, check=True, preexec_fn=in_child)
    assert threading.active_count() == 2
    kms.calls.assert_called("ListKeys", times=3)
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="this Python does not warn of threads")
def test_python_warns_of_no_thread_of_ours() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_fork_by_another_thread_does_not_need_the_main_thread(kms: KMSMock) -> None:
    thread = threading.Thread(target=fork, args=(lambda: boto3.client("kms").list_keys(),))
    thread.start()
    thread.join(30)
    kms.calls.assert_called("ListKeys", times=1)


def test_children_are_answered_while_the_function_that_forks_them_waits(kms: KMSMock) -> None:
    # Between fork and wait it runs next to no code of Python.
    os.spawnv(os.P_WAIT, sys.executable, COMMAND)
    kms.calls.assert_called(child.OPERATION, times=1)


@pytest.mark.usefixtures("kms_server")
def test_a_function_from_before_the_first_mock_forks_too(kms: KMSMock) -> None:
    run()
    original = os.fork.__wrapped__  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the thread, since Python 3.12
        pid = original()
    if pid == 0:
        try:
            boto3.client("kms").list_keys()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert len(list_threads()) == 2
    kms.calls.assert_called("ListKeys", times=1)


def test_a_function_that_runs_before_a_program_reaches_the_mock(kms: KMSMock) -> None:
    run()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the test's own threads
        subprocess.run(
            [sys.executable, "-S", "-E", "-c", ""],
            check=True,
            timeout=30,
            preexec_fn=lambda: boto3.client("kms").list_keys(),
        )
    kms.calls.assert_called("ListKeys", times=1)
