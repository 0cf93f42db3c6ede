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
def let(kms, key):
    """Let all use the key under a condition, and under no other; or deny it then."""

    def let(condition, *actions, effect="Allow"):
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

    return let


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


def test_calls_by_dynamodb_are_called_via_it(kms, let, key, create_table):
    # And what it does in its own name is by its grant, which no condition is asked for.
    let(CALLED_VIA_DYNAMODB)
    create_table()
    kms.client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "1"}})
    with pytest.raises(ClientError, match="AccessDeniedException"):
        encrypt(kms, key)


def test_calls_by_dynamodb_can_be_denied_by_what_they_are_called_via(
    kms, let, key, put_object, create_table
):
    let(CALLED_VIA_DYNAMODB, effect="Deny")
    put_object()
    encrypt(kms, key)
    with pytest.raises(ClientError, match="with an explicit deny in a resource-based policy"):
        create_table()


def test_surprisingly_calls_by_s3_are_called_via_nothing(let, put_object):
    let({"ForAnyValue:StringEquals": {"aws:CalledVia": ["s3.amazonaws.com"]}})
    with pytest.raises(ClientError, match="AccessDenied"):
        put_object()
    let({"Null": {"aws:CalledVia": "true"}})
    put_object()


def test_calls_by_services_are_via_a_service_of_aws_and_those_of_clients_are_not(
    kms, let, key, put_object, create_table
):
    let({"Bool": {"aws:ViaAWSService": "true"}})
    put_object()
    create_table()
    with pytest.raises(ClientError, match="AccessDeniedException"):
        encrypt(kms, key)


def test_calls_by_services_can_be_kept_out(kms, let, key, put_object):
    let({"Bool": {"aws:ViaAWSService": "false"}})
    encrypt(kms, key)
    with pytest.raises(ClientError, match="AccessDenied"):
        put_object()


FOR_AWS_RESOURCE = {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_a_grant_for_a_table_is_for_a_resource_of_aws(kms, let, key, create_table):
    let(FOR_AWS_RESOURCE, "kms:CreateGrant")
    create_table()
    with pytest.raises(ClientError, match="kms:CreateGrant"):
        create_grant(kms, key)


def test_grants_for_resources_of_aws_can_be_denied(kms, let, key, create_table):
    let(FOR_AWS_RESOURCE, "kms:CreateGrant", effect="Deny")
    create_grant(kms, key)
    with pytest.raises(ClientError, match=r"kms:CreateGrant .* with an explicit deny") as caught:
        create_table()
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
