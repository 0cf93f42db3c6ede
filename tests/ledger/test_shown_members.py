"""What CloudTrail shows of request and answer, operation by operation."""

from __future__ import annotations

import base64
import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kmsmock import KMSMock, mock_kms
from tests.authorization.documents import ACCOUNT, allow, policy, to
from tests.material import rsa_key, wrap

ARN = "<arn>"
ID = "<id>"
SYMMETRIC = {"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
CONTEXT = {"EncryptionContext": {"Tenant": "a"}}
SHOWN_CONTEXT = {"encryptionContext": {"Tenant": "a"}}
POLICY = policy(allow("kms:*", **to(ACCOUNT)))
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
TAGS = [{"TagKey": "a", "TagValue": "b"}]
SHOWN_TAGS = [{"tagKey": "a", "tagValue": "b"}]

#: operation, given beside KeyId, shown beside keyId (None: nothing), shown of the answer.
CASES: list[tuple[str, dict[str, Any], dict[str, Any] | None, dict[str, Any] | None]] = [
    ("encrypt", {"Plaintext": b"p", **CONTEXT}, {**SHOWN_CONTEXT, **SYMMETRIC}, None),
    (
        "generate_data_key",
        {"KeySpec": "AES_256", **CONTEXT},
        {"keySpec": "AES_256", **SHOWN_CONTEXT},
        None,
    ),
    ("generate_data_key", {"NumberOfBytes": 64}, {"numberOfBytes": 64}, None),
    ("generate_data_key_without_plaintext", {"KeySpec": "AES_128"}, {"keySpec": "AES_128"}, None),
    (
        "generate_data_key_pair",
        {"KeyPairSpec": "ECC_NIST_P256"},
        {"keyPairSpec": "ECC_NIST_P256"},
        None,
    ),
    ("describe_key", {}, {}, None),
    ("get_key_policy", {}, {}, None),
    ("get_key_policy", {"PolicyName": "default"}, {"policyName": "default"}, None),
    ("list_key_policies", {"Limit": 5}, {"limit": 5}, None),
    ("list_resource_tags", {}, {}, None),
    ("list_grants", {"GranteePrincipal": ROLE}, {"granteePrincipal": ROLE}, None),
    ("get_key_rotation_status", {}, {}, None),
    ("get_key_last_usage", {}, {}, None),
    (
        "list_key_rotations",
        {"IncludeKeyMaterial": "ALL_KEY_MATERIAL"},
        {"includeKeyMaterial": "ALL_KEY_MATERIAL"},
        None,
    ),
    ("enable_key", {}, {}, {"keyId": ARN}),
    ("disable_key", {}, {}, {"keyId": ARN}),
    (
        "enable_key_rotation",
        {"RotationPeriodInDays": 100},
        {"rotationPeriodInDays": 100},
        {"keyId": ARN},
    ),
    ("disable_key_rotation", {}, {}, {"keyId": ARN}),
    ("rotate_key_on_demand", {}, {}, {"keyId": ID}),
    ("update_key_description", {"Description": "d"}, {"description": "d"}, {"keyId": ARN}),
    (
        "put_key_policy",
        {"Policy": POLICY},
        {"policyName": "default", "policy": POLICY, "bypassPolicyLockoutSafetyCheck": False},
        {"keyId": ARN},
    ),
    ("tag_resource", {"Tags": TAGS}, {"tags": SHOWN_TAGS}, {"keyId": ARN}),
    ("untag_resource", {"TagKeys": ["a"]}, {"tagKeys": ["a"]}, {"keyId": ARN}),
    (
        "create_grant",
        {
            "GranteePrincipal": ROLE,
            "Operations": ["Decrypt"],
            "Name": "n",
            "Constraints": {"EncryptionContextEquals": {"Tenant": "a"}},
        },
        {
            "granteePrincipal": ROLE,
            "operations": ["Decrypt"],
            "name": "n",
            "constraints": {"encryptionContextEquals": {"Tenant": "a"}},
        },
        {"grantId": "<GrantId>", "keyId": ARN},
    ),
]


@pytest.fixture
def kms():
    with mock_kms(isolated=True, delays="none") as kms:
        kms.account(ACCOUNT).role("App")
        yield kms


@pytest.fixture
def client(kms):
    return kms.client()


def called(kms: KMSMock, operation: str) -> dict[str, Any]:
    record: dict[str, Any] = kms.trail.lookup(operation)[-1]
    return record


def pascal(method: str) -> str:
    return "".join(word.capitalize() for word in method.split("_"))


@pytest.mark.parametrize(
    ("method", "given", "shown", "answered"),
    [pytest.param(*case, id=f"{case[0]}-{'-'.join(case[1]) or 'plain'}") for case in CASES],
)
def test_parameters_and_answers_are_shown(kms, client, method, given, shown, answered):
    key = client.create_key()["KeyMetadata"]
    answer = getattr(client, method)(KeyId=key["KeyId"], **given)

    record = called(kms, pascal(method))

    meant = {ARN: key["Arn"], ID: key["KeyId"], "<GrantId>": answer.get("GrantId")}
    assert record["requestParameters"] == {"keyId": key["KeyId"], **shown}
    assert record["responseElements"] == (
        None if answered is None else {name: meant[value] for name, value in answered.items()}
    )
    assert record["readOnly"] is (answered is None)
    assert record["resources"] == [
        {"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}
    ]


@pytest.mark.parametrize(
    "name", ["id", "arn", "alias/app", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"]
)
def test_a_key_is_shown_by_the_name_that_it_was_called_by(kms, client, name):
    key = client.create_key()["KeyMetadata"]
    client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    name = {"id": key["KeyId"], "arn": key["Arn"]}.get(name, name)
    client.encrypt(KeyId=name, Plaintext=b"p")

    record = called(kms, "Encrypt")
    assert record["requestParameters"]["keyId"] == name
    assert record["resources"][0]["ARN"] == key["Arn"]


def test_the_key_that_a_ciphertext_names_is_shown_by_its_arn(kms, client):
    key = client.create_key()["KeyMetadata"]
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    client.decrypt(CiphertextBlob=blob)
    client.decrypt(CiphertextBlob=blob, KeyId=key["KeyId"])

    implied, named = kms.trail.lookup("Decrypt")
    assert implied["requestParameters"] == {**SYMMETRIC, "keyId": key["Arn"]}
    assert named["requestParameters"] == {**SYMMETRIC, "keyId": key["KeyId"]}


@pytest.mark.parametrize("service", ["ec2", "secretsmanager"])
def test_some_services_decrypt_without_showing_the_key(kms, client, service):
    key = client.create_key()["KeyMetadata"]
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    user = kms.account(ACCOUNT).user("Alice", policies=[policy(allow("*"))])
    user.via(service).client().decrypt(CiphertextBlob=blob)

    assert called(kms, "Decrypt")["requestParameters"] == SYMMETRIC


def test_a_new_key_is_shown_whole_with_the_defaults_of_its_request(kms, client):
    key = client.create_key(Description="d", Tags=TAGS)["KeyMetadata"]

    record = called(kms, "CreateKey")

    assert record["requestParameters"] == {
        "description": "d",
        "keyUsage": "ENCRYPT_DECRYPT",
        "origin": "AWS_KMS",
        "keySpec": "SYMMETRIC_DEFAULT",
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "bypassPolicyLockoutSafetyCheck": False,
        "tags": SHOWN_TAGS,
    }
    [(name, metadata)] = record["responseElements"].items()
    assert name == "keyMetadata"
    assert list(metadata) == [
        *("aWSAccountId", "keyId", "arn", "creationDate", "enabled", "description", "keyUsage"),
        *("keyState", "origin", "keyManager", "customerMasterKeySpec", "keySpec"),
        *("encryptionAlgorithms", "multiRegion", "currentKeyMaterialId"),
    ]
    assert metadata["aWSAccountId"] == ACCOUNT
    assert metadata["creationDate"] == record["eventTime"]
    assert metadata["currentKeyMaterialId"] == key["CurrentKeyMaterialId"]


@pytest.mark.parametrize("member", ["KeySpec", "CustomerMasterKeySpec"])
def test_a_key_spec_is_shown_by_both_of_its_names(kms, client, member):
    client.create_key(**{member: "HMAC_256"}, KeyUsage="GENERATE_VERIFY_MAC")

    parameters = called(kms, "CreateKey")["requestParameters"]
    assert parameters["keySpec"] == parameters["customerMasterKeySpec"] == "HMAC_256"


def test_a_signature_shows_how_and_not_what(kms, client):
    key = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    given = {"KeyId": key, "Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = client.sign(**given)["Signature"]
    client.verify(**given, Signature=signature)

    for operation in ("Sign", "Verify"):
        assert called(kms, operation)["requestParameters"] == {
            "keyId": key,
            "signingAlgorithm": "ECDSA_SHA_256",
            "messageType": "RAW",
        }


def test_a_mac_shows_how_and_not_what(kms, client):
    key = client.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    client.generate_mac(KeyId=key["KeyId"], Message=b"m", MacAlgorithm="HMAC_SHA_256")

    record = called(kms, "GenerateMac")
    assert record["requestParameters"] == {"keyId": key["KeyId"], "macAlgorithm": "HMAC_SHA_256"}
    assert "additionalEventData" not in record


def test_reencryption_shows_source_and_destination(kms, client):
    source, destination = (client.create_key()["KeyMetadata"] for _ in range(2))
    blob = client.encrypt(KeyId=source["KeyId"], Plaintext=b"p", **CONTEXT)["CiphertextBlob"]
    answer = client.re_encrypt(
        CiphertextBlob=blob,
        SourceEncryptionContext=CONTEXT["EncryptionContext"],
        DestinationKeyId=destination["KeyId"],
    )

    record = called(kms, "ReEncrypt")
    assert record["requestParameters"] == {
        "sourceEncryptionContext": {"Tenant": "a"},
        "sourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "destinationKeyId": destination["KeyId"],
        "destinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }
    assert [r["ARN"] for r in record["resources"]] == [source["Arn"], destination["Arn"]]
    assert record["additionalEventData"] == {
        "sourceKeyMaterialId": answer["SourceKeyMaterialId"],
        "destinationKeyMaterialId": answer["DestinationKeyMaterialId"],
    }


def test_reencryption_under_the_same_key_lists_it_twice(kms, client):
    key = client.create_key()["KeyMetadata"]
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"p")["CiphertextBlob"]
    client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"])

    assert [r["ARN"] for r in called(kms, "ReEncrypt")["resources"]] == [key["Arn"]] * 2


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("list_keys", {}),
        ("list_aliases", {}),
        ("generate_random", {"NumberOfBytes": 32}),
        ("describe_custom_key_stores", {}),
    ],
)
def test_calls_about_nothing_in_particular_show_nothing(kms, client, method, given):
    getattr(client, method)(**given)

    record = kms.trail[-1]
    assert record["requestParameters"] is record["responseElements"] is None
    assert "resources" not in record


@pytest.mark.parametrize(
    ("operation", "order"),
    [
        ("CreateAlias", ["key", "alias"]),
        ("UpdateAlias", ["alias", "key"]),
        ("DeleteAlias", ["alias", "key"]),
    ],
)
def test_an_alias_is_a_resource_beside_its_key(kms, client, operation, order):
    old, new = (client.create_key()["KeyMetadata"] for _ in range(2))
    client.create_alias(AliasName="alias/app", TargetKeyId=old["KeyId"])
    client.update_alias(AliasName="alias/app", TargetKeyId=new["KeyId"])
    client.delete_alias(AliasName="alias/app")

    record = called(kms, operation)
    key = old["Arn"] if operation == "CreateAlias" else new["Arn"]
    arns = {"key": key, "alias": f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"}
    assert [r["ARN"] for r in record["resources"]] == [arns[name] for name in order]
    assert {r["type"] for r in record["resources"]} == {"AWS::KMS::Key"}
    assert record["responseElements"] == {"keyId": key}


def test_a_deletion_to_come_shows_its_date(kms, client):
    key = client.create_key()["KeyMetadata"]
    client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    client.cancel_key_deletion(KeyId=key["KeyId"])

    elements = called(kms, "ScheduleKeyDeletion")["responseElements"]
    assert list(elements) == ["keyId", "deletionDate", "keyState", "pendingWindowInDays"]
    assert elements["keyState"] == "PendingDeletion"
    assert elements["deletionDate"].endswith("Z")
    assert called(kms, "CancelKeyDeletion")["responseElements"] == {"keyId": key["Arn"]}


def test_a_primary_key_that_waits_for_its_replicas_has_no_deletion_date(kms, client):
    key = client.create_key(MultiRegion=True)["KeyMetadata"]
    client.replicate_key(KeyId=key["KeyId"], ReplicaRegion="eu-west-1")
    client.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)

    elements = called(kms, "ScheduleKeyDeletion")["responseElements"]
    assert elements["keyState"] == "PendingReplicaDeletion"
    assert "deletionDate" not in elements


def test_a_grant_retired_by_its_token_shows_its_id_beside_the_request(kms, client):
    key = client.create_key()["KeyMetadata"]["KeyId"]
    grant = client.create_grant(
        KeyId=key, GranteePrincipal=ROLE, RetiringPrincipal=ROLE, Operations=["Decrypt"]
    )
    client.retire_grant(GrantToken=grant["GrantToken"])

    record = called(kms, "RetireGrant")
    assert record["requestParameters"] is record["responseElements"] is None
    assert record["additionalEventData"] == {"grantId": grant["GrantId"]}


def test_a_grant_retired_by_its_id_shows_the_request(kms, client):
    key = client.create_key()["KeyMetadata"]["Arn"]
    grant = client.create_grant(KeyId=key, GranteePrincipal=ROLE, Operations=["Decrypt"])["GrantId"]
    client.retire_grant(KeyId=key, GrantId=grant)

    record = called(kms, "RetireGrant")
    assert record["requestParameters"] == {"keyId": key, "grantId": grant}
    assert record["responseElements"] is None


def test_a_grant_retired_by_a_service_shows_the_key_in_the_answer(kms, client):
    name = "dynamodb.amazonaws.com"
    key = client.create_key()["KeyMetadata"]["Arn"]
    table = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t"
    grant = client.create_grant(
        KeyId=key,
        GranteeServicePrincipal=name,
        RetiringServicePrincipal=name,
        Operations=["Decrypt"],
        Constraints={"SourceArn": table},
    )
    service = kms.principal(name).on_behalf_of(table)
    service.client().retire_grant(KeyId=key, GrantId=grant["GrantId"])

    record = called(kms, "RetireGrant")
    assert record["requestParameters"] is None
    assert record["responseElements"] == {"keyId": key}
    assert record["additionalEventData"] == {"grantId": grant["GrantId"]}


def test_an_import_shows_neither_token_nor_material(kms, client):
    key = client.create_key(Origin="EXTERNAL")["KeyMetadata"]
    given = client.get_parameters_for_import(
        KeyId=key["KeyId"], WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    imported = client.import_key_material(
        KeyId=key["KeyId"],
        ImportToken=given["ImportToken"],
        EncryptedKeyMaterial=wrap(os.urandom(32), given["PublicKey"]),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )
    client.delete_imported_key_material(KeyId=key["KeyId"])

    answered = {"keyId": key["Arn"], "keyMaterialId": imported["KeyMaterialId"]}
    assert called(kms, "GetParametersForImport")["requestParameters"] == {
        "keyId": key["KeyId"],
        "wrappingAlgorithm": "RSAES_OAEP_SHA_256",
        "wrappingKeySpec": "RSA_2048",
    }
    record = called(kms, "ImportKeyMaterial")
    assert record["requestParameters"] == {
        "keyId": key["KeyId"],
        "expirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }
    assert record["responseElements"] == answered
    assert called(kms, "DeleteImportedKeyMaterial")["responseElements"] == answered


PROXY = {
    "CustomKeyStoreName": "x",
    "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
    "XksProxyUriEndpoint": "https://xks.example.com",
    "XksProxyUriPath": "/kms/xks/v1",
    "XksProxyConnectivity": "PUBLIC_ENDPOINT",
    "XksProxyAuthenticationCredential": {
        "AccessKeyId": "ABCDEFGHIJKLMNOPQRST",
        "RawSecretAccessKey": base64.b64encode(b"s" * 33).decode(),
    },
}


def test_an_external_key_store_shows_no_credential(kms, client):
    store = client.create_custom_key_store(**PROXY)["CustomKeyStoreId"]
    client.connect_custom_key_store(CustomKeyStoreId=store)
    client.list_keys()
    key = client.create_key(CustomKeyStoreId=store, Origin="EXTERNAL_KEY_STORE", XksKeyId="k-1")
    client.encrypt(KeyId=key["KeyMetadata"]["KeyId"], Plaintext=b"p")

    created = called(kms, "CreateCustomKeyStore")
    assert created["requestParameters"] == {
        "customKeyStoreName": "x",
        "customKeyStoreType": "EXTERNAL_KEY_STORE",
        "xksProxyUriEndpoint": "https://xks.example.com",
        "xksProxyUriPath": "/kms/xks/v1",
        "xksProxyConnectivity": "PUBLIC_ENDPOINT",
    }
    assert created["responseElements"] == {"customKeyStoreId": store}
    connected = called(kms, "ConnectCustomKeyStore")
    assert connected["requestParameters"] == {"customKeyStoreId": store}
    assert connected["responseElements"] is None
    assert connected["additionalEventData"] == {"customKeyStoreName": "x"}
    assert called(kms, "Encrypt")["additionalEventData"] == {
        "customKeyStoreId": store,
        "xksKeyId": "k-1",
    }


def test_an_encrypted_context_is_shown_word_for_word(kms, client):
    key = client.create_key()["KeyMetadata"]["KeyId"]
    context = {"Department": "IT", "aws:s3:arn": "arn:aws:s3:::b", "ünïcode": "✓"}
    client.encrypt(KeyId=key, Plaintext=b"p", EncryptionContext=context)

    assert called(kms, "Encrypt")["requestParameters"]["encryptionContext"] == context


def test_what_the_caller_changes_afterwards_changes_no_record(kms, client):
    key = client.create_key()["KeyMetadata"]["KeyId"]
    context = {"a": "b"}
    client.encrypt(KeyId=key, Plaintext=b"p", EncryptionContext=context)
    context["a"] = "changed"
    called(kms, "Encrypt")["requestParameters"]["encryptionContext"]["a"] = "changed"

    assert called(kms, "Encrypt")["requestParameters"]["encryptionContext"] == {"a": "b"}


@pytest.mark.parametrize("is_tpm", [False, True], ids=["enclave", "NitroTPM"])
def test_a_recipient_is_shown_by_its_measurements(kms, client, is_tpm):
    public = rsa_key().public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    measured = {number: bytes([number + 1]) * 48 for number in range(24)}
    document = kms.attestation.document(spki, pcrs=measured, module_id="i-1", nitro_tpm=is_tpm)
    recipient = {
        "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
        "AttestationDocument": document,
    }

    client.generate_random(NumberOfBytes=8, Recipient=recipient)

    kind, registers = ("NitroTPM", (4, 7, 8, 9, 16, 23)) if is_tpm else ("Enclave", (1, 2, 3, 4, 8))
    shown = {
        f"attestationDocument{kind}PCR{number}": measured[number].hex() for number in registers
    }
    if not is_tpm:
        shown["attestationDocumentEnclaveImageDigest"] = measured[0].hex()
    [record] = kms.trail.lookup("GenerateRandom")
    assert record["additionalEventData"] == {
        "recipient": {"attestationDocumentModuleId": "i-1", **shown}
    }
