"""Grants."""

from __future__ import annotations

import json

import pytest

from kmsmock.operations import grants as grants_module
from tests.refusals import refused

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/Admin"


def grant(client, key_id, **parameters):
    wanted = {"GranteePrincipal": ROLE, "Operations": ["Decrypt"], **parameters}
    return client.create_grant(KeyId=key_id, **{k: v for k, v in wanted.items() if v is not None})


def test_a_grant_is_listed_with_its_terms(client, new_key):
    key = new_key()
    constraints = {"EncryptionContextSubset": {"tenant": "a"}}

    made = grant(
        client,
        key["KeyId"],
        Name="app",
        RetiringPrincipal=ADMIN,
        Operations=["Decrypt", "Encrypt"],
        Constraints=constraints,
    )

    [entry] = client.list_grants(KeyId=key["KeyId"])["Grants"]
    created = entry.pop("CreationDate")
    assert created.microsecond == 0
    assert entry == {
        "KeyId": key["Arn"],
        "GrantId": made["GrantId"],
        "Name": "app",
        "GranteePrincipal": ROLE,
        "RetiringPrincipal": ADMIN,
        "IssuingAccount": f"arn:aws:iam::{ACCOUNT}:root",
        "Operations": ["Decrypt", "Encrypt"],
        "Constraints": constraints,
    }
    assert len(made["GrantId"]) == 64
    assert 0 < len(made["GrantToken"]) <= 8192


def test_a_named_grant_is_made_once(client, new_key):
    key_id = new_key()["KeyId"]

    first, again = (grant(client, key_id, Name="app") for _ in range(2))
    other = grant(client, key_id, Name="app", Operations=["Encrypt"])
    unnamed = [grant(client, key_id)["GrantId"] for _ in range(2)]

    assert first["GrantId"] == again["GrantId"] != other["GrantId"]
    assert first["GrantToken"] != again["GrantToken"]
    assert unnamed[0] != unnamed[1]


SYMMETRIC_GRANTS = [
    *("Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    *("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"),
]
#: Key spec, key usage -> what a grant can allow besides CreateGrant, RetireGrant and DescribeKey.
#: Source: AWS KMS API Reference, CreateGrant.
GRANT_OPERATIONS = {
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"): SYMMETRIC_GRANTS,
    ("RSA_2048", "ENCRYPT_DECRYPT"): [
        *("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GetPublicKey")
    ],
    ("RSA_2048", "SIGN_VERIFY"): ["Sign", "Verify", "GetPublicKey"],
    ("ECC_NIST_P256", "SIGN_VERIFY"): ["Sign", "Verify", "GetPublicKey"],
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"): ["Sign", "Verify", "GetPublicKey"],
    ("ECC_NIST_P256", "KEY_AGREEMENT"): ["DeriveSharedSecret", "GetPublicKey"],
    ("ML_DSA_44", "SIGN_VERIFY"): ["Sign", "Verify", "GetPublicKey"],
    ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE"): ["Encapsulate", "Decapsulate", "GetPublicKey"],
    ("HMAC_256", "GENERATE_VERIFY_MAC"): ["GenerateMac", "VerifyMac"],
}


@pytest.mark.parametrize(
    ("spec", "usage"), GRANT_OPERATIONS, ids=lambda text: text.lower().replace("_", "-")
)
def test_a_grant_allows_what_such_a_key_can_do_and_nothing_else(client, new_key, spec, usage):
    model = client.meta.service_model
    if spec not in model.shape_for("KeySpec").enum:
        pytest.skip("the installed botocore does not know this key spec")
    possible = {*GRANT_OPERATIONS[spec, usage], "CreateGrant", "RetireGrant", "DescribeKey"}
    if not possible <= set(model.shape_for("GrantOperation").enum):
        pytest.skip("the installed botocore does not know these operations")
    key_id = new_key(KeySpec=spec, KeyUsage=usage)["KeyId"]
    role = {"KeyId": key_id, "GranteePrincipal": "arn:aws:iam::123456789012:role/App"}

    assert client.create_grant(**role, Operations=sorted(possible))
    for operation in set(model.shape_for("GrantOperation").enum) - possible:
        with refused("ValidationException"):
            client.create_grant(**role, Operations=[operation])


@pytest.mark.parametrize(
    ("parameters", "code", "message"),
    [
        pytest.param(
            {"GranteePrincipal": "someone"},
            "InvalidArnException",
            "ARN is not valid: someone",
            id="grantee is no ARN",
        ),
        pytest.param(
            {"RetiringPrincipal": "arn:aws:s3:::bucket"},
            "InvalidArnException",
            "ARN is not valid: arn:aws:s3:::bucket",
            id="retiring principal of another service",
        ),
        pytest.param(
            {"Operations": ["Sign"]},
            "ValidationException",
            "Operations [Sign] are not supported when creating a grant for a symmetric KMS key "
            "with key usage ENCRYPT_DECRYPT. Valid operations are [CreateGrant, RetireGrant, "
            "DescribeKey, Decrypt, Encrypt, GenerateDataKey, GenerateDataKeyWithoutPlaintext, "
            "ReEncryptFrom, ReEncryptTo, GenerateDataKeyPair, "
            "GenerateDataKeyPairWithoutPlaintext]",
            id="operation of another usage",
        ),
        pytest.param(
            {"Operations": ["CreateGrant"]},
            "ValidationException",
            "Grants must not contain only the CreateGrant operation.",
            id="CreateGrant alone",
        ),
        pytest.param({"Operations": []}, "ValidationException", None, id="no operations"),
        pytest.param({"GranteePrincipal": None}, "ValidationException", None, id="no grantee"),
        pytest.param(
            {
                "Constraints": {
                    "EncryptionContextEquals": {"a": "b"},
                    "EncryptionContextSubset": {"a": "b"},
                }
            },
            "ValidationException",
            None,
            id="both context constraints",
        ),
        pytest.param(
            {"Constraints": {"EncryptionContextEquals": {str(n): "" for n in range(9)}}},
            "ValidationException",
            None,
            id="nine pairs",
        ),
        pytest.param(
            {"Constraints": {"EncryptionContextEquals": {"a": "x" * 385}}},
            "ValidationException",
            None,
            id="long value",
        ),
    ],
)
def test_a_grant_that_cannot_be_is_refused(client, new_key, parameters, code, message):
    key_id = new_key()["KeyId"]

    with refused(code, message):
        grant(client, key_id, **parameters)

    assert client.list_grants(KeyId=key_id)["Grants"] == []


def test_context_constraints_need_a_symmetric_encryption_key(client, new_key):
    key_id = new_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"]
    text = (
        "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS "
        "key."
    )

    with refused("ValidationException", text):
        grant(
            client,
            key_id,
            Operations=["GenerateMac"],
            Constraints={"EncryptionContextEquals": {"a": "b"}},
        )


def test_the_quota_of_grants_is_enforced(client, new_key, monkeypatch):
    monkeypatch.setattr(grants_module, "GRANTS_QUOTA", 1)
    key_id = new_key()["KeyId"]
    grant(client, key_id)

    with refused("LimitExceededException"):
        grant(client, key_id)


def test_grants_are_found_by_id_and_grantee(client, new_key):
    key_id = new_key()["KeyId"]
    first = grant(client, key_id)["GrantId"]
    second = grant(client, key_id, GranteePrincipal=ADMIN)["GrantId"]

    by_id = client.list_grants(KeyId=key_id, GrantId=first)["Grants"]
    by_grantee = client.list_grants(KeyId=key_id, GranteePrincipal=ADMIN)["Grants"]

    assert [g["GrantId"] for g in by_id] == [first]
    assert [g["GrantId"] for g in by_grantee] == [second]
    with refused("InvalidArnException", "Input does not refer to a valid principal"):
        client.list_grants(KeyId=key_id, GranteePrincipal="someone")
    with refused("ValidationException"):
        client.list_grants(
            KeyId=key_id, GranteePrincipal=ADMIN, GranteeServicePrincipal="sns.amazonaws.com"
        )


def test_retirable_grants_are_those_that_name_the_principal(client, new_key):
    key_id = new_key()["KeyId"]
    grant(client, key_id)
    retirable = grant(client, key_id, RetiringPrincipal=ADMIN)["GrantId"]

    listed = client.list_retirable_grants(RetiringPrincipal=ADMIN)["Grants"]

    assert [g["GrantId"] for g in listed] == [retirable]


@pytest.mark.parametrize("filtered_by", [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"])
@pytest.mark.parametrize("named", [ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root"])
def test_an_account_id_in_a_grant_is_listed_as_the_root_of_the_account(
    client, new_key, named, filtered_by
):
    root = f"arn:aws:iam::{ACCOUNT}:root"
    key = new_key()
    made = grant(client, key["KeyId"], GranteePrincipal=named, RetiringPrincipal=named)

    [listed] = client.list_grants(KeyId=key["KeyId"], GranteePrincipal=filtered_by)["Grants"]
    [retirable] = client.list_retirable_grants(RetiringPrincipal=filtered_by)["Grants"]

    assert listed == retirable
    assert (listed["GranteePrincipal"], listed["RetiringPrincipal"]) == (root, root)
    assert listed["GrantId"] == made["GrantId"]


def test_a_named_grant_to_an_account_is_the_same_by_id_and_by_arn(client, new_key):
    key_id = new_key()["KeyId"]
    by_id = grant(client, key_id, GranteePrincipal=ACCOUNT, Name="one")

    by_arn = grant(client, key_id, GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:root", Name="one")

    assert by_arn["GrantId"] == by_id["GrantId"]


@pytest.mark.parametrize("by", ["token", "id"])
def test_a_grant_is_retired_by_token_or_by_key_and_id(client, new_key, by):
    key = new_key()
    made = grant(client, key["KeyId"])
    named = (
        {"GrantToken": made["GrantToken"]}
        if by == "token"
        else {"KeyId": key["Arn"], "GrantId": made["GrantId"]}
    )

    with refused("DryRunOperationException"):
        client.retire_grant(DryRun=True, **named)
    client.retire_grant(**named)

    assert client.list_grants(KeyId=key["KeyId"])["Grants"] == []


@pytest.mark.parametrize("named", [{}, {"KeyId": "x"}, {"GrantToken": "x", "KeyId": "x"}])
def test_a_grant_to_retire_is_named_in_just_one_way(client, named):
    with refused("ValidationException"):
        client.retire_grant(**named)


def test_an_unknown_grant_is_not_found(client, new_key):
    key_id = new_key()["KeyId"]

    with refused("NotFoundException"):
        client.revoke_grant(KeyId=key_id, GrantId="0" * 64)
    with refused("InvalidGrantTokenException"):
        client.retire_grant(GrantToken="unknown")


def test_what_is_no_grant_id_is_refused_as_such(client, new_key):
    key = new_key()

    for method in ("list_grants", "retire_grant", "revoke_grant"):
        with refused("InvalidGrantIdException"):
            getattr(client, method)(KeyId=key["Arn"], GrantId="0" * 63)
    assert client.list_grants(KeyId=key["Arn"], GrantId="0" * 64)["Grants"] == []


@pytest.mark.parametrize("kind", ["Equals", "Subset"])
def test_more_than_one_constraint_on_the_encryption_context_is_refused(client, new_key, kind):
    constraints = {"EncryptionContextEquals": {"a": "b"}, "EncryptionContextSubset": {"a": "b"}}
    constraints[f"EncryptionContext{kind}"] = {}

    with refused("ValidationException", "More than one constraint supplied"):
        grant(client, new_key()["KeyId"], Constraints=constraints)


def test_filters_by_service_principals_are_for_services(kms, client, new_key):
    key = new_key()
    by_grantee = {"KeyId": key["Arn"], "GranteeServicePrincipal": "sns.amazonaws.com"}
    by_retirer = {"RetiringServicePrincipal": "sns.amazonaws.com"}

    with refused("ValidationException"):
        client.list_grants(**by_grantee)
    with refused("ValidationException"):
        client.list_retirable_grants(**by_retirer)

    everybody = {"AWS": "*", "Service": "sns.amazonaws.com"}
    allowed = {"Effect": "Allow", "Principal": everybody, "Action": "kms:*", "Resource": "*"}
    client.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps({"Statement": allowed}))
    assert kms.principal("sns.amazonaws.com").client().list_grants(**by_grantee)["Grants"] == []


def test_grants_are_listed_by_one_kind_of_grantee(client, new_key):
    with refused("ValidationException"):
        client.list_grants(
            KeyId=new_key()["KeyId"],
            GranteePrincipal=ADMIN,
            GranteeServicePrincipal="s3.amazonaws.com",
        )


@pytest.mark.parametrize("retirer", ["444455556666", "arn:aws:iam::444455556666:root"])
def test_an_account_does_not_ask_what_principals_of_others_may_retire(client, new_key, retirer):
    grant(client, new_key()["KeyId"], RetiringPrincipal=retirer)

    with refused("AccessDeniedException") as caught:
        client.list_retirable_grants(RetiringPrincipal=retirer)

    assert "on this resource because the resource does not exist" in str(caught.value)


def test_a_grant_token_is_taken_by_other_calls_until_the_grant_ends(client, new_key):
    key_id = new_key()["KeyId"]
    made = grant(client, key_id)
    tokens = {"GrantTokens": [made["GrantToken"]]}

    client.encrypt(KeyId=key_id, Plaintext=b"text", **tokens)
    client.revoke_grant(KeyId=key_id, GrantId=made["GrantId"])

    with refused("InvalidGrantTokenException"):
        client.encrypt(KeyId=key_id, Plaintext=b"text", **tokens)
    with refused("InvalidGrantTokenException"):
        client.describe_key(KeyId=key_id, GrantTokens=["unknown"])


SERVICE = {
    "GranteePrincipal": None,
    "GranteeServicePrincipal": "backup.us-east-1.amazonaws.com",
    "RetiringPrincipal": ADMIN,
    "Constraints": {"SourceArn": "arn:aws:backup:us-east-1:123456789012:vault/x"},
}


def test_a_service_can_be_given_a_grant(client, new_key):
    model = client.meta.service_model.operation_model("CreateGrant")
    if "GranteeServicePrincipal" not in model.input_shape.members:
        pytest.skip("the installed botocore does not know grants for services")
    key_id = new_key()["KeyId"]

    grant(client, key_id, **SERVICE)

    [entry] = client.list_grants(KeyId=key_id)["Grants"]
    assert entry["GranteeServicePrincipal"] == SERVICE["GranteeServicePrincipal"]
    for missing in ("RetiringPrincipal", "Constraints"):
        with refused("ValidationException"):
            grant(client, key_id, **{**SERVICE, missing: None})
    with refused("ValidationException"):
        grant(client, key_id, **{**SERVICE, "GranteePrincipal": ROLE})
    with refused("ValidationException"):
        grant(client, key_id, **SERVICE, RetiringServicePrincipal="x.y.z")


def test_a_service_lists_the_grants_of_one_kind_of_principal(kms, client, new_key):
    model = client.meta.service_model.operation_model("ListGrants")
    if "GranteeServicePrincipal" not in model.input_shape.members:
        pytest.skip("the installed botocore does not know grants for services")
    name = "sns.amazonaws.com"
    them = {"Effect": "Allow", "Principal": {"Service": name}, "Action": "kms:*", "Resource": "*"}
    us = {**them, "Principal": {"AWS": ACCOUNT}}
    key = new_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [us, them]}))
    for_it = {**SERVICE, "GranteeServicePrincipal": name}
    made = grant(client, key["KeyId"], **for_it)
    grant(client, key["KeyId"])
    service = kms.principal(name).client()

    listed = service.list_grants(KeyId=key["Arn"], GranteeServicePrincipal=name)["Grants"]

    assert [entry["GrantId"] for entry in listed] == [made["GrantId"]]
    text = "At most one of GranteePrincipal and GranteeServicePrincipal can be specified."
    with refused("ValidationException", text):
        service.list_grants(KeyId=key["Arn"], GranteePrincipal=ROLE, GranteeServicePrincipal=name)


def test_retirable_grants_are_those_of_one_principal(client):
    text = "Exactly one of RetiringPrincipal and RetiringServicePrincipal must be specified."

    with refused("ValidationException", text):
        client.list_retirable_grants()


def test_grants_are_listed_by_the_unique_id_of_their_grantee(kms, client, new_key):
    key_id = new_key()["KeyId"]
    role = kms.account("123456789012").role("App")
    made = grant(client, key_id)
    grant(client, key_id, GranteePrincipal=ADMIN)

    listed = client.list_grants(KeyId=key_id, GranteePrincipal=role.unique_id)["Grants"]

    assert [entry["GrantId"] for entry in listed] == [made["GrantId"]]
    unique_id = role.unique_id
    role.delete()
    with refused("InvalidArnException", "Input does not refer to a valid principal"):
        client.list_grants(KeyId=key_id, GranteePrincipal=unique_id)


# --- pages -------------------------------------------------------------------------------


def test_pages_follow_each_other_without_gaps(client, new_key):
    made = [new_key()["KeyId"] for _ in range(5)]

    pages = list(client.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}))

    assert [[k["KeyId"] for k in page["Keys"]] for page in pages] == [made[:2], made[2:4], made[4:]]
    assert [page["Truncated"] for page in pages] == [True, True, False]
    assert "NextMarker" not in pages[-1]


def test_what_is_deleted_between_pages_makes_none_repeat_or_skip(kms, client, new_key):
    made = [new_key()["KeyId"] for _ in range(4)]
    first = client.list_keys(Limit=2)
    client.schedule_key_deletion(KeyId=made[1], PendingWindowInDays=7)
    kms.clock.advance(days=7)

    second = client.list_keys(Limit=2, Marker=first["NextMarker"])

    assert [key["KeyId"] for key in second["Keys"]] == made[2:]


def test_a_marker_belongs_to_its_operation(client, new_key):
    key_id, _ = (new_key()["KeyId"] for _ in range(2))
    marker = client.list_keys(Limit=1)["NextMarker"]

    for call in (
        lambda: client.list_aliases(Marker=marker),
        lambda: client.list_keys(Marker=marker[:-4] + "AAAA"),
        lambda: client.list_keys(Marker="x"),
        lambda: client.list_key_policies(KeyId=key_id, Marker="x"),
    ):
        with refused("InvalidMarkerException", ""):
            call()


@pytest.mark.parametrize(
    ("method", "needs_key", "largest"),
    [
        ("list_keys", False, 1000),
        ("list_aliases", False, 100),
        ("list_grants", True, 100),
        ("list_key_policies", True, 1000),
        ("list_key_rotations", True, 1000),
        ("list_resource_tags", True, 50),
        ("describe_custom_key_stores", False, 1000),
    ],
)
def test_a_page_has_a_largest_size(client, new_key, method, needs_key, largest):
    key = {"KeyId": new_key()["KeyId"]} if needs_key else {}
    text = (
        f"1 validation error detected: Value '{largest + 1}' at 'limit' failed to satisfy "
        f"constraint: Member must have value less than or equal to {largest}"
    )

    assert getattr(client, method)(Limit=largest, **key)["Truncated"] is False
    with refused("ValidationException", text):
        getattr(client, method)(Limit=largest + 1, **key)


@pytest.mark.parametrize(
    ("method", "member"), [("list_grants", "KeyId"), ("list_retirable_grants", "RetiringPrincipal")]
)
def test_a_page_of_grants_has_fifty_by_default(client, new_key, method, member):
    key_id = new_key()["KeyId"]
    for _ in range(51):
        grant(client, key_id, RetiringPrincipal=ADMIN)
    about = {member: {"KeyId": key_id, "RetiringPrincipal": ADMIN}[member]}

    first = getattr(client, method)(**about)
    second = getattr(client, method)(**about, Marker=first["NextMarker"])

    assert (len(first["Grants"]), len(second["Grants"])) == (50, 1)


def test_a_page_of_rotations_has_a_hundred_by_default(kms, client, new_key):
    key_id = new_key()["KeyId"]
    client.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=90)
    kms.clock.advance(days=101 * 90)

    first = client.list_key_rotations(KeyId=key_id)
    second = client.list_key_rotations(KeyId=key_id, Marker=first["NextMarker"])

    assert (len(first["Rotations"]), len(second["Rotations"])) == (100, 1)


def test_a_page_of_keys_has_a_hundred_by_default(client, new_key):
    for _ in range(101):
        new_key()

    first = client.list_keys()
    second = client.list_keys(Marker=first["NextMarker"])

    assert (len(first["Keys"]), len(second["Keys"])) == (100, 1)


def test_every_list_has_pages(client, new_key):
    key_id = new_key(Tags=[{"TagKey": str(n), "TagValue": ""} for n in range(3)])["KeyId"]
    for n in range(3):
        client.create_alias(AliasName=f"alias/{n}", TargetKeyId=key_id)
        grant(client, key_id, RetiringPrincipal=ADMIN)
        client.rotate_key_on_demand(KeyId=key_id)
    calls = {
        "list_aliases": ({"KeyId": key_id}, "Aliases"),
        "list_grants": ({"KeyId": key_id}, "Grants"),
        "list_retirable_grants": ({"RetiringPrincipal": ADMIN}, "Grants"),
        "list_key_rotations": ({"KeyId": key_id}, "Rotations"),
        "list_resource_tags": ({"KeyId": key_id}, "Tags"),
    }

    for method, (parameters, member) in calls.items():
        first = getattr(client, method)(Limit=2, **parameters)
        rest = getattr(client, method)(Marker=first["NextMarker"], **parameters)
        assert (len(first[member]), len(rest[member])) == (2, 1), method
        assert rest["Truncated"] is False


def test_keys_of_other_owners_are_not_listed(client, new_key):
    model = client.meta.service_model.operation_model("ListKeys")
    if "ResourceOwners" not in model.input_shape.members:
        pytest.skip("the installed botocore does not know owners")
    new_key()

    assert client.list_keys(ResourceOwners=["OTHER_ACCOUNTS_VIA_RAM"])["Keys"] == []
    assert len(client.list_keys(ResourceOwners=["SELF", "OTHER_ACCOUNTS_VIA_RAM"])["Keys"]) == 1


# --- validation --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda c: c.create_key(KeySpec="RSA_1"),
            "1 validation error detected: Value 'RSA_1' at 'keySpec' failed to satisfy "
            "constraint: Member must satisfy enum value set: [RSA_2048, RSA_3072, RSA_4096, "
            "ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, ECC_SECG_P256K1, "
            "ECC_NIST_EDWARDS25519, SYMMETRIC_DEFAULT, HMAC_224, HMAC_256, HMAC_384, HMAC_512, "
            "SM2, ML_DSA_44, ML_DSA_65, ML_DSA_87, ML_KEM_512, ML_KEM_768, ML_KEM_1024]",
            id="enum",
        ),
        pytest.param(
            lambda c: c.generate_mac(KeyId="x", Message=b"m", MacAlgorithm="MD5"),
            "1 validation error detected: Value 'MD5' at 'macAlgorithm' failed to satisfy "
            "constraint: Member must satisfy enum value set: [HMAC_SHA_384, HMAC_SHA_256, "
            "HMAC_SHA_224, HMAC_SHA_512]",
            id="enum in the order of AWS",
        ),
        pytest.param(
            lambda c: c.update_alias(AliasName="alias/ü", TargetKeyId="ü"),
            "2 validation errors detected: Value 'alias/ü' at 'aliasName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$; "
            "Value 'ü' at 'targetKeyId' failed to satisfy constraint: Member must satisfy "
            r"regular expression pattern: ^\p{ASCII}+$",
            id="two at once",
        ),
        pytest.param(
            lambda c: c.decrypt(CiphertextBlob=b"x" * 6145),
            "1 validation error detected: Value at 'ciphertextBlob' failed to satisfy "
            "constraint: Member must have length less than or equal to 6144",
            id="long blob",
        ),
        pytest.param(
            lambda c: c.create_key(Description="x" * 8193),
            f"1 validation error detected: Value '{'x' * 8193}' at 'description' failed to "
            "satisfy constraint: Member must have length less than or equal to 8192",
            id="long text",
        ),
    ],
)
def test_parameters_out_of_range_are_told_as_aws_does(client, call, message):
    with refused("ValidationException", message):
        call(client)


def test_errors_have_the_modelled_classes_and_a_status(client):
    with pytest.raises(client.exceptions.NotFoundException) as caught:
        client.describe_key(KeyId="alias/x")

    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["message"] == response["Error"]["Message"]
