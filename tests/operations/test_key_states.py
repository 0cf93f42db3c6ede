"""Which operations each key state permits.

Source: AWS KMS Developer Guide, "Key states of AWS KMS keys".
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

PRINCIPAL = "arn:aws:iam::123456789012:role/App"
TEXTS = {
    "D": ("DisabledException", "{arn} is disabled."),
    "P": ("KMSInvalidStateException", "{arn} is pending deletion."),
    "R": ("KMSInvalidStateException", "{arn} is pending replica deletion."),
    "I": ("KMSInvalidStateException", "{arn} is pending import."),
    "U": ("KMSInvalidStateException", "{arn} is unavailable."),
    "N": ("KMSInvalidStateException", "{arn} is not pending deletion."),
    "X": ("UnsupportedOperationException", None),
}
STATES = ["Enabled", "Disabled", "PendingDeletion", "PendingImport"]
SYMMETRIC: dict[str, Any] = {}
SIGNING = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}
MAC = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
AGREEMENT = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"}

#: method, kind of key, parameters, outcome in each of STATES ("." means: permitted).
TABLE: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("cancel_key_deletion", SYMMETRIC, {}, "NN.N"),
    ("create_grant", SYMMETRIC, {"GranteePrincipal": PRINCIPAL, "Operations": ["Decrypt"]}, ".DPI"),
    ("encrypt", SYMMETRIC, {"Plaintext": b"t"}, ".DPI"),
    ("generate_data_key", SYMMETRIC, {"KeySpec": "AES_256"}, ".DPI"),
    ("generate_data_key_without_plaintext", SYMMETRIC, {"KeySpec": "AES_256"}, ".DPI"),
    ("generate_data_key_pair", SYMMETRIC, {"KeyPairSpec": "ECC_NIST_P256"}, ".DPI"),
    ("sign", SIGNING, {"Message": b"t", "SigningAlgorithm": "ECDSA_SHA_256"}, ".DPI"),
    ("get_public_key", SIGNING, {}, "..PI"),
    ("generate_mac", MAC, {"Message": b"t", "MacAlgorithm": "HMAC_SHA_256"}, ".DPI"),
    ("describe_key", SYMMETRIC, {}, "...."),
    ("get_key_policy", SYMMETRIC, {}, "...."),
    ("put_key_policy", SYMMETRIC, {}, "...."),
    ("list_aliases", SYMMETRIC, {}, "...."),
    ("list_grants", SYMMETRIC, {}, "...."),
    ("list_key_policies", SYMMETRIC, {}, "...."),
    ("list_resource_tags", SYMMETRIC, {}, "...."),
    ("list_key_rotations", SYMMETRIC, {}, "...."),
    ("get_key_last_usage", SYMMETRIC, {}, "...."),
    ("get_key_rotation_status", SYMMETRIC, {}, "...."),
    ("disable_key", SYMMETRIC, {}, "..PI"),
    ("enable_key", SYMMETRIC, {}, "..PI"),
    ("enable_key_rotation", SYMMETRIC, {}, ".DPX"),
    ("disable_key_rotation", SYMMETRIC, {}, ".DPX"),
    ("rotate_key_on_demand", SYMMETRIC, {}, ".DPI"),
    ("delete_imported_key_material", SYMMETRIC, {}, "XXX."),
    (
        "get_parameters_for_import",
        SYMMETRIC,
        {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
        "XXX.",
    ),
    ("schedule_key_deletion", SYMMETRIC, {}, "..P."),
    ("tag_resource", SYMMETRIC, {"Tags": []}, "..P."),
    ("untag_resource", SYMMETRIC, {"TagKeys": ["a"]}, "..P."),
    ("update_key_description", SYMMETRIC, {"Description": ""}, "..P."),
    ("replicate_key", {"MultiRegion": True}, {"ReplicaRegion": "eu-west-1"}, ".DPI"),
]
CASES = [
    pytest.param(method, kind, parameters, state, outcome, id=f"{method}-{state}")
    for method, kind, parameters, outcomes in TABLE
    for state, outcome in zip(STATES, outcomes, strict=True)
]


def key_in_state(client, kind, state):
    origin = {"Origin": "EXTERNAL"} if state == "PendingImport" else {}
    key = client.create_key(**kind, **origin)["KeyMetadata"]
    if state == "Disabled":
        client.disable_key(KeyId=key["KeyId"])
    elif state == "PendingDeletion":
        client.schedule_key_deletion(KeyId=key["KeyId"])
    return key


def outcome_of(call):
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return None


def expected(outcome, arn):
    if outcome == ".":
        return None
    code, text = TEXTS[outcome]
    return code, None if text is None else text.format(arn=arn)


def agrees(found, wanted):
    if found is None or wanted is None:
        return found is wanted
    return found[0] == wanted[0] and wanted[1] in (None, found[1])


@pytest.mark.parametrize(("method", "kind", "parameters", "state", "outcome"), CASES)
def test_an_operation_in_a_key_state(client, method, kind, parameters, state, outcome):
    key = key_in_state(client, kind, state)
    if method == "put_key_policy":
        parameters = {"Policy": client.get_key_policy(KeyId=key["KeyId"])["Policy"]}

    found = outcome_of(lambda: getattr(client, method)(KeyId=key["KeyId"], **parameters))

    assert agrees(found, expected(outcome, key["Arn"])), found


@pytest.mark.parametrize(("state", "outcome"), list(zip(STATES, "..P.", strict=True)), ids=STATES)
def test_creating_an_alias_in_a_key_state(client, state, outcome):
    key = key_in_state(client, SYMMETRIC, state)

    found = outcome_of(lambda: client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"]))

    assert agrees(found, expected(outcome, key["Arn"]))


@pytest.mark.parametrize("state", STATES)
def test_an_alias_can_leave_a_key_in_any_state_but_not_go_to_one_that_is_deleted(client, state):
    key = client.create_key(Origin="EXTERNAL" if state == "PendingImport" else "AWS_KMS")
    key = key["KeyMetadata"]
    client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    if state == "Disabled":
        client.disable_key(KeyId=key["KeyId"])
    elif state == "PendingDeletion":
        client.schedule_key_deletion(KeyId=key["KeyId"])
    other = client.create_key()["KeyMetadata"]["KeyId"]

    client.update_alias(AliasName="alias/app", TargetKeyId=other)
    back = outcome_of(lambda: client.update_alias(AliasName="alias/app", TargetKeyId=key["KeyId"]))

    assert agrees(back, expected("P" if state == "PendingDeletion" else ".", key["Arn"]))
    client.delete_alias(AliasName="alias/app")


@pytest.mark.parametrize("state", ["Enabled", "Disabled", "PendingDeletion"])
def test_decrypting_in_a_key_state(client, state):
    key = client.create_key()["KeyMetadata"]
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"t")["CiphertextBlob"]
    if state == "Disabled":
        client.disable_key(KeyId=key["KeyId"])
    elif state == "PendingDeletion":
        client.schedule_key_deletion(KeyId=key["KeyId"])
    outcome = expected({"Enabled": ".", "Disabled": "D", "PendingDeletion": "P"}[state], key["Arn"])

    found = outcome_of(lambda: client.decrypt(CiphertextBlob=blob))
    again = outcome_of(
        lambda: client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"])
    )

    assert agrees(found, outcome)
    assert agrees(again, outcome)


@pytest.mark.parametrize("state", ["Enabled", "Disabled", "PendingDeletion"])
def test_grants_can_be_ended_in_any_key_state(client, state):
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    grants = [
        client.create_grant(KeyId=key_id, GranteePrincipal=PRINCIPAL, Operations=["Decrypt"])
        for _ in range(2)
    ]
    if state == "Disabled":
        client.disable_key(KeyId=key_id)
    elif state == "PendingDeletion":
        client.schedule_key_deletion(KeyId=key_id)

    client.retire_grant(KeyId=key_id, GrantId=grants[0]["GrantId"])
    client.revoke_grant(KeyId=key_id, GrantId=grants[1]["GrantId"])

    assert client.list_grants(KeyId=key_id)["Grants"] == []
