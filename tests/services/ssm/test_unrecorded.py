"""Parameters that the mock has not seen stored are encrypted as their store says."""

from __future__ import annotations

from base64 import b64decode

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from kmsmock import mock_kms

REGION = "us-east-1"


@pytest.fixture
def ssm(kms):
    return kms.client("ssm")


def put(client, value="x", **parameters):
    client.put_parameter(Name="/app/secret", Value=value, Type="SecureString", **parameters)


def value_of(client, *, decrypted=True):
    shown = client.get_parameter(Name="/app/secret", WithDecryption=decrypted)
    return shown["Parameter"]["Value"]


def test_a_parameter_from_before_the_mock_is_decrypted_with_its_key():
    with mock_aws():
        client = boto3.client("ssm", REGION)
        put(client)
        with mock_kms() as kms:
            assert value_of(client) == "x"
            kms.calls.assert_called("Decrypt", via_service="ssm", times=1)
            assert len(kms.calls) == 1


def test_the_value_of_an_unrecorded_parameter_is_a_ciphertext_of_its_key(kms, ssm, key):
    with kms.pause():
        put(boto3.client("ssm", REGION), KeyId=key)
    ciphertext = b64decode(value_of(ssm, decrypted=False))
    context = {"PARAMETER_ARN": f"arn:aws:ssm:{REGION}:123456789012:parameter/app/secret"}
    opened = kms.client().decrypt(CiphertextBlob=ciphertext, EncryptionContext=context)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"x", key)


def test_an_unrecorded_parameter_needs_its_key(kms, ssm, key):
    with kms.pause():
        put(boto3.client("ssm", REGION), KeyId=key)
    kms.client().disable_key(KeyId=key)
    with pytest.raises(ClientError, match="is disabled"):
        value_of(ssm)


@pytest.mark.parametrize("overwrites", [True, False], ids=["a new version", "made anew"])
def test_a_value_that_was_changed_unrecorded_is_the_one_that_is_read(kms, ssm, key, overwrites):
    put(ssm, "one", KeyId=key)
    with kms.pause():
        plain = boto3.client("ssm", REGION)
        if not overwrites:
            plain.delete_parameter(Name="/app/secret")
        put(plain, "two", Overwrite=overwrites, KeyId=key)
    assert value_of(ssm) == "two"
    assert kms.calls[-1].key_arn == key


def test_a_key_that_was_changed_unrecorded_decrypts(kms, ssm, key):
    put(ssm)
    with kms.pause():
        plain = boto3.client("ssm", REGION)
        plain.delete_parameter(Name="/app/secret")
        put(plain, KeyId=key)
    assert value_of(ssm) == "x"
    assert kms.calls[-1].key_arn == key
