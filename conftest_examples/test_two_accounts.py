"""Two accounts, each with principals and clients of its own."""

import pytest


def test_a_key_of_another_account_is_named_by_its_arn(kms_accounts):
    source, target = kms_accounts
    arn = source.client().create_key()["KeyMetadata"]["Arn"]

    blob = target.role("Reader").client().encrypt(KeyId=arn, Plaintext=b"text")

    assert blob["KeyId"] == arn


def test_a_bare_key_id_is_looked_up_in_the_own_account(kms_accounts):
    source, target = kms_accounts
    key_id = source.client().create_key()["KeyMetadata"]["KeyId"]

    with pytest.raises(Exception, match=f"{target.id}:key/{key_id}' does not exist"):
        target.client().describe_key(KeyId=key_id)
