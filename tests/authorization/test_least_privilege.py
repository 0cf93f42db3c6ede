"""The smallest policies for what was done."""

from __future__ import annotations

import contextlib

import pytest
from botocore.exceptions import ClientError

from tests.authorization.documents import ACCOUNT, OTHER, allow, policy, to
from tests.refusals import refused

EVERYTHING = policy(allow("*"))


def without(statements):
    """Give the statements with each of them left out in turn."""
    return [statements[:n] + statements[n + 1 :] for n in range(len(statements))]


def work(client, key, other):
    """Use two keys, with and without contexts."""
    blob = client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1"})
    client.decrypt(CiphertextBlob=blob["CiphertextBlob"], EncryptionContext={"a": "1"})
    client.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "2", "b": "3"})
    client.re_encrypt(
        CiphertextBlob=blob["CiphertextBlob"],
        SourceEncryptionContext={"a": "1"},
        DestinationKeyId=other,
        DestinationEncryptionContext={"c": "4"},
    )
    client.describe_key(KeyId=key)
    client.list_keys(Limit=10)
    client.create_alias(AliasName="alias/app", TargetKeyId=key)
    client.delete_alias(AliasName="alias/app")


def test_what_was_done_passes_under_just_these_policies_and_under_no_smaller_ones(
    kms, client, role, key
):
    other = client.create_key()["KeyMetadata"]["Arn"]
    role.set_policies(EVERYTHING)
    work(role.client(), key["Arn"], other)

    statements = kms.least_privilege(role).identity["Statement"]

    role.set_policies(policy(*statements))
    work(role.client(), key["Arn"], other)
    for fewer in without(statements):
        role.set_policies(policy(*fewer) if fewer else policy(allow("s3:*")))
        with refused("AccessDeniedException"):
            work(role.client(), key["Arn"], other)
        with contextlib.suppress(ClientError):
            client.delete_alias(AliasName="alias/app")


def test_keys_of_other_accounts_need_their_key_policies_too(kms, client, key):
    stranger = kms.account(OTHER).role("App", policies=[EVERYTHING])
    home = allow("kms:*", **to(ACCOUNT))
    shared = policy(home, allow("kms:*", **to(OTHER)))
    client.put_key_policy(KeyId=key["KeyId"], Policy=shared)

    def use():
        blob = stranger.client().encrypt(KeyId=key["Arn"], Plaintext=b"x")["CiphertextBlob"]
        stranger.client().decrypt(CiphertextBlob=blob)

    use()

    least = kms.least_privilege(stranger.arn)

    [statement] = least.keys[key["Arn"]]
    stranger.set_policies(dict(least.identity))
    client.put_key_policy(KeyId=key["KeyId"], Policy=policy(home, statement))
    use()
    client.put_key_policy(KeyId=key["KeyId"], Policy=policy(home))
    with refused("AccessDeniedException"):
        use()
    assert f"key policy of {key['Arn']}:" in str(least)


def test_a_use_without_context_makes_its_other_contexts_needless(kms, role, key):
    role.set_policies(EVERYTHING)
    for context in ({}, {"a": "1"}):
        role.client().encrypt(KeyId=key["Arn"], Plaintext=b"x", EncryptionContext=context)

    assert kms.least_privilege(role).identity["Statement"] == [
        {"Effect": "Allow", "Action": ["kms:Encrypt"], "Resource": [key["Arn"]]}
    ]


@pytest.mark.parametrize("failing", ["denied", "invalid"])
def test_what_did_not_succeed_needs_nothing(kms, role, key, failing):
    if failing == "invalid":
        role.set_policies(EVERYTHING)
    with pytest.raises(Exception, match="An error occurred"):
        role.client().encrypt(KeyId=key["Arn"], Plaintext=b"x" * 5000)

    assert kms.least_privilege(role).identity["Statement"] == []
