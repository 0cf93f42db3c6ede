"""Permissions: roles, encryption contexts, tags, grants, and the explanation of a denied call."""

import pytest


def allow(action, **condition):
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    if condition:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture
def role(kms):
    return kms.account("123456789012").role("Orders")


def test_a_role_can_use_one_encryption_context_only(role, kms_key):
    own = {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    role.set_policies(allow("kms:Encrypt", **own))
    client = role.client()

    assert client.encrypt(KeyId=kms_key.id, Plaintext=b"x", EncryptionContext={"tenant": "a"})
    with pytest.raises(client.exceptions.ClientError):
        client.encrypt(KeyId=kms_key.id, Plaintext=b"x", EncryptionContext={"tenant": "b"})


def test_a_grant_allows_a_role_without_any_policy(role, kms_key):
    grant = kms_key.client.create_grant(
        KeyId=kms_key.id, GranteePrincipal=role.arn, Operations=["Encrypt"]
    )

    assert role.client().encrypt(
        KeyId=kms_key.id, Plaintext=b"x", GrantTokens=[grant["GrantToken"]]
    )


def test_a_role_can_use_the_keys_with_its_own_tag(role, kms_key):
    same_team = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    role.set_policies(allow("kms:Encrypt", **same_team))
    role.set_tags({"team": "orders"})
    client = role.client()

    with pytest.raises(client.exceptions.ClientError):
        client.encrypt(KeyId=kms_key.id, Plaintext=b"x")

    kms_key.client.tag_resource(KeyId=kms_key.id, Tags=[{"TagKey": "team", "TagValue": "orders"}])
    assert client.encrypt(KeyId=kms_key.id, Plaintext=b"x")


def test_a_role_can_use_the_keys_with_certain_aliases(role, kms_key):
    by_alias = {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/orders-*"}}
    role.set_policies(allow("kms:Encrypt", **by_alias))
    kms_key.client.create_alias(AliasName="alias/orders-eu", TargetKeyId=kms_key.id)

    assert role.client().encrypt(KeyId=kms_key.id, Plaintext=b"x")


def test_a_denied_call_shows_the_missing_statement(kms, role, kms_key):
    client = role.client()
    with pytest.raises(client.exceptions.ClientError):
        client.encrypt(KeyId=kms_key.id, Plaintext=b"x")

    [missing] = kms.calls[-1].decision.missing
    role.set_policies({"Version": "2012-10-17", "Statement": [missing.statement]})

    assert client.encrypt(KeyId=kms_key.id, Plaintext=b"x")
