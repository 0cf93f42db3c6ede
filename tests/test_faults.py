"""Faults that a test arms."""

from __future__ import annotations

import boto3
import pytest
from botocore.config import Config

from kmsmock import mock_kms
from tests.refusals import refused


def client_with(attempts):
    retries = {"total_max_attempts": attempts, "mode": "standard"}
    return boto3.client("kms", "us-east-1", config=Config(retries=retries))


@pytest.fixture
def no_waiting(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)


@pytest.mark.usefixtures("no_waiting")
def test_retries_of_botocore_overcome_throttling():
    with mock_kms() as kms:
        kms.faults.throttle("ListKeys", times=2)

        answer = client_with(attempts=3).list_keys()

        assert answer["ResponseMetadata"]["RetryAttempts"] == 2
        assert [call.error_code for call in kms.calls] == ["ThrottlingException"] * 2 + [None]
        kms.faults.assert_all_fired()


def test_without_retries_throttling_is_seen():
    text = (
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
    )
    with mock_kms() as kms:
        kms.faults.throttle()

        with refused("ThrottlingException", text):
            client_with(attempts=1).list_keys()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            "ThrottlingException",
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your "
            "calls.",
        ),
        (
            "XksKeyNotFoundException",
            "The external key store proxy rejected the request because it could not find the "
            "external key.",
        ),
        ("InvalidCiphertextException", ""),
    ],
)
def test_a_fault_has_the_text_that_aws_gives_its_code(code, text):
    with mock_kms() as kms:
        kms.faults.fail("CreateKey", code)

        with refused(code, text):
            client_with(attempts=1).create_key()


def test_a_fault_hits_the_call_and_the_key_it_is_meant_for():
    with mock_kms() as kms:
        client = client_with(attempts=1)
        key_ids = [client.create_key()["KeyMetadata"]["KeyId"] for _ in range(2)]
        kms.faults.fail("Encrypt", "KeyUnavailableException", key=key_ids[0], on_call=2)

        client.encrypt(KeyId=key_ids[0], Plaintext=b"text")
        client.encrypt(KeyId=key_ids[1], Plaintext=b"text")
        with refused("KeyUnavailableException") as caught:
            client.encrypt(KeyId=key_ids[0], Plaintext=b"text")
        client.encrypt(KeyId=key_ids[0], Plaintext=b"text")

        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_a_fault_that_did_not_fire_is_told():
    with mock_kms() as kms:
        kms.faults.fail("Encrypt", "KMSInternalException")
        kms.faults.throttle("Decrypt", optional=True)

        with pytest.raises(AssertionError, match="KMSInternalException on Encrypt, fired 0 of 1"):
            kms.faults.assert_all_fired()


def test_an_unknown_error_code_is_refused():
    with mock_kms() as kms, pytest.raises(ValueError, match="no error code 'Oops'"):
        kms.faults.fail("*", "Oops")


@pytest.mark.usefixtures("everything_loaded")
def test_an_operation_that_there_is_not_is_refused():
    with mock_kms() as kms, pytest.raises(ValueError, match="did you mean 'Encrypt'"):
        kms.faults.throttle("Encypt")


def test_the_fixture_fails_a_test_whose_fault_did_not_fire(pytester):
    pytester.makepyfile("def test_it(kms):\n    kms.faults.throttle('Encrypt')\n")

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*faults that did not fire:*"])
