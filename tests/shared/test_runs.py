"""Runs of pytest with ``--kms-shared``, without workers and with workers of several kinds."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import kmsmock
from kmsmock.plugin.shared import Shared
from tests.inner_runs import run_pytest
from tests.serving import child

ALONE = ("-p", "no:xdist", "--kms-shared", "-q")
PACKAGE = Path(kmsmock.__file__).parent


def run(folder: Path, suite: str, *arguments: str) -> tuple[int, str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(textwrap.dedent(suite))
    return run_pytest(folder, *arguments)


# --- without workers ----------------------------------------------------------------------------


def test_each_test_has_an_account_of_its_own(tmp_path: Path) -> None:
    code, output = run(
        tmp_path,
        """
        import boto3, pytest

        accounts = set()

        @pytest.mark.parametrize("number", range(3))
        def test_it(kms, number):
            boto3.client("kms").create_key()
            accounts.add(kms.keys[0].account)
            assert (len(accounts), len(kms.keys)) == (number + 1, 1)
        """,
        *ALONE,
    )

    assert code == pytest.ExitCode.OK, output


def test_the_header_says_that_tests_share_a_world(tmp_path: Path) -> None:
    _, output = run(tmp_path, "def test_it(kms): pass", "-p", "no:xdist", "--kms-shared")

    assert "one world for all tests, each with an account" in output


def test_a_fixture_of_a_module_has_one_account_for_its_tests(tmp_path: Path) -> None:
    code, output = run(
        tmp_path,
        """
        def test_first(module_kms):
            module_kms.client().create_key()

        def test_second(module_kms):
            assert len(module_kms.keys) == 1
        """,
        *ALONE,
    )

    assert code == pytest.ExitCode.OK, output


def test_kms_refuses_to_roll_back_a_wider_fixture(tmp_path: Path) -> None:
    code, output = run(tmp_path, "def test_it(module_kms, kms): pass", *ALONE)

    assert code == pytest.ExitCode.TESTS_FAILED
    assert "kms would restore the fixture module_kms to its state from before the test" in output


MARKS = {
    "isolated": "isolated=True",
    "option": "seed=7",
    "limit": "max_requests=2",
    "check": "leak_check=True",
}


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
def test_a_test_with_options_has_a_mock_of_its_own(tmp_path: Path, mark: str) -> None:
    code, output = run(
        tmp_path,
        f"""
        import pytest

        @pytest.mark.kms({mark})
        def test_it(kms):
            kms.clock.advance(days=1)
            kms.reset()
            assert kms.options["account_id"] == "123456789012"
        """,
        *ALONE,
    )

    assert code == pytest.ExitCode.OK, output


def test_the_decorator_joins_the_share_of_its_test_or_starts_a_mock(tmp_path: Path) -> None:
    code, output = run(
        tmp_path,
        """
        import kmsmock

        def test_joined(kms):
            with kmsmock.mock_kms() as joined:
                assert joined is kms

        @kmsmock.mock_kms
        def test_own():
            assert kmsmock.current().options["account_id"] == "123456789012"
        """,
        *ALONE,
    )

    assert code == pytest.ExitCode.OK, output


def test_accounts_of_the_fixture_are_of_the_test_only(tmp_path: Path) -> None:
    code, output = run(
        tmp_path,
        """
        def test_it(kms, kms_accounts):
            source, target = kms_accounts
            assert source.id == kms.options["account_id"]
            target.client().create_key()
            assert [key.account for key in kms.keys] == [target.id] != ["444455556666"]
        """,
        *ALONE,
    )

    assert code == pytest.ExitCode.OK, output


def test_the_server_of_a_test_answers_in_its_account(tmp_path: Path) -> None:
    code, output = run(
        tmp_path,
        """
        def test_it(kms, kms_server):
            user = kms.account(kms.options["account_id"]).administrator
            kms_server.client(principal=user).create_key()
            assert len(kms.keys) == 1
        """,
        *ALONE,
    )

    assert code == pytest.ExitCode.OK, output


UNFIRED = {
    "by the test": "def test_it(kms): kms.faults.throttle('Sign')",
    "by an earlier test": "def test_it(module_kms): module_kms.faults.throttle('Sign')\n"
    "def test_next(module_kms): module_kms.client().list_keys()",
    "by a fixture": "import pytest\n@pytest.fixture(scope='module')\n"
    "def armed(module_kms): module_kms.faults.throttle('Sign')\n"
    "def test_it(armed): pass\ndef test_next(armed): pass",
}


@pytest.mark.parametrize("suite", UNFIRED.values(), ids=UNFIRED)
def test_faults_that_did_not_fire_fail_a_test(tmp_path: Path, suite: str) -> None:
    code, output = run(tmp_path, suite, *ALONE)

    assert code == pytest.ExitCode.TESTS_FAILED
    # The summary of a run, which CI=true does not shorten, has it again.
    listed = output.partition("short test summary info")[0]
    assert listed.count("ThrottlingException on Sign, fired 0 of 1 times") == 1, output


def test_the_faults_of_a_test_end_with_it(tmp_path: Path) -> None:
    code, output = run(
        tmp_path,
        """
        def test_first(module_kms):
            module_kms.faults.throttle("ListKeys", optional=True)

        def test_second(module_kms):
            module_kms.client().list_keys()
            assert module_kms.calls[-1].error_code is None
        """,
        *ALONE,
    )

    assert code == pytest.ExitCode.OK, output


def test_a_failed_test_shows_its_faults_and_not_that_others_did_not_fire(tmp_path: Path) -> None:
    code, output = run(
        tmp_path,
        """
        def test_it(kms):
            kms.faults.throttle("ListKeys")
            kms.faults.throttle("Sign")
            kms.client().list_keys()
            assert False
        """,
        *ALONE,
    )

    assert code == pytest.ExitCode.TESTS_FAILED
    assert output.count("kms.faults: ThrottlingException on ListKeys, fired 1 of 1 times") == 1
    assert "did not fire" not in output


REFUSED = {
    "seed": (("--kms-seed=7",), "leave the seed out"),
    "consistency": (("--kms-consistency=eventual",), "leave eventual consistency out"),
    "exploration": (("--kms-consistency=explore:3",), "leave eventual consistency out"),
    "moto": (("-o", "kms_with_moto=true"), "leave kms_with_moto out"),
    "leak check": (("-o", "kms_leak_check=true"), "leave kms_leak_check out"),
}


@pytest.mark.parametrize(("arguments", "advice"), REFUSED.values(), ids=REFUSED)
def test_what_a_shared_world_cannot_have_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], advice: str
) -> None:
    code, output = run(tmp_path, "def test_it(kms): pass", *ALONE, *arguments)

    assert code == pytest.ExitCode.USAGE_ERROR
    assert advice in output


def test_a_world_that_cannot_be_loaded_is_refused(tmp_path: Path) -> None:
    (tmp_path / "world.json").write_text('{"keys": [{"spec": "RSA_1"}]}')

    _, output = run(tmp_path, "def test_it(kms): pass", *ALONE, "-o", "kms_world=world.json")

    assert "kmsmock: --kms-shared: " in output
    assert "RSA_1" in output


def test_a_worker_with_another_version_is_refused() -> None:
    config: Any = SimpleNamespace(workerinput={"kmsmock_world": None, "kmsmock_version": "0.0"})
    node = SimpleNamespace(nodeid="test_it.py::test_it")

    with pytest.raises(pytest.UsageError, match=r"0\.0: install the same version on all hosts"):
        next(Shared(config).run_mock(node))


# --- with workers -------------------------------------------------------------------------------

#: The tests write what they have seen; the last one ends its worker, which is started again.
SUITE = f"""
    import boto3, os, pathlib, pytest, subprocess, sys

    FOLDER = pathlib.Path(__file__).parent

    @pytest.mark.parametrize("number", range(4))
    def test_own(kms, number):
        boto3.client("kms").create_key()
        kms.calls.assert_called("CreateKey", times=1)
        kms.account("444455556666").client().create_key()
        (FOLDER / f"account of {{number}}").write_text(kms.options["account_id"])

    def test_child(kms):
        command = [sys.executable, "-S", "-E", {str(Path(child.__file__))!r}]
        subprocess.run(command, check=True, timeout=60)
        kms.calls.assert_called({child.OPERATION!r}, times=1)

    def test_crash(kms):
        kms.client().list_keys()
        os._exit(3)
"""


def count_calls(report: Path) -> dict[str, int]:
    """Return test -> calls in a report."""
    tests = json.loads(report.read_text())["tests"]
    return {name.partition("::")[2]: test["calls"] for name, test in tests.items()}


def test_workers_share_a_world_also_when_one_of_them_crashes(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    popen = f"--tx=2*popen//python={sys.executable}"
    report = tmp_path / "report.json"

    code, output = run(
        tmp_path, SUITE, "--kms-shared", "--dist=load", popen, f"--kms-report=json:{report}"
    )

    assert code == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 5 passed" in output
    assert len({path.read_text() for path in tmp_path.glob("account of *")}) == 4
    own = {f"test_own[{number}]": 2 for number in range(4)}
    assert count_calls(report) == {**own, "test_child": 1, "test_crash": 1}


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[str]:
    """Return the arguments of ssh to a server on this host, which runs for the test."""
    pytest.importorskip("xdist")
    server = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if server is None or not all(map(shutil.which, ("ssh", "ssh-keygen"))):
        pytest.skip("OpenSSH's sshd is not installed")
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    for name in ("host", "client"):
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name]
        subprocess.run(make, check=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    (folder / "server.conf").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder / 'host'}\n"
        f"AuthorizedKeysFile {folder / 'client.pub'}\nStrictModes no\nUsePAM no\n"
        f"PasswordAuthentication no\nPidFile none\n"
    )
    (folder / "client.conf").write_text(
        f"Host worker\nHostName 127.0.0.1\nPort {port}\nIdentityFile {folder / 'client'}\n"
        f"IdentitiesOnly yes\nUserKnownHostsFile {folder / 'known'}\n"
        "StrictHostKeyChecking no\nLogLevel ERROR\nConnectionAttempts 10\n"
    )
    command = [server, "-D", "-e", "-f", folder / "server.conf"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        said = running.stderr.readline()
        if "listening" not in said:
            pytest.skip(f"sshd does not start: {said.strip()}")
        yield f"-F {folder / 'client.conf'} worker"
        running.terminate()


def test_workers_here_and_on_another_host_share_the_world(tmp_path: Path, ssh: str) -> None:
    suite = tmp_path / "suite"
    suite.mkdir()
    there = f"//python={sys.executable}//chdir={tmp_path / 'there'}"
    report = tmp_path / "report.json"

    code, output = run(
        suite,
        SUITE.partition("def test_crash")[0],
        *("--kms-shared", "--dist=each", "--max-worker-restart=0"),
        *(
            "--tx=popen",
            f"--tx=ssh={ssh}{there}",
            f"--rsyncdir={suite}",
            f"--rsyncdir={PACKAGE}",
            f"--kms-report=json:{report}",
        ),
        *("-W", "ignore::DeprecationWarning", str(suite / "test_it.py")),
    )

    assert code == pytest.ExitCode.OK, output
    own = {f"test_own[{number}]": 2 * 2 for number in range(4)}
    assert count_calls(report) == {**own, "test_child": 1 * 2}
    accounts = [path.read_text() for path in tmp_path.glob("**/account of *")]
    assert len(set(accounts)) == len(accounts) == 4 * 2
