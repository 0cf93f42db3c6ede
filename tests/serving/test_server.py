"""The fixture ``kms_server``: the world of a test over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from kmsmock import KMSMock, KmsServer, mock_kms
from kmsmock.activation.clients import UNKNOWN, make_client_at


def test_a_client_of_the_server_sees_the_world_of_the_test(
    kms: KMSMock, kms_server: KmsServer
) -> None:
    key = kms.client().create_key()["KeyMetadata"]
    client = kms_server.client()
    assert client.meta.endpoint_url == kms_server.endpoint_url
    assert client.describe_key(KeyId=key["KeyId"])["KeyMetadata"] == key


def test_calls_over_the_server_are_recorded(kms: KMSMock, kms_server: KmsServer) -> None:
    kms_server.client().create_key()
    kms.calls.assert_called("CreateKey", times=1)
    assert (kms.calls[-1].test_id or "").endswith("::test_calls_over_the_server_are_recorded")


def test_a_client_can_be_that_of_a_principal(kms: KMSMock, kms_server: KmsServer) -> None:
    role = kms.account("111122223333").role("App")
    with pytest.raises(ClientError) as caught:
        kms_server.client(principal=role).list_keys()
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    assert kms.calls[-1].caller == role.arn.replace(":iam:", ":sts:").replace(
        ":role/App", ":assumed-role/App/session"
    )


def test_a_client_can_be_in_another_region(kms_server: KmsServer) -> None:
    key = kms_server.client(region="eu-west-1").create_key()["KeyMetadata"]
    assert ":eu-west-1:" in key["Arn"]


def test_armed_faults_end_connections(
    kms: KMSMock, kms_server: KmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    kms.faults.drop_connection("ListKeys")
    client = kms_server.client()
    with pytest.raises(ConnectionClosedError):
        client.list_keys()


def test_a_server_answers_programs_without_an_sdk(kms_server: KmsServer) -> None:
    request = urllib.request.Request(
        kms_server.endpoint_url,
        b'{"NumberOfBytes": 4}',
        {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "TrentService.GenerateRandom",
            "Authorization": "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/kms/"
            "aws4_request, SignedHeaders=host, Signature=0",
        },
    )
    with urllib.request.urlopen(request, timeout=5) as response:
        assert len(json.load(response)["Plaintext"]) == 8


CHILD = """
import boto3
client = boto3.client("kms")
print(client.meta.endpoint_url, client.meta.region_name)
print(client.create_key(Description="of the child")["KeyMetadata"]["KeyId"])
"""


@pytest.mark.kms(region="eu-central-1")
def test_another_process_finds_the_server_by_its_environment(
    kms: KMSMock, kms_server: KmsServer
) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", CHILD],
        env={**os.environ, **kms_server.env},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    endpoint, region, key_id = ran.stdout.split()
    assert (endpoint, region) == (kms_server.endpoint_url, "eu-central-1")
    assert [key.description for key in kms.keys if key.key_id == key_id] == ["of the child"]


def test_the_environment_has_dummy_credentials(kms_server: KmsServer) -> None:
    assert (
        kms_server.env.items()
        >= {
            "AWS_ENDPOINT_URL_KMS": kms_server.endpoint_url,
            "AWS_ENDPOINT_URL_STS": kms_server.endpoint_url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
        }.items()
    )


def test_the_server_of_the_session_has_the_mock_of_the_session(
    run_alone: Callable[..., pytest.RunResult],
) -> None:
    result = run_alone(
        """
        def test_it(session_kms, session_kms_server):
            key_id = session_kms_server.client().create_key()["KeyMetadata"]["KeyId"]
            assert key_id in [key.key_id for key in session_kms.keys]
        """
    )
    result.assert_outcomes(passed=1)


@pytest.mark.usefixtures("kms_server")
def test_clients_of_the_process_stay_as_they_are(kms: KMSMock) -> None:
    assert kms.client().meta.endpoint_url == "https://kms.us-east-1.amazonaws.com"


CALLS = {
    "kms": "list_keys",
    "sts": "get_caller_identity",
    "iam": "list_users",
    "ec2": "describe_volumes",
    "rds": "describe_db_instances",
    "cloudtrail": "describe_trails",
}


@pytest.mark.parametrize("service", CALLS)
def test_all_services_of_the_mock_are_answered(kms_server: KmsServer, service: str) -> None:
    response = getattr(kms_server.client(service), CALLS[service])()
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert f"AWS_ENDPOINT_URL_{service.upper()}" in kms_server.env


@pytest.mark.parametrize("service", CALLS)
def test_all_services_refuse_processes_without_a_mock(service: str) -> None:
    with mock_kms(isolated=True):
        url = os.environ.copy()[f"AWS_ENDPOINT_URL_{service.upper()}"]
        subprocess.run([sys.executable, "-S", "-c", ""], check=True)
        client = make_client_at(url, service, "us-east-1", UNKNOWN)
    with pytest.raises(ClientError, match="No mock answers this process"):
        getattr(client, CALLS[service])()
