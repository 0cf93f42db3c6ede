"""Conditions of key policies that tell the calls of services apart, with moto as their storage."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

DYNAMODB = "dynamodb.amazonaws.com"
ADMINISTERED = {
    "Effect": "Allow",
    "Principal": {"AWS": "*"},
    "Action": ["kms:Get*", "kms:Put*", "kms:Describe*", "kms:ListGrants"],
    "Resource": "*",
}


@pytest.fixture
def allow_or_deny(kms, key):
    """Allow the key to everybody under a condition only; or deny it under the condition."""

    def allow_or_deny(condition, *actions, effect="Allow"):
        statement = {
            "Effect": effect,
            "Principal": {"AWS": "*"},
            "Action": list(actions) or "kms:*",
            "Resource": "*",
            "Condition": condition,
        }
        rest = {**ADMINISTERED, "Action": "kms:*"} if effect == "Deny" else ADMINISTERED
        policy = {"Version": "2012-10-17", "Statement": [rest, statement]}
        kms.client().put_key_policy(
            KeyId=key, Policy=json.dumps(policy), BypassPolicyLockoutSafetyCheck=True
        )

    return allow_or_deny


@pytest.fixture
def create_table(kms, key):
    """Create a table of DynamoDB under the key."""

    def create_table():
        kms.client("dynamodb").create_table(
            TableName="orders",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
        )

    return create_table


def encrypt(kms, key):
    return kms.client().encrypt(KeyId=key, Plaintext=b"x")


def create_grant(kms, key):
    kms.client().create_grant(
        KeyId=key, GranteePrincipal="arn:aws:iam::123456789012:root", Operations=["Decrypt"]
    )


CALLED_VIA_DYNAMODB = {"ForAnyValue:StringEquals": {"aws:CalledVia": [DYNAMODB]}}


def test_calls_by_dynamodb_are_called_via_it(kms, allow_or_deny, key, create_table):
    # And what it does in its own name is by its grant, which no condition is asked for.
    allow_or_deny(CALLED_VIA_DYNAMODB)
    create_table()
    kms.client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "1"}})
    with pytest.raises(ClientError, match="AccessDeniedException"):
        encrypt(kms, key)


def test_calls_by_dynamodb_can_be_denied_by_what_they_are_called_via(
    kms, allow_or_deny, key, put_object, create_table
):
    allow_or_deny(CALLED_VIA_DYNAMODB, effect="Deny")
    put_object()
    encrypt(kms, key)
    with pytest.raises(ClientError, match="with an explicit deny in a resource-based policy"):
        create_table()


def test_surprisingly_calls_by_s3_are_called_via_nothing(allow_or_deny, put_object):
    allow_or_deny({"ForAnyValue:StringEquals": {"aws:CalledVia": ["s3.amazonaws.com"]}})
    with pytest.raises(ClientError, match="AccessDenied"):
        put_object()
    allow_or_deny({"Null": {"aws:CalledVia": "true"}})
    put_object()


def test_calls_by_services_are_via_a_service_of_aws_and_those_of_clients_are_not(
    kms, allow_or_deny, key, put_object, create_table
):
    allow_or_deny({"Bool": {"aws:ViaAWSService": "true"}})
    put_object()
    create_table()
    with pytest.raises(ClientError, match="AccessDeniedException"):
        encrypt(kms, key)


def test_calls_by_services_can_be_kept_out(kms, allow_or_deny, key, put_object):
    allow_or_deny({"Bool": {"aws:ViaAWSService": "false"}})
    encrypt(kms, key)
    with pytest.raises(ClientError, match="AccessDenied"):
        put_object()


FOR_AWS_RESOURCE = {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_a_grant_for_a_table_is_for_a_resource_of_aws(kms, allow_or_deny, key, create_table):
    allow_or_deny(FOR_AWS_RESOURCE, "kms:CreateGrant")
    create_table()
    with pytest.raises(ClientError, match="kms:CreateGrant"):
        create_grant(kms, key)


def test_grants_for_resources_of_aws_can_be_denied(kms, allow_or_deny, key, create_table):
    allow_or_deny(FOR_AWS_RESOURCE, "kms:CreateGrant", effect="Deny")
    create_grant(kms, key)
    with pytest.raises(ClientError, match=r"kms:CreateGrant .* with an explicit deny") as caught:
        create_table()
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
