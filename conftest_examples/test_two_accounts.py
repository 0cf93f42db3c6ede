"""Cross-account use of a key: both accounts have to allow it."""

import json

import pytest


def allow(action, resource="*", **principal):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **principal}


def key_policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def shared_key(kms_accounts):
    """A key of the first account that the second account can use."""
    source, target = kms_accounts
    policy = key_policy(
        allow("kms:*", Principal={"AWS": source.id}),
        allow("kms:Encrypt", Principal={"AWS": target.id}),
    )
    return source.client().create_key(Policy=policy)["KeyMetadata"]["Arn"]


def test_both_accounts_have_to_allow_the_use_of_a_key(kms_accounts, shared_key):
    reader = kms_accounts[1].role("Reader", policies=[{"Statement": allow("kms:*", shared_key)}])

    blob = reader.client().encrypt(KeyId=shared_key, Plaintext=b"text")

    assert blob["KeyId"] == shared_key


def test_the_key_policy_alone_does_not_suffice(kms_accounts, shared_key):
    reader = kms_accounts[1].role("Reader", policies=[])

    with pytest.raises(Exception, match="because no identity-based policy allows the kms:Encrypt"):
        reader.client().encrypt(KeyId=shared_key, Plaintext=b"text")


def test_an_identity_policy_alone_does_not_suffice(kms_accounts):
    source, target = kms_accounts
    arn = source.client().create_key()["KeyMetadata"]["Arn"]
    reader = target.role("Reader", policies=[{"Statement": allow("kms:*", arn)}])

    with pytest.raises(Exception, match="no resource-based policies allow access"):
        reader.client().encrypt(KeyId=arn, Plaintext=b"text")


def test_a_key_id_is_looked_up_in_the_caller_s_account(kms_accounts):
    source, target = kms_accounts
    key_id = source.client().create_key()["KeyMetadata"]["KeyId"]

    with pytest.raises(Exception, match=f"{target.id}:key/{key_id}' does not exist"):
        target.client().describe_key(KeyId=key_id)
