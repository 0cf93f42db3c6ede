"""Programs that a test starts reach its mock, in all languages."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kmsmock import KMSMock, KmsServer
from tests.clients.programs import PROGRAMS, Curl, Program, Refused

Start = Callable[..., Program]


@pytest.fixture(params=list(PROGRAMS))
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    """Give a function that starts a program with the environment of the test, and variables."""
    started = []

    def start(**variables: str) -> Program:
        environment = {**os.environ, **variables}
        started.append(PROGRAMS[request.param](environment, tmp_path))
        return started[-1]

    yield start
    for program in started:
        program.close()


def test_a_program_works_with_the_keys_of_the_test(kms: KMSMock, start: Start) -> None:
    key = kms.client().create_key()["KeyMetadata"]["Arn"]
    blob = start().call("kms", "Encrypt", {"KeyId": key, "Plaintext": b"text"})["CiphertextBlob"]

    assert kms.client().decrypt(CiphertextBlob=blob)["Plaintext"] == b"text"
    assert kms.calls.filter(operation="Encrypt")[-1].key.arn == key


@pytest.mark.kms(region="eu-central-1")
def test_a_program_is_who_the_test_is(kms: KMSMock, start: Start) -> None:
    role = kms.account("444455556666").role("App")
    with role:
        program = start()
        with pytest.raises(Refused) as caught:
            program.call("kms", "ListKeys", {})

    assert caught.value.code == "AccessDeniedException"
    assert (kms.calls[-1].caller, kms.calls[-1].region) == (role.caller_arn, "eu-central-1")


def test_a_program_finds_the_other_services_of_the_mock(kms: KMSMock, start: Start) -> None:
    program = start()
    if isinstance(program, Curl):
        pytest.skip("STS answers in XML: see test_curl")
    with kms.account("444455556666").role("App") as role:
        identity = program.call("sts", "GetCallerIdentity", {})

    assert identity["Arn"] == role.caller_arn


def test_a_program_finds_the_server_of_a_fixture(
    kms: KMSMock, kms_server: KmsServer, start: Start
) -> None:
    start(**kms_server.env).call("kms", "CreateKey", {"Description": "from elsewhere"})

    assert [key.description for key in kms.keys] == ["from elsewhere"]
