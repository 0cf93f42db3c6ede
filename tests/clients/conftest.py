"""A server in a process of its own, and the clients that call it."""

from __future__ import annotations

import contextlib
import json
import os
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.clients.programs import PROGRAMS, Program, require
from tests.server.processes import Served, serving


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    require()
    with serving() as served:
        yield served


@pytest.fixture(scope="session")
def environment(served: Served) -> dict[str, str]:
    """Give the environment of programs that are to find the server."""
    return {**os.environ, **served.variables}


class Client(NamedTuple):
    """A client of the server."""

    name: str
    program: Program

    @property
    def call(self) -> Any:
        return self.program.call


@pytest.fixture(scope="session", params=list(PROGRAMS))
def client(
    request: pytest.FixtureRequest,
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Client]:
    """Give each client in turn."""
    folder = tmp_path_factory.mktemp(request.param)
    program = PROGRAMS[request.param](environment, folder)
    yield Client(request.param, program)
    program.close()


class Account(NamedTuple):
    """An account of the server."""

    served: Served
    id: str

    def client(self, service: str = "kms") -> Any:
        """Return a client of boto3, for what a test prepares: its administrator's."""
        return self.served.client(service, self.id)

    def make_key(self, **parameters: Any) -> str:
        """Create a KMS key; return its ARN."""
        return self.client().create_key(**parameters)["KeyMetadata"]["Arn"]

    def make_role(self, name: str, *, trusted: str, allowed: str | None = None) -> str:
        """Create a role, or find it; return its ARN. allowed: an action."""
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": trusted}}
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
        if allowed is not None:
            statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
            iam.put_role_policy(RoleName=name, PolicyName="a", PolicyDocument=document(statement))
        return iam.get_role(RoleName=name)["Role"]["Arn"]

    def assume_role(self, role: str) -> dict[str, str]:
        """Return the credentials of a role's session with the name ``test``."""
        answer = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")
        answer["Credentials"].pop("Expiration")
        return answer["Credentials"]

    def copy_snapshot(self) -> tuple[str, str]:
        """Return the ids of a snapshot, and of a copy that has failed as its key is disabled."""
        ec2, key = self.client("ec2"), self.make_key()
        encryption = {"Encrypted": True, "KmsKeyId": key}
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, **encryption)["VolumeId"]
        snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        self.client().disable_key(KeyId=key)
        copy = ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)
        return snapshot, copy["SnapshotId"]


def document(*statements: dict[str, Any]) -> str:
    """Return the JSON text of a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="session")
def account(served: Served) -> Account:
    """Give the account of clients with unknown access keys."""
    return Account(served, "123456789012")


@pytest.fixture(scope="session")
def other(served: Served) -> Account:
    """Give another account."""
    return Account(served, "444455556666")


@pytest.fixture(scope="session")
def key(account: Account) -> str:
    """Give the ARN of a symmetric encryption key."""
    return account.make_key()


@pytest.fixture
def control(served: Served) -> Any:
    """Give a function that sends a request to the control plane."""

    def send(path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{served.url}/_kmsmock/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)

    return send
