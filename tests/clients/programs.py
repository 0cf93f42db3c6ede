"""Clients of AWS in other processes: programs that make the calls of a test.

They are in the environment that ``.ci/clients`` prepares, which notes those that it has. Tests of
others are skipped, and so are all of them elsewhere.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

HERE = Path(__file__).parent
#: Where `.ci/clients` installs what PyPI does not have.
INSTALLED = Path(sys.prefix)
#: Nothing that is configured on this machine.
UNCONFIGURED = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_PAGER": "",
    "LC_ALL": "C.UTF-8",
    "NODE_NO_WARNINGS": "1",
}
_PATIENCE = 120


class Refused(Exception):  # noqa: N818 - what a client shows of an error of AWS
    """An error of AWS, as a client shows it.

    types: the names of the client's own exceptions that it is.
    """

    def __init__(self, code: str, message: str | None, types: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.types = types


class Program(Protocol):
    """A client. credentials: as STS returns them. `call` raises Refused."""

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        credentials: Mapping[str, str] | None = None,
    ) -> dict[str, Any]: ...

    def close(self) -> None: ...


@cache
def _list_installed() -> dict[str, str]:
    try:
        lines = (INSTALLED / "clients").read_text().splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split(" ", 1) for line in lines)


def require(name: str = "") -> str:
    """Return the command of a client, or skip the test if it was not installed."""
    installed = _list_installed()
    if not installed:
        pytest.skip("the clients are not installed here: see .ci/clients")
    if name and name not in installed:
        pytest.skip(f"{name} is not installed")
    return installed.get(name, "")


def list_credentials(credentials: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables of credentials."""
    return {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials.get("SessionToken", ""),
    }


def find_endpoint(service: str, environment: Mapping[str, str]) -> str:
    """Return the endpoint of a service, for clients that do not read its variable."""
    return environment.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environment["AWS_ENDPOINT_URL"]


@cache
def _model_of(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"))


def read_blobs(service: str, operation: str, output: dict[str, Any]) -> dict[str, Any]:
    """Return a response whose blobs are bytes; members that are null are left out."""
    shape = _model_of(service).operation_model(operation).output_shape
    members = {} if shape is None else shape.members
    return {
        name: base64.b64decode(value)
        if name in members and members[name].type_name == "blob"
        else value
        for name, value in output.items()
        if value is not None
    }


# --- AWS CLI ------------------------------------------------------------------------------------


@cache
def _ask_version(path: str) -> tuple[int, ...]:
    ran = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"aws-cli/(\d+)\.(\d+)", ran.stdout)
    return tuple(map(int, found.groups())) if found else (0, 0)


class AwsCli:
    """The AWS CLI: a process for each call."""

    #: The first version of each that reads the endpoints of the environment.
    READS_ENDPOINTS = ((1, 29), (2, 13))

    def __init__(self, version: int, environment: Mapping[str, str], folder: Path) -> None:
        self._command = require(f"aws-cli-v{version}")
        self._folder = folder
        self._environment = {**environment, **UNCONFIGURED}
        self._reads_endpoints = _ask_version(self._command) >= self.READS_ENDPOINTS[version - 1]

    def run(
        self, service: str, *arguments: str, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command with what follows the name of the service. variables: more of them."""
        endpoint = find_endpoint(service, self._environment)
        given = [] if self._reads_endpoints else ["--endpoint-url", endpoint]
        return subprocess.run(
            [self._command, service, *arguments, "--output", "json", *given],
            env={**self._environment, **(variables or {})},
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
        )

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        credentials: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        arguments = [part for each in parameters.items() for part in self._list_option(*each)]
        variables = list_credentials(credentials) if credentials else {}
        ran = self.run(service, xform_name(operation, "-"), *arguments, variables=variables)
        if ran.returncode:
            error = re.search(
                r"An error occurred \((\S+)\) when calling the \w+ operation"
                r"(?: \(reached max retries: \d+\))?: ?(.*)",
                ran.stderr,
                re.DOTALL,
            )
            assert error is not None, ran.stderr
            raise Refused(error[1], error[2].rstrip("\n"))
        return read_blobs(service, operation, json.loads(ran.stdout or "{}"))

    def _list_option(self, name: str, value: Any) -> list[str]:
        option = f"--{xform_name(name, '-')}"
        if isinstance(value, bool):
            return [option if value else f"--no-{option[2:]}"]
        if isinstance(value, bytes):
            (self._folder / name).write_bytes(value)
            return [option, f"fileb://{name}"]
        return [option, value if isinstance(value, str) else json.dumps(value)]

    def close(self) -> None:
        pass


# --- programs of this folder --------------------------------------------------------------------


class Conversation:
    """A program that reads calls as lines of JSON, and prints what has become of each.

    Blobs in answers are Base64. encode: returns what a blob of a call is in JSON.
    """

    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str],
        folder: Path,
        encode: Callable[[bytes], Any],
    ) -> None:
        find_endpoint("kms", environment)  # none of them may reach AWS
        self._encode = encode
        self._process = subprocess.Popen(
            command,
            env={**environment, **UNCONFIGURED},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        credentials: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        call = {
            "service": service,
            "operation": operation,
            "parameters": parameters,
            "credentials": credentials,
        }
        answer = self.ask(call)
        if "code" in answer:
            raise Refused(answer["code"], answer.get("message"), tuple(answer["types"]))
        return read_blobs(service, operation, answer["output"])

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Write a line, and return what the program answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question, default=self._encode) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the program has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self._process.communicate(timeout=_PATIENCE)


def _to_base64(blob: bytes) -> str:
    return base64.b64encode(blob).decode()


def _to_tagged(blob: bytes) -> dict[str, str]:
    return {"bytes": _to_base64(blob)}


def make_node(environment: Mapping[str, str], folder: Path) -> Conversation:
    """Start the AWS SDK for JavaScript v3."""
    return Conversation(prepare_node("calls.mjs", folder), environment, folder, _to_tagged)


def prepare_node(program: str, folder: Path) -> list[str]:
    """Return the command that runs a program in a folder, where it finds the modules."""
    node = require("node")
    shutil.copy(HERE / "node" / program, folder)
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(INSTALLED / "node" / "node_modules")
    return [node, program]


def make_go(environment: Mapping[str, str], folder: Path) -> Conversation:
    """Start the AWS SDK for Go v2."""
    return Conversation([require("go")], environment, folder, _to_base64)


def make_aioboto3(environment: Mapping[str, str], folder: Path) -> Conversation:
    """Start aioboto3 in a process of its own; in this one, the mock of a test would answer it."""
    command = [require("aioboto3"), str(HERE / "aioboto3_calls.py")]
    return Conversation(command, environment, folder, _to_tagged)


# --- curl ---------------------------------------------------------------------------------------


#: What precedes the operation in the header of requests, by service.
_TARGETS = {
    "kms": "TrentService",
    "cloudtrail": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
}


class Curl:
    """Requests without an SDK: curl signs them. `call` is for services that read JSON."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self._curl = require("curl")
        self._environment = environment
        self._folder = folder

    def send(
        self, service: str, *arguments: str, credentials: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Send a signed request; return status and body."""
        values = list_credentials(credentials) if credentials else self._environment
        token = values.get("AWS_SESSION_TOKEN")
        ran = subprocess.run(
            [
                *(self._curl, "--silent", "--show-error", "--write-out", "\n%{http_code}"),
                *("--aws-sigv4", f"aws:amz:{self._environment['AWS_REGION']}:{service}"),
                *("--user", f"{values['AWS_ACCESS_KEY_ID']}:{values['AWS_SECRET_ACCESS_KEY']}"),
                *(("--header", f"X-Amz-Security-Token: {token}") if token else ()),
                *arguments,
                find_endpoint(service, self._environment),
            ],
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=_PATIENCE,
        )
        body, _, status = ran.stdout.rpartition("\n")
        return int(status), body

    def call(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        credentials: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        body = json.dumps(parameters, default=_to_base64)
        (self._folder / "body").write_text(body, encoding="utf-8")
        status, text = self.send(
            service,
            *("--header", f"X-Amz-Target: {_TARGETS[service]}.{operation}"),
            *("--header", "Content-Type: application/x-amz-json-1.1", "--data-binary", "@body"),
            credentials=credentials,
        )
        output = json.loads(text or "{}")
        if status != 200:
            raise Refused(output["__type"], output.get("message", output.get("Message")))
        return read_blobs(service, operation, output)

    def close(self) -> None:
        pass


PROGRAMS: dict[str, Callable[[Mapping[str, str], Path], Program]] = {
    "aws-cli-v1": lambda environment, folder: AwsCli(1, environment, folder),
    "aws-cli-v2": lambda environment, folder: AwsCli(2, environment, folder),
    "node": make_node,
    "go": make_go,
    "curl": Curl,
    "aioboto3": make_aioboto3,
}
