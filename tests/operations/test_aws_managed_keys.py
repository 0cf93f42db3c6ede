"""AWS managed keys: how they come about, what they are used for, and that nobody changes them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from kmsmock import mock_kms
from tests.authorization.documents import allow, policy
from tests.aws_managed_keys import SHOWN, in_short
from tests.refusals import refused

ACCOUNT, OTHER = "123456789012", "444455556666"
MODEL = json.loads((Path(__file__).parents[1] / "data" / "kms_model.json").read_text())


@pytest.fixture
def kms():
    """A mock, by one door: which keys there are has nothing to do with doors."""
    with mock_kms(isolated=True) as kms:
        yield kms


@pytest.fixture
def s3_key(client):
    """The AWS managed key of S3."""
    return client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]


@pytest.fixture
def role(kms):
    """A role without any IAM permission."""
    return kms.account(ACCOUNT).role("App")


def described(client, name):
    return client.describe_key(KeyId=f"alias/aws/{name}")["KeyMetadata"]


def policy_of(client, name):
    text = client.get_key_policy(KeyId=described(client, name)["KeyId"])["Policy"]
    return json.loads(text)


def predefined(client):
    """Give the entries of the predefined aliases by name."""
    pages = client.get_paginator("list_aliases").paginate()
    listed = [alias for page in pages for alias in page["Aliases"]]
    return {a["AliasName"]: a for a in listed if a["AliasName"].startswith("alias/aws/")}


# --- how they come about ----------------------------------------------------------------------


def test_a_new_account_has_the_predefined_aliases_and_no_key(client):
    assert list(predefined(client)) == [f"alias/aws/{name}" for name in sorted(SHOWN)]
    assert all(set(alias) == {"AliasName", "AliasArn"} for alias in predefined(client).values())
    assert client.list_keys()["Keys"] == []


@pytest.mark.parametrize("size", [1, 4])
def test_pages_of_predefined_aliases_follow_each_other_without_gaps(client, size):
    client.create_alias(
        AliasName="alias/own", TargetKeyId=client.create_key()["KeyMetadata"]["KeyId"]
    )
    whole = client.list_aliases()["Aliases"]

    pages = client.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": size})

    assert [alias for page in pages for alias in page["Aliases"]] == whole


@pytest.mark.parametrize(
    "reference", ["alias/aws/s3", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/s3"]
)
def test_describing_a_predefined_alias_makes_its_key(kms, client, reference):
    metadata = client.describe_key(KeyId=reference)["KeyMetadata"]

    assert len(metadata.pop("CurrentKeyMaterialId")) == 64
    assert metadata.pop("CreationDate") <= kms.clock.now()
    key_id = metadata["KeyId"]
    assert metadata == {
        "AWSAccountId": ACCOUNT,
        "KeyId": key_id,
        "Arn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{key_id}",
        "Enabled": True,
        "Description": "Default key that protects my S3 objects when no other key is defined",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "AWS",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }
    assert client.list_keys()["Keys"] == [{"KeyId": key_id, "KeyArn": metadata["Arn"]}]


def test_it_is_made_once_in_each_account_and_region(kms, client, s3_key):
    elsewhere = [kms.client(region="eu-west-1"), kms.account(OTHER).client()]

    ids = {described(asked, "s3")["KeyId"] for asked in (client, client, *elsewhere)}

    assert s3_key["KeyId"] in ids
    assert len(ids) == 3


def test_the_alias_has_key_and_dates_once_there_is_one(client, s3_key):
    aliases = predefined(client)

    assert aliases["alias/aws/s3"] == {
        "AliasName": "alias/aws/s3",
        "AliasArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/s3",
        "TargetKeyId": s3_key["KeyId"],
        "CreationDate": s3_key["CreationDate"],
        "LastUpdatedDate": s3_key["CreationDate"],
    }
    assert len(aliases) == len(SHOWN)
    (of_key,) = client.list_aliases(KeyId=s3_key["KeyId"])["Aliases"]
    assert of_key == aliases["alias/aws/s3"]


def test_no_operation_but_describe_key_makes_one(client):
    alias = "alias/aws/s3"
    text = f"Alias arn:aws:kms:us-east-1:{ACCOUNT}:{alias} is not found."

    for method, parameters in (
        ("encrypt", {"Plaintext": b"text"}),
        ("generate_data_key", {"KeySpec": "AES_256"}),
        ("get_public_key", {}),
    ):
        with refused("NotFoundException", text):
            getattr(client, method)(KeyId=alias, **parameters)
    with refused("InvalidArnException"):
        client.get_key_policy(KeyId=alias)
    assert client.list_keys()["Keys"] == []


def test_a_service_that_needs_its_key_makes_it(kms, client, role):
    key = {"KeyId": "alias/aws/s3", "KeySpec": "AES_256"}
    blob = role.via("s3").client().generate_data_key(**key)["CiphertextBlob"]

    assert kms.calls[-1].key_arn == described(client, "s3")["Arn"]
    assert role.via("s3").client().decrypt(CiphertextBlob=blob)["Plaintext"]


def test_who_may_not_describe_the_key_does_not_make_it(kms, role):
    with refused("AccessDeniedException"):
        role.client().describe_key(KeyId="alias/aws/s3")
    with refused("AccessDeniedException"):
        role.via("sqs").client().generate_data_key(KeyId="alias/aws/s3", KeySpec="AES_256")

    assert kms.keys == ()


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        pytest.param("alias/aws/unknown", "NotFoundException", id="no service"),
        pytest.param("alias/aws/", "NotFoundException", id="no name"),
        pytest.param("aws/s3", "NotFoundException", id="no prefix"),
        pytest.param(
            f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/aws/s3", "NotFoundException", id="other Region"
        ),
        pytest.param(
            f"arn:aws:kms:us-east-1:{OTHER}:alias/aws/s3",
            "AccessDeniedException",
            id="other account",
        ),
    ],
)
def test_what_is_no_predefined_alias_of_the_account_here_makes_nothing(
    kms, client, reference, code
):
    with refused(code):
        client.describe_key(KeyId=reference)

    assert kms.keys == ()


def test_an_unknown_name_is_no_alias(client):
    text = f"Alias arn:aws:kms:us-east-1:{ACCOUNT}:alias/aws/x is not found."

    with refused("NotFoundException", text):
        client.describe_key(KeyId="alias/aws/x")


# --- their policies ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHOWN)
def test_each_key_has_the_policy_that_kms_gives_it(client, name):
    policy_id, _, statements = SHOWN[name]

    document = policy_of(client, name)

    shown = [
        (statement["Sid"], in_short(statement, ACCOUNT, "us-east-1", "aws"))
        for statement in document["Statement"]
    ]
    assert (document["Id"], document["Version"]) == (policy_id, "2012-10-17")
    assert shown == statements


@pytest.mark.parametrize("name", [name for name, (_, words, _) in SHOWN.items() if words])
def test_each_key_has_the_description_that_kms_gives_it(client, name):
    words = SHOWN[name][1]

    assert described(client, name)["Description"] == (
        f"Default key that protects my {words} when no other key is defined"
    )


def test_a_policy_is_printed_as_kms_prints_it(client):
    text = client.get_key_policy(KeyId=described(client, "dynamodb")["KeyId"])["Policy"]

    assert text == (
        """{
  "Version" : "2012-10-17",
  "Id" : "auto-dynamodb-3",
  "Statement" : [ {
    "Sid" : "Allow access through Amazon DynamoDB for all principals in the account that are """
        """authorized to use Amazon DynamoDB",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", """
        """"kms:CreateGrant", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:CallerAccount" : "123456789012"
      },
      "StringLike" : {
        "kms:ViaService" : "dynamodb.*.amazonaws.com"
      }
    }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::123456789012:root"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  }, {
    "Sid" : "Allow DynamoDB to directly describe the key",
    "Effect" : "Allow",
    "Principal" : {
      "Service" : "dynamodb.amazonaws.com"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*" ],
    "Resource" : "*"
  } ]
}"""
    )


@pytest.mark.parametrize(
    ("region", "partition"),
    [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-west-1", "aws")],
)
def test_in_other_partitions_the_account_is_named_by_its_arn_there(kms, region, partition):
    client = kms.client(region=region)

    statements = policy_of(client, "s3")["Statement"]

    assert described(client, "s3")["Arn"].startswith(f"arn:{partition}:kms:{region}:")
    assert predefined(client)["alias/aws/s3"]["AliasArn"] == (
        f"arn:{partition}:kms:{region}:{ACCOUNT}:alias/aws/s3"
    )
    assert [in_short(s, ACCOUNT, region, partition) for s in statements] == [
        line for _, line in SHOWN["s3"][2]
    ]
    role = kms.account(ACCOUNT).role("App").via("s3").client(region=region)
    assert role.encrypt(KeyId="alias/aws/s3", Plaintext=b"text")


# --- use through the service ------------------------------------------------------------------

#: Name of each key with which a service encrypts for its callers -> that service.
SERVICES = {
    name: found[1]
    for name, (_, _, statements) in SHOWN.items()
    for _, line in statements[:1]
    if "GenerateDataKey*" in line and (found := re.search(r"ViaService=([\w-]+)", line))
}


def test_most_keys_are_used_through_one_service():
    assert set(SHOWN) - set(SERVICES) == {"acm", "connect", "secretsmanager", "ses"}


@pytest.mark.parametrize("name", [*SERVICES, "secretsmanager"])
def test_a_caller_of_the_service_needs_no_iam_permission(client, role, name):
    service = SERVICES.get(name, name)
    key_id = described(client, name)["KeyId"]
    through = role.via(service).client()

    blob = through.generate_data_key(KeyId=key_id, KeySpec="AES_256")["CiphertextBlob"]

    assert len(through.decrypt(CiphertextBlob=blob)["Plaintext"]) == 32
    for other in (role, role.via("kms")):
        with refused("AccessDeniedException"):
            other.client().decrypt(CiphertextBlob=blob)


@pytest.mark.parametrize("name", ["s3", "dynamodb", "ses", "connect", "acm"])
def test_nobody_of_another_account_may_use_it_through_the_service_either(kms, client, name):
    key = described(client, name)
    may_all = policy(allow("kms:*"))
    stranger = kms.account(OTHER).role("App", policies=[may_all])

    for caller in (stranger, stranger.via(name)):
        text = (
            f"User: {caller.caller_arn} is not authorized to perform: kms:Encrypt on this resource "
            "because the resource does not exist in this Region, no resource-based policies allow "
            "access, or a resource-based policy explicitly denies access"
        )
        with refused("AccessDeniedException", text):
            caller.client().encrypt(KeyId=key["Arn"], Plaintext=b"text")
        with refused("AccessDeniedException"):
            caller.client().describe_key(KeyId=key["Arn"])


@pytest.mark.parametrize(
    ("name", "action", "region", "allowed"),
    [
        ("secretsmanager", "kms:GenerateDataKey", "eu-west-1", True),
        ("secretsmanager", "kms:Decrypt", "eu-west-1", False),
        ("secretsmanager", "kms:Decrypt", "us-east-1", True),
        ("dynamodb", "kms:Decrypt", "eu-west-1", True),
        ("s3", "kms:Decrypt", "eu-west-1", False),
    ],
)
def test_some_services_call_from_other_regions(kms, client, role, name, action, region, allowed):
    via = {"kms:ViaService": f"{name}.{region}.amazonaws.com"}

    decision = kms.explain(role, action, described(client, name)["Arn"], context=via)

    assert decision.allowed is allowed


def test_redshift_has_two_services_and_mq_stores_in_efs(client, role):
    for name, service in (("redshift", "redshift-serverless"), ("mq", "elasticfilesystem")):
        key_id = described(client, name)["KeyId"]
        assert role.via(service).client().encrypt(KeyId=key_id, Plaintext=b"text")


@pytest.mark.parametrize(
    ("operations", "allowed"),
    [
        (["Decrypt"], True),
        (["Encrypt", "ReEncryptFrom", "ReEncryptTo"], True),
        (["Encrypt", "Decrypt"], False),
        (["DescribeKey"], False),
    ],
)
def test_acm_grants_either_encryption_or_decryption(client, role, operations, allowed):
    grant = {"GranteePrincipal": role.arn, "Operations": operations}
    request = {"KeyId": described(client, "acm")["KeyId"], **grant}

    if allowed:
        assert role.via("acm").client().create_grant(**request)["GrantId"]
    else:
        with refused("AccessDeniedException"):
            role.via("acm").client().create_grant(**request)


def test_ses_encrypts_messages_of_the_account_and_the_account_decrypts(kms, client):
    arn = described(client, "ses")["Arn"]
    context = {
        "aws:ses:source-account": ACCOUNT,
        "aws:ses:message-id": "1",
        "aws:ses:rule-name": "keep",
    }
    ses = kms.principal("ses.us-east-1.amazonaws.com").client()

    blob = ses.encrypt(KeyId=arn, Plaintext=b"mail", EncryptionContext=context)["CiphertextBlob"]

    mail = client.decrypt(CiphertextBlob=blob, EncryptionContext=context)
    assert mail["Plaintext"] == b"mail"
    for wrong in ({"aws:ses:source-account": OTHER}, {"aws:ses:rule-name": None}):
        other = {name: value for name, value in {**context, **wrong}.items() if value}
        with refused("AccessDeniedException"):
            ses.encrypt(KeyId=arn, Plaintext=b"mail", EncryptionContext=other)


def test_connect_lets_s3_decrypt_recordings_and_nobody_encrypt_without_its_context(client, role):
    key_id = described(client, "connect")["KeyId"]
    grantee = {"GranteePrincipal": role.arn, "Operations": ["GenerateDataKey", "Decrypt"]}
    role.via("connect").client().create_grant(KeyId=key_id, **grantee)
    context = {"aws:connect:OrganizationId": "o"}
    request = {"KeyId": key_id, "KeySpec": "AES_256"}

    through = role.via("connect").client()
    blob = through.generate_data_key(EncryptionContext=context, **request)["CiphertextBlob"]

    assert role.via("s3").client().decrypt(CiphertextBlob=blob, EncryptionContext=context)
    with refused("AccessDeniedException"):
        through.generate_data_key(**request)
    with refused("AccessDeniedException"):
        role.client().generate_data_key(EncryptionContext=context, **request)


def test_sns_decrypts_archived_messages_of_the_account(kms, client, role):
    key_id = described(client, "sns")["KeyId"]
    data_key = role.via("sns").client().generate_data_key(KeyId=key_id, KeySpec="AES_256")
    sns = kms.principal("sns.amazonaws.com")
    topic = f"arn:aws:sns:us-east-1:{ACCOUNT}:orders"

    assert sns.on_behalf_of(topic).client().decrypt(CiphertextBlob=data_key["CiphertextBlob"])
    for other in (sns, sns.on_behalf_of(topic.replace(ACCOUNT, OTHER))):
        with refused("AccessDeniedException"):
            other.client().decrypt(CiphertextBlob=data_key["CiphertextBlob"])


def test_dynamodb_describes_its_key_in_its_own_name(kms, client):
    arn = described(client, "dynamodb")["Arn"]
    service = kms.principal("dynamodb.amazonaws.com").client()

    assert service.describe_key(KeyId=arn)["KeyMetadata"]["KeyManager"] == "AWS"
    with refused("AccessDeniedException"):
        service.encrypt(KeyId=arn, Plaintext=b"text")


def test_a_grant_that_a_service_made_is_used_retired_and_revoked_directly(kms, client, role):
    key = described(client, "ebs")
    key_id = key["KeyId"]
    retirer = kms.account(ACCOUNT).role("Retirer")
    terms = {
        "KeyId": key_id,
        "GranteePrincipal": role.arn,
        "RetiringPrincipal": retirer.arn,
        "Operations": ["Encrypt"],
    }
    first, second = (role.via("ec2").client().create_grant(**terms)["GrantId"] for _ in range(2))

    assert role.client().encrypt(KeyId=key_id, Plaintext=b"text")
    assert len(client.list_grants(KeyId=key_id)["Grants"]) == 2
    retirer.client().retire_grant(KeyId=key["Arn"], GrantId=first)
    client.revoke_grant(KeyId=key_id, GrantId=second)
    with refused("AccessDeniedException"):
        role.client().encrypt(KeyId=key_id, Plaintext=b"text")


# --- nobody changes them, or uses them directly -----------------------------------------------

TAG = [{"TagKey": "a", "TagValue": "b"}]
#: Operation -> the parameters beside the key.
CHANGES = {
    "CancelKeyDeletion": {},
    "CreateAlias": {"AliasName": "alias/mine"},
    "CreateGrant": {
        "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/App",
        "Operations": ["Decrypt"],
    },
    "DeleteImportedKeyMaterial": {},
    "DisableKey": {},
    "DisableKeyRotation": {},
    "EnableKey": {},
    "EnableKeyRotation": {},
    "ImportKeyMaterial": {"ImportToken": b"token", "EncryptedKeyMaterial": b"material"},
    "PutKeyPolicy": {"Policy": "{}"},
    "ReplicateKey": {"ReplicaRegion": "eu-west-1"},
    "RotateKeyOnDemand": {},
    "ScheduleKeyDeletion": {},
    "TagResource": {"Tags": TAG},
    "UntagResource": {"TagKeys": ["a"]},
    "UpdateAlias": {"AliasName": "alias/mine"},
    "UpdateKeyDescription": {"Description": "mine"},
    "UpdatePrimaryRegion": {"PrimaryRegion": "eu-west-1"},
}
USES = {
    "Decapsulate": {"EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": b"x"},
    "DeriveSharedSecret": {"KeyAgreementAlgorithm": "ECDH", "PublicKey": b"x"},
    "Encapsulate": {"EncapsulationAlgorithm": "ML_KEM"},
    "Encrypt": {"Plaintext": b"text"},
    "GenerateDataKey": {"KeySpec": "AES_256"},
    "GenerateDataKeyPair": {"KeyPairSpec": "ECC_NIST_P256"},
    "GenerateDataKeyPairWithoutPlaintext": {"KeyPairSpec": "ECC_NIST_P256"},
    "GenerateDataKeyWithoutPlaintext": {"KeySpec": "AES_256"},
    "GenerateMac": {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"},
    "Sign": {"Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"},
    "Verify": {"Message": b"x", "Signature": b"x", "SigningAlgorithm": "ECDSA_SHA_256"},
    "VerifyMac": {"Message": b"x", "Mac": b"x", "MacAlgorithm": "HMAC_SHA_256"},
}
#: Operation -> its parameters, and the error that is not about permissions.
READINGS = {
    "DescribeKey": ({}, None),
    "GetKeyLastUsage": ({}, None),
    "GetKeyPolicy": ({}, None),
    "GetKeyRotationStatus": ({}, None),
    "GetParametersForImport": (
        {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
        "UnsupportedOperationException",
    ),
    "GetPublicKey": ({}, "UnsupportedOperationException"),
    "ListAliases": ({}, None),
    "ListGrants": ({}, None),
    "ListKeyPolicies": ({}, None),
    "ListKeyRotations": ({}, None),
    "ListResourceTags": ({}, None),
}
#: Those that have tests of their own.
OTHERS = {"Decrypt", "RetireGrant", "RevokeGrant"}


def method_of(client, operation):
    return getattr(client, re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower())


def test_all_operations_on_a_key_are_in_these_tables():
    on_a_key = {
        name
        for name, shape in MODEL["operations"].items()
        if {"KeyId", "TargetKeyId"} & set(shape["input"])
    }

    assert on_a_key == {*CHANGES, *USES, *READINGS, *OTHERS}


@pytest.mark.parametrize("who", ["administrator", "root"])
@pytest.mark.parametrize("operation", [*CHANGES, *USES])
def test_what_its_policy_does_not_allow_is_refused_to_everybody(
    kms, client, new_key, operation, who
):
    key = described(client, "ebs")
    kms.account(ACCOUNT).role("App")
    client.create_alias(AliasName="alias/mine", TargetKeyId=new_key()["KeyId"])
    caller = getattr(kms.account(ACCOUNT), who)
    member = "TargetKeyId" if operation in ("CreateAlias", "UpdateAlias") else "KeyId"
    request = {member: key["KeyId"], **CHANGES.get(operation, USES.get(operation, {}))}
    text = (
        f"User: {caller.arn} is not authorized to perform: kms:{operation} on resource: "
        f"{key['Arn']} because no resource-based policy allows the kms:{operation} action"
    )

    with refused("AccessDeniedException", text):
        method_of(caller.client(), operation)(**request)
    assert described(client, "ebs") == key


@pytest.mark.parametrize("operation", CHANGES)
def test_its_service_changes_nothing_but_grants(client, new_key, role, operation):
    key = described(client, "ebs")
    client.create_alias(AliasName="alias/mine", TargetKeyId=new_key()["KeyId"])
    member = "TargetKeyId" if operation in ("CreateAlias", "UpdateAlias") else "KeyId"
    request = {member: key["KeyId"], **CHANGES[operation]}

    if operation == "CreateGrant":
        assert role.via("ec2").client().create_grant(**request)["GrantId"]
    else:
        with refused("AccessDeniedException"):
            method_of(role.via("ec2").client(), operation)(**request)


@pytest.mark.parametrize("operation", READINGS)
def test_the_account_may_read_about_it_where_iam_allows_that(kms, role, s3_key, operation):
    parameters, error = READINGS[operation]
    reader = kms.account(ACCOUNT).role("Reader", policies=[policy(allow(f"kms:{operation}"))])
    request = {"KeyId": s3_key["KeyId"], **parameters}

    if error is None:
        assert "ResponseMetadata" in method_of(reader.client(), operation)(**request)
    else:
        with refused(error):
            method_of(reader.client(), operation)(**request)
    with refused("AccessDeniedException"):
        method_of(role.client(), operation)(**request)


def test_ciphertexts_under_it_are_not_decrypted_or_moved_directly(client, new_key, role, s3_key):
    through = role.via("s3").client()
    blob = through.encrypt(KeyId=s3_key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    own = client.encrypt(KeyId=new_key()["KeyId"], Plaintext=b"x")["CiphertextBlob"]

    for action, method, request in (
        ("Decrypt", "decrypt", {"CiphertextBlob": blob}),
        ("ReEncryptFrom", "re_encrypt", {"CiphertextBlob": blob, "DestinationKeyId": "alias/none"}),
        (
            "ReEncryptTo",
            "re_encrypt",
            {"CiphertextBlob": own, "DestinationKeyId": s3_key["KeyId"]},
        ),
    ):
        text = f"is not authorized to perform: kms:{action} on resource: {s3_key['Arn']} because"
        with refused("AccessDeniedException") as caught:
            getattr(client, method)(**request)
        assert text in str(caught.value)


@pytest.mark.parametrize("method", ["create_alias", "update_alias", "delete_alias"])
def test_its_alias_cannot_be_taken_moved_or_deleted(client, new_key, s3_key, method):
    target = {} if method == "delete_alias" else {"TargetKeyId": new_key()["KeyId"]}

    with refused("NotAuthorizedException", ""):
        getattr(client, method)(AliasName="alias/aws/s3", **target)
    assert predefined(client)["alias/aws/s3"]["TargetKeyId"] == s3_key["KeyId"]


@pytest.mark.parametrize("operation", CHANGES)
def test_it_cannot_be_changed_where_policies_are_not_enforced_either(operation):
    with mock_kms(authorization="off") as kms:
        client = kms.client()
        own = client.create_key()["KeyMetadata"]["KeyId"]
        client.create_alias(AliasName="alias/mine", TargetKeyId=own)
        key = described(client, "s3")
        member = "TargetKeyId" if operation in ("CreateAlias", "UpdateAlias") else "KeyId"

        with refused("AccessDeniedException"):
            method_of(client, operation)(**{member: key["KeyId"], **CHANGES[operation]})
        assert client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")


# --- rotation ---------------------------------------------------------------------------------


def test_it_is_rotated_every_year(kms, client, role, s3_key):
    key_id = s3_key["KeyId"]
    through = role.via("s3").client()
    blob = through.encrypt(KeyId=key_id, Plaintext=b"old")["CiphertextBlob"]
    before = client.get_key_rotation_status(KeyId=key_id)
    kms.clock.advance(days=2 * 365)

    status = client.get_key_rotation_status(KeyId=key_id)
    rotations = client.list_key_rotations(KeyId=key_id)["Rotations"]
    year = timedelta(days=365)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 365)
    del before["ResponseMetadata"]
    assert before == {"KeyId": s3_key["Arn"], "KeyRotationEnabled": False}
    assert status["NextRotationDate"] == s3_key["CreationDate"] + 3 * year
    assert [rotation["RotationDate"] for rotation in rotations] == [
        s3_key["CreationDate"] + year,
        s3_key["CreationDate"] + 2 * year,
    ]
    assert {rotation["RotationType"] for rotation in rotations} == {"AUTOMATIC"}
    assert described(client, "s3")["CurrentKeyMaterialId"] == rotations[-1]["KeyMaterialId"]
    assert through.decrypt(CiphertextBlob=blob)["Plaintext"] == b"old"
