"""``kmsmock serve``: where it is, who reaches it, and how it ends."""

from __future__ import annotations

import importlib.util
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from kmsmock import cli
from kmsmock.aws.services import ANSWERED
from kmsmock.server.running import (
    CannotServeError,
    _ending_on_signals,
    _print,
    bind,
    describe,
)
from tests.output import Printed, capture
from tests.server.processes import EXTRA, Served, serving

needs_extra = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, EXTRA)), reason="the extra server is not installed"
)


def serve(*arguments: str) -> Printed:
    return capture(cli.main, ["serve", *arguments])


# --- clients --------------------------------------------------------------------------------


def test_a_client_with_its_url_is_answered(server: Served) -> None:
    client = server.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    blob = client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]

    assert client.decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("sts", "get_caller_identity"),
        ("iam", "list_roles"),
        ("ec2", "describe_volumes"),
        ("rds", "describe_db_instances"),
        ("cloudtrail", "describe_trails"),
    ],
)
def test_the_other_services_are_answered_at_the_same_url(
    server: Served, service: str, operation: str
) -> None:
    answer = getattr(server.client(service), operation)()

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_the_printed_variables_are_all_that_clients_need(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.variables.items():
        monkeypatch.setenv(name, value)

    key = boto3.session.Session().client("kms").create_key()["KeyMetadata"]

    assert server.client().describe_key(KeyId=key["KeyId"])["KeyMetadata"] == key
    assert server.line.count("\n") == 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_a_program_without_an_sdk_is_answered(server: Served) -> None:
    command = ["curl", "--silent", "--aws-sigv4", "aws:amz:us-east-1:kms", "--user", "a:b"]
    headers = ["X-Amz-Target: TrentService.ListKeys", "Content-Type: application/x-amz-json-1.1"]

    ran = subprocess.run(
        [*command, *(part for each in headers for part in ("-H", each)), "-d", "{}", server.url],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode == 2:
        pytest.skip("this curl cannot sign requests")
    assert '"Keys":' in ran.stdout


def test_the_documentation_has_an_endpoint_for_terraform_of_each_service() -> None:
    text = (Path(__file__).parents[2] / "docs" / "server.md").read_text(encoding="utf-8")

    assert set(re.findall(r'(\w+) += "http://127.0.0.1:4599"', text)) == set(ANSWERED)


def test_the_signatures_of_its_own_access_keys_are_checked(server: Served) -> None:
    iam = server.client("iam")
    iam.create_user(UserName="signer")
    key = iam.create_access_key(UserName="signer")["AccessKey"]

    good = server.client("sts", key["AccessKeyId"], key["SecretAccessKey"])
    assert good.get_caller_identity()["Arn"].endswith(":user/signer")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        server.client("sts", key["AccessKeyId"], "another").get_caller_identity()


# --- ending -----------------------------------------------------------------------------------


@needs_extra
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_a_signal_ends_it_after_the_request_that_has_begun(number: int) -> None:
    scope = "test/20260101/us-east-1/kms/aws4_request"
    request = (
        "POST / HTTP/1.1\r\nhost: a\r\nx-amz-target: TrentService.ListKeys\r\n"
        f"authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n"
        "content-length: 2\r\nexpect: 100-continue\r\n\r\n"
    )
    with serving() as served, socket.create_connection(("127.0.0.1", served.port), 20) as client:
        client.sendall(request.encode())
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        served.process.send_signal(number)
        time.sleep(0.3)  # until it has noticed
        client.sendall(b"{}")

        assert client.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
        assert served.end(0) == (0, "")


@needs_extra
def test_an_open_connection_does_not_keep_it() -> None:
    with serving() as served, socket.create_connection(("127.0.0.1", served.port)):
        assert served.end() == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_a_signal_while_it_starts_ends_it(number: int) -> None:
    before = signal.getsignal(number)

    with pytest.raises(SystemExit) as caught, _ending_on_signals():
        signal.raise_signal(number)

    assert caught.value.code == 0
    assert signal.getsignal(number) is before


def test_it_needs_no_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)

    _print("ready")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no /dev/full")
def test_it_needs_nobody_who_reads_its_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        _print("ready")
        # The end of the block writes what is left.


# --- refusals ---------------------------------------------------------------------------------


@needs_extra
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_host_that_others_can_reach_is_refused_with_the_reason(host: str) -> None:
    assert serve("--host", host) == (
        2,
        "",
        f"kmsmock serve: {host} can be reached from other machines: whoever reaches the server may "
        "use, read and replace all of its keys, since requests need no valid credentials. Use "
        "127.0.0.1, or add --allow-remote if that is intended, as inside of a container.\n",
    )


@needs_extra
def test_a_host_that_others_can_reach_can_be_allowed() -> None:
    with serving("--host", "0.0.0.0", "--allow-remote") as served:
        assert served.url == f"http://localhost:{served.port}"
        assert served.client().list_keys()["Keys"] == []


@needs_extra
def test_a_port_that_is_in_use_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serve("--port", str(port)) == (
            1,
            "",
            f"kmsmock serve: the port {port} of 127.0.0.1 is in use: choose another with --port, "
            "or --port 0 for one that is free\n",
        )


@needs_extra
@pytest.mark.parametrize("host", ["unix:/tmp/kmsmock.sock", "http://127.0.0.1:4599"])
def test_a_path_or_url_is_no_host(host: str) -> None:
    assert serve("--host", host) == (
        2,
        "",
        f"kmsmock serve: {host!r} is no host: the server listens at a TCP port, such as 127.0.0.1 "
        "with --port 4599, and at no path or URL\n",
    )


def test_an_address_of_ipv6_is_in_brackets_in_the_url() -> None:
    try:
        listener = bind("::1", 0)
    except CannotServeError:
        pytest.skip("this machine has no IPv6")
    with listener:
        port = listener.getsockname()[1]
        assert describe(listener, "us-east-1").startswith(
            f"kmsmock is ready at http://[::1]:{port} "
        )


@needs_extra
def test_a_host_without_an_address_is_an_error() -> None:
    code, output, errors = serve("--host", "no.such.host.invalid")

    assert (code, output) == (2, "")
    assert errors.startswith("kmsmock serve: the host 'no.such.host.invalid' has no address: ")


@pytest.mark.parametrize("port", ["70000", "-1", "http"])
def test_a_port_that_cannot_be_is_an_error(port: str) -> None:
    def run() -> None:
        with pytest.raises(SystemExit):
            cli.main(["serve", f"--port={port}"])

    assert f"argument --port: must be a number up to 65535, not '{port}'" in capture(run).errors


@pytest.mark.parametrize("missing", [("uvicorn",), ("httptools",), EXTRA], ids="+".join)
def test_without_the_extra_the_command_says_how_to_get_it(
    missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(name: str) -> Any:
        return None if name in missing else "there"

    monkeypatch.setattr("kmsmock.server.running.find_spec", find)

    assert serve() == (
        1,
        "",
        f"kmsmock serve: the server needs {' and '.join(missing)}: install the extra with "
        "pip install 'kmsmock[server]'\n",
    )


# --- options ----------------------------------------------------------------------------------


@needs_extra
def test_options_are_those_of_mocks(tmp_path: Path) -> None:
    world = tmp_path / "world.json"
    world.write_text('{"keys": [{"description": "of the world"}]}')
    arguments = ("--world", str(world), "--account-id", "111122223333", "--seed", "s")
    with serving(*arguments, environment={"KMSMOCK_SERVER_REGION": "eu-west-1"}) as served:
        assert served.variables["AWS_REGION"] == "eu-west-1"
        client = boto3.client(
            *("kms", "eu-west-1"),
            endpoint_url=served.url,
            aws_access_key_id="a",
            aws_secret_access_key="b",
        )
        (key,) = client.list_keys()["Keys"]
        assert key["KeyArn"].startswith("arn:aws:kms:eu-west-1:111122223333:key/")


@needs_extra
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--region", "mars"), "--region: region must be a Region such as eu-west-1, not 'mars'"),
        (("--account-id", "1"), "--account-id: account_id must be a string of 12 digits, not '1'"),
        (("--calls-kept", "0"), "--calls-kept: calls_kept must be a positive integer, not '0'"),
        (("--start-time", "now"), "--start-time: start_time must be an ISO 8601 time"),
        (("--world", "/missing.json"), "[Errno 2] No such file or directory: the world of a mock"),
    ],
    ids=lambda value: value[0].strip("-") if isinstance(value, tuple) else "",
)
def test_an_invalid_value_is_an_error(arguments: tuple[str, ...], reason: str) -> None:
    code, output, errors = serve(*arguments)

    assert (code, output) == (2, "")
    assert errors.startswith(f"kmsmock serve: {reason}")
    assert errors.count("\n") == 1
