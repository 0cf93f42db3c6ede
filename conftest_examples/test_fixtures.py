"""The fixtures of the plugin, which need no import and no set-up."""

import pytest


def test_a_fixture_creates_a_key(kms_key):
    answer = kms_key.client.generate_data_key(KeyId=kms_key.id, KeySpec="AES_256")

    assert len(answer["Plaintext"]) == 32


def test_the_factory_creates_keys_of_all_specs(kms_key_factory, kms_client):
    kms_key_factory("RSA_2048", "SIGN_VERIFY", alias="signing")
    kms_key_factory("HMAC_256", alias="cookies")

    specs = [
        kms_client.describe_key(KeyId=f"alias/{name}")["KeyMetadata"]["KeySpec"]
        for name in ("signing", "cookies")
    ]

    assert specs == ["RSA_2048", "HMAC_256"]


@pytest.mark.kms(region="eu-central-1", account_id="111122223333")
def test_a_mark_sets_account_and_region(kms_key):
    assert kms_key.arn.startswith("arn:aws:kms:eu-central-1:111122223333:key/")


def test_every_call_is_recorded(kms, kms_key):
    kms_key.client.encrypt(KeyId=kms_key.id, Plaintext=b"text")

    kms.calls.assert_called("Encrypt", times=1, key=kms_key.arn)
    kms.calls.assert_not_called("Decrypt")
