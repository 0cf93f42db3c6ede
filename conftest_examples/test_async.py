"""A mock is active until a coroutine has ended."""

import asyncio

import boto3

from kmsmock import mock_kms


@mock_kms
async def encrypt_later():
    client = boto3.client("kms")
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    await asyncio.sleep(0)
    return client.encrypt(KeyId=key_id, Plaintext=b"text")["KeyId"]


def test_a_coroutine_is_mocked_until_it_ends():
    assert asyncio.run(encrypt_later()).startswith("arn:aws:kms:us-east-1:123456789012:key/")
