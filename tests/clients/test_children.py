"""Programs that a test starts reach its mock, in all languages."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kmsmock import KMSMock
from tests.clients.programs import PROGRAMS, Refused, require


@pytest.fixture(params=list(PROGRAMS))
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """Give a function that starts a program with the environment of the test."""
    started = []

    def start() -> Any:
        started.append(PROGRAMS[request.param](dict(os.environ), tmp_path))
        return started[-1]

    yield start
    for program in started:
        program.close()


def test_a_program_works_with_the_keys_of_the_test(kms: KMSMock, start: Callable[[], Any]) -> None:
    key = kms.client().create_key()["KeyMetadata"]["Arn"]
    blob = start().call("kms", "Encrypt", {"KeyId": key, "Plaintext": b"text"})["CiphertextBlob"]

    assert kms.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
    assert kms.calls.filter(operation="Encrypt")[-1].key.arn == key


@pytest.mark.kms(region="eu-central-1")
def test_a_program_is_who_the_test_is(kms: KMSMock, start: Callable[[], Any]) -> None:
    role = kms.account("444455556666").role("App")
    with role:
        program = start()
        with pytest.raises(Refused) as caught:
            program.call("kms", "ListKeys", {})

    assert caught.value.code == "AccessDeniedException"
    assert (kms.calls[-1].caller, kms.calls[-1].region) == (role.caller_arn, "eu-central-1")


@pytest.mark.usefixtures("kms")
@pytest.mark.parametrize("version", [1, 2], ids="v{}".format)
def test_a_shell_reaches_the_other_services_of_the_mock(version: int) -> None:
    command = require(f"aws-cli-v{version}")
    ran = subprocess.run(
        f"{command} sts get-caller-identity --query Arn --output text "
        '--endpoint-url "$AWS_ENDPOINT_URL_STS"',
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout == "arn:aws:iam::123456789012:user/Administrator\n"
