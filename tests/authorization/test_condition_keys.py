"""Which condition keys a request has, with which values, and which it has not."""

from __future__ import annotations

import pytest

from tests.authorization.documents import ACCOUNT, OTHER, allow, deny, policy, to
from tests.refusals import refused

TAGS = [{"TagKey": "team", "TagValue": "red"}]
RSA = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}


def only(action, name, value):
    """Let an action be done under one condition."""
    return allow(action, Condition={"StringEquals": {name: value}})


# --- keys that are to be made -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "name", "value"),
    [
        ({}, "kms:KeySpec", "SYMMETRIC_DEFAULT"),
        ({}, "kms:KeyUsage", "ENCRYPT_DECRYPT"),
        ({}, "kms:KeyOrigin", "AWS_KMS"),
        ({}, "kms:MultiRegion", "false"),
        ({}, "kms:CallerAccount", ACCOUNT),
        (RSA, "kms:KeySpec", "RSA_2048"),
        (RSA, "kms:CustomerMasterKeySpec", "RSA_2048"),
        (RSA, "kms:CustomerMasterKeyUsage", "SIGN_VERIFY"),
        (
            {"CustomerMasterKeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
            "kms:KeySpec",
            "RSA_2048",
        ),
        ({"Origin": "EXTERNAL"}, "kms:KeyOrigin", "EXTERNAL"),
        ({"MultiRegion": True}, "kms:MultiRegion", "true"),
        ({"MultiRegion": True}, "kms:MultiRegionKeyType", "PRIMARY"),
    ],
)
def test_creating_a_key_is_about_the_key_that_is_to_be(role, parameters, name, value):
    role.set_policies(policy(only("kms:CreateKey", name, value)))
    assert role.client().create_key(**parameters)

    role.set_policies(policy(only("kms:CreateKey", name, "another")))
    with refused("AccessDeniedException"):
        role.client().create_key(**parameters)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kms:KeySpec", "RSA_2048"),
        ("kms:KeyUsage", "SIGN_VERIFY"),
        ("kms:MultiRegion", "true"),
        ("kms:MultiRegionKeyType", "REPLICA"),
        ("aws:RequestedRegion", "eu-west-1"),
        ("aws:RequestTag/team", "red"),
    ],
)
def test_a_replica_is_created_with_the_attributes_of_its_primary(client, role, name, value):
    primary = client.create_key(MultiRegion=True, **RSA)["KeyMetadata"]["KeyId"]
    request = {"KeyId": primary, "ReplicaRegion": "eu-west-1", "Tags": TAGS}
    others = allow(["kms:ReplicateKey", "kms:TagResource"])

    role.set_policies(policy(others, only("kms:CreateKey", name, "another")))
    with refused("AccessDeniedException"):
        role.client().replicate_key(**request)

    role.set_policies(policy(others, only("kms:CreateKey", name, value)))
    assert role.client().replicate_key(**request)


def test_tags_of_a_replica_do_not_concern_its_primary(client, role):
    primary = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    tagged = {"Null": {"aws:TagKeys": "false"}}
    role.set_policies(policy(allow("kms:*"), deny("kms:ReplicateKey", Condition=tagged)))

    assert role.client().replicate_key(KeyId=primary, ReplicaRegion="eu-west-1", Tags=TAGS)


@pytest.mark.parametrize("resource", ["*", f"arn:aws:kms:*:{ACCOUNT}:key/*"], ids=["all", "keys"])
def test_tags_of_a_new_key_are_asked_for_on_all_keys_of_the_account(role, resource):
    role.set_policies(policy(allow("kms:CreateKey"), allow("kms:TagResource", resource)))

    assert role.client().create_key(Tags=TAGS)


@pytest.mark.parametrize("resource", [f"arn:aws:kms:*:{OTHER}:key/*", "arn:aws:kms:*:*:key/mrk-*"])
def test_tags_of_a_new_key_are_not_for_those_who_tag_some_keys(role, resource):
    role.set_policies(policy(allow("kms:CreateKey"), allow("kms:TagResource", resource)))

    with refused("AccessDeniedException"):
        role.client().create_key(Tags=TAGS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kms:CallerAccount", ACCOUNT),
        ("aws:ResourceAccount", ACCOUNT),
        ("kms:KeySpec", "RSA_2048"),
        ("kms:MultiRegionKeyType", "PRIMARY"),
        ("kms:PolicyName", "default"),
    ],
)
def test_a_new_policy_is_checked_for_a_lockout_with_the_key_that_is_to_be(client, name, value):
    def create(wanted):
        condition = {"Condition": {"StringEquals": {name: wanted}}}
        document = policy(allow("kms:*", **to("*"), **condition))
        return client.create_key(MultiRegion=True, Policy=document, **RSA)

    assert create(value)
    with refused("MalformedPolicyDocumentException"):
        create("another")


def test_the_policy_of_a_replica_is_checked_for_a_lockout_in_its_own_region(client):
    primary = client.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    there = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{primary}"
    condition = {"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}
    document = policy(allow("kms:*", there, **to("*"), **condition))

    with refused("MalformedPolicyDocumentException"):
        client.replicate_key(KeyId=primary, ReplicaRegion="eu-west-2", Policy=document)

    assert client.replicate_key(KeyId=primary, ReplicaRegion="eu-west-1", Policy=document)


# --- aliases ------------------------------------------------------------------------------------


def test_an_alias_that_is_changed_is_no_name_of_a_key(client, role, key):
    client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    by_alias = {"Null": {"kms:RequestAlias": "false"}}
    role.set_policies(policy(allow("kms:*"), deny("kms:*", Condition=by_alias)))

    with refused("AccessDeniedException"):
        role.client().describe_key(KeyId="alias/app")
    role.client().update_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    role.client().delete_alias(AliasName="alias/app")


@pytest.mark.parametrize(
    ("service", "name"),
    [
        (None, "kms:CallerAccount"),
        ("dynamodb", "kms:ViaService"),
        ("dynamodb", "kms:CallerAccount"),
    ],
)
def test_the_alias_half_of_an_alias_operation_has_the_caller_and_its_service(
    role, key, service, name
):
    on_alias = deny("kms:*Alias", "arn:*:alias/*", Condition={"Null": {name: "true"}})
    role.set_policies(policy(allow("kms:*"), on_alias))
    caller = (role if service is None else role.via(service)).client()

    caller.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    caller.update_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    caller.delete_alias(AliasName="alias/app")


def test_a_direct_call_about_an_alias_has_no_service(role, key):
    on_alias = deny("kms:*Alias", "arn:*:alias/*", Condition={"Null": {"kms:ViaService": "true"}})
    role.set_policies(policy(allow("kms:*"), on_alias))

    with refused("AccessDeniedException"):
        role.client().create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])


def test_resource_control_policies_are_about_aliases_too(kms, client, key):
    protected = deny("kms:CreateAlias", "arn:aws:kms:*:*:alias/prod/*", Principal="*")
    kms.account(ACCOUNT).join_organization("o-1", resource_control=[[policy(protected)]])
    client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])

    with refused("AccessDeniedException") as caught:
        client.create_alias(AliasName="alias/prod/app", TargetKeyId=key["KeyId"])

    assert caught.value.response["Error"]["Message"].endswith(
        f"on resource: arn:aws:kms:us-east-1:{ACCOUNT}:alias/prod/app with an explicit deny in a "
        "resource control policy"
    )


# --- services -----------------------------------------------------------------------------------


def test_a_service_that_calls_in_its_own_name_has_no_account(kms, client, key):
    caller = {"Condition": {"Null": {"kms:CallerAccount": "true"}}}
    service = {"Principal": {"Service": "sns.amazonaws.com"}}
    document = policy(allow("kms:*", **to(ACCOUNT)), allow("kms:Encrypt", **service, **caller))
    client.put_key_policy(KeyId=key["KeyId"], Policy=document)
    sns = kms.principal("sns.amazonaws.com")

    assert sns.client().encrypt(KeyId=key["Arn"], Plaintext=b"text")
    assert kms.explain("sns.amazonaws.com", "kms:Encrypt", key["Arn"])


@pytest.mark.parametrize(
    ("operator", "name", "value"),
    [
        ("StringEquals", "aws:SourceOrgID", "o-1234567890"),
        ("ForAnyValue:StringLike", "aws:SourceOrgPaths", "o-1234567890/r-ab12/*"),
    ],
)
def test_the_organization_of_a_resource_is_known_where_a_service_calls_for_it(
    kms, client, key, operator, name, value
):
    condition = {"Condition": {operator: {name: value}}}
    service = {"Principal": {"Service": "sns.amazonaws.com"}}
    document = policy(allow("kms:*", **to(ACCOUNT)), allow("kms:Encrypt", **service, **condition))
    client.put_key_policy(KeyId=key["KeyId"], Policy=document)
    topic = f"arn:aws:sns:us-east-1:{OTHER}:orders"
    sns = kms.principal("sns.amazonaws.com").on_behalf_of(topic).client()
    with refused("AccessDeniedException"):
        sns.encrypt(KeyId=key["Arn"], Plaintext=b"text")

    kms.account(OTHER).join_organization("o-1234567890", path="r-ab12/ou-a")
    assert sns.encrypt(KeyId=key["Arn"], Plaintext=b"text")


# --- explanations -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "name", "value"),
    [
        ("kms:Encrypt", "kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
        ("kms:Encrypt", "kms:RequestAlias", "alias/app"),
        ("kms:EnableKeyRotation", "kms:RotationPeriodInDays", "365"),
        ("kms:ScheduleKeyDeletion", "kms:ScheduleKeyDeletionPendingWindowInDays", "30"),
        ("kms:GetKeyPolicy", "kms:PolicyName", "default"),
        ("kms:ListGrants", "kms:GrantIsForAWSResource", "false"),
        ("kms:CreateKey", "kms:KeySpec", "SYMMETRIC_DEFAULT"),
    ],
)
def test_explain_knows_what_a_request_has_without_its_parameters(
    kms, client, role, key, action, name, value
):
    client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    named = None if action == "kms:CreateKey" else "alias/app"

    role.set_policies(policy(only(action, name, value)))
    assert kms.explain(role, action, named)

    role.set_policies(policy(only(action, name, "another")))
    assert not kms.explain(role, action, named)


def test_explain_has_no_caller_account_where_requests_have_none(kms, role):
    absent = {"Condition": {"Null": {"kms:CallerAccount": "true"}}}
    role.set_policies(policy(allow(["kms:ListKeys", "kms:CreateKey"], **absent)))

    assert kms.explain(role, "kms:ListKeys")
    assert not kms.explain(role, "kms:CreateKey")


def test_explain_leaves_keys_out_of_what_is_not_about_them(kms, role, key):
    role.set_policies(policy(allow("kms:*", key["Arn"])))

    assert kms.explain(role, "kms:DescribeKey", key["Arn"])
    assert not kms.explain(role, "kms:ListKeys", key["Arn"])


def test_explain_decides_on_an_alias_and_on_its_key(kms, client, role, key):
    client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    alias = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"

    role.set_policies(policy(allow("kms:DeleteAlias", key["Arn"])))
    assert alias in str(kms.explain(role, "kms:DeleteAlias", "alias/app"))
    role.set_policies(policy(allow("kms:DeleteAlias", alias)))
    assert key["Arn"] in str(kms.explain(role, "kms:DeleteAlias", "alias/app"))
    role.set_policies(policy(allow("kms:DeleteAlias", [alias, key["Arn"]])))
    assert kms.explain(role, "kms:DeleteAlias", "alias/app")
