"""Test a data key cache: encrypt many messages, and count the KMS calls."""

import pytest


@pytest.fixture
def sdk():
    return pytest.importorskip("aws_encryption_sdk", reason="aws-encryption-sdk is not installed")


@pytest.fixture
def materials(sdk, kms_key):
    return sdk.CachingCryptoMaterialsManager(
        master_key_provider=sdk.StrictAwsKmsMasterKeyProvider(key_ids=[kms_key.arn]),
        cache=sdk.LocalCryptoMaterialsCache(capacity=10),
        max_age=60.0,
        max_messages_encrypted=100,
    )


@pytest.fixture
def encrypt(sdk, materials):
    client = sdk.EncryptionSDKClient()
    return lambda text: client.encrypt(source=text, materials_manager=materials)[0]


def test_a_hundred_messages_need_one_data_key(kms, encrypt):
    assert len({encrypt(b"text") for _ in range(100)}) == 100
    kms.calls.assert_called("GenerateDataKey", times=1)


def test_the_next_message_needs_another(kms, encrypt):
    assert len({encrypt(b"text") for _ in range(101)}) == 101
    kms.calls.assert_called("GenerateDataKey", times=2)
