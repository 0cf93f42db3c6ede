"""Which operations a key permits in which state: the whole table."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kmsmock.keys.states import KeyState
from kmsmock.operations import OPERATIONS
from tests.material import NEVER, import_material, import_parameters, pkcs8
from tests.refusals import refused

#: ok, or the error: D disabled, P pending (replica) deletion, I pending import, U unavailable,
#: C creating, T updating, N not pending deletion, X unsupported; - where no such key can be.
#: Source: AWS KMS Developer Guide, "Key states of AWS KMS keys"; recorded answers where these
#: differ: GetPublicKey of disabled keys, GetKeyRotationStatus of keys without material.
TABLE = """
operation                            Ena Dis PeD PRD PeI Una Cre Upd
CancelKeyDeletion                    N   N   ok  ok  N   N   N   N
CreateAlias                          ok  ok  P   P   ok  ok  ok  ok
CreateGrant                          ok  D   P   P   I   ok  C   ok
Decapsulate                          ok  D   P   P   -   -   C   ok
Decrypt                              ok  D   P   P   I   U   C   ok
DeleteAlias                          ok  ok  ok  ok  ok  ok  ok  ok
DeleteImportedKeyMaterial            ok  ok  ok  ok  ok  -   C   T
DeriveSharedSecret                   ok  D   P   P   I   -   C   ok
DescribeKey                          ok  ok  ok  ok  ok  ok  ok  ok
DisableKey                           ok  ok  P   P   I   ok  C   T
DisableKeyRotation                   ok  D   P   P   X   X   C   ok
EnableKey                            ok  ok  P   P   I   ok  C   T
EnableKeyRotation                    ok  D   P   P   X   X   C   ok
Encapsulate                          ok  D   P   P   -   -   C   ok
Encrypt                              ok  D   P   P   I   U   C   ok
GenerateDataKey                      ok  D   P   P   I   U   C   ok
GenerateDataKeyPair                  ok  D   P   P   I   X   C   ok
GenerateDataKeyPairWithoutPlaintext  ok  D   P   P   I   X   C   ok
GenerateDataKeyWithoutPlaintext      ok  D   P   P   I   U   C   ok
GenerateMac                          ok  D   P   P   I   -   C   ok
GetKeyLastUsage                      ok  ok  ok  ok  ok  ok  ok  ok
GetKeyPolicy                         ok  ok  ok  ok  ok  ok  ok  ok
GetKeyRotationStatus                 ok  ok  ok  ok  ok  X   ok  ok
GetParametersForImport               ok  ok  P   P   ok  -   C   T
GetPublicKey                         ok  ok  P   P   I   -   C   ok
ImportKeyMaterial                    ok  ok  P   P   ok  -   C   ok
ListAliases                          ok  ok  ok  ok  ok  ok  ok  ok
ListGrants                           ok  ok  ok  ok  ok  ok  ok  ok
ListKeyPolicies                      ok  ok  ok  ok  ok  ok  ok  ok
ListKeyRotations                     ok  ok  ok  ok  ok  X   ok  ok
ListResourceTags                     ok  ok  ok  ok  ok  ok  ok  ok
PutKeyPolicy                         ok  ok  ok  ok  ok  ok  ok  ok
ReEncrypt:from                       ok  D   P   P   I   U   C   ok
ReEncrypt:to                         ok  D   P   P   I   U   C   ok
ReplicateKey                         ok  D   P   P   I   -   C   T
RetireGrant                          ok  ok  ok  ok  ok  ok  ok  ok
RevokeGrant                          ok  ok  ok  ok  ok  ok  ok  ok
RotateKeyOnDemand                    ok  D   P   P   I   X   C   ok
ScheduleKeyDeletion                  ok  ok  P   P   ok  ok  ok  T
Sign                                 ok  D   P   P   I   -   C   ok
TagResource                          ok  ok  P   P   ok  ok  ok  ok
UntagResource                        ok  ok  P   P   ok  ok  ok  ok
UpdateAlias:from                     ok  ok  ok  ok  ok  ok  ok  ok
UpdateAlias:to                       ok  ok  P   P   ok  ok  ok  ok
UpdateKeyDescription                 ok  ok  P   P   ok  ok  ok  ok
UpdatePrimaryRegion                  ok  D   P   P   I   -   C   ok
Verify                               ok  D   P   P   I   -   C   ok
VerifyMac                            ok  D   P   P   I   -   C   ok
"""
STATES = {
    "Ena": "Enabled",
    "Dis": "Disabled",
    "PeD": "PendingDeletion",
    "PRD": "PendingReplicaDeletion",
    "PeI": "PendingImport",
    "Una": "Unavailable",
    "Cre": "Creating",
    "Upd": "Updating",
}
INVALID = "KMSInvalidStateException"
ERRORS = {
    "D": ("DisabledException", "{arn} is disabled."),
    "P": (INVALID, "{arn} is pending deletion."),
    "I": (INVALID, "{arn} is pending import."),
    "U": (INVALID, "{arn} is unavailable."),
    "C": (INVALID, "{arn} is creating."),
    "T": (INVALID, "{arn} is updating."),
    "N": (INVALID, "{arn} is not pending deletion."),
    "X": ("UnsupportedOperationException", None),
}
ROLE = "arn:aws:iam::123456789012:role/App"
SIGNING = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}
AGREEING = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"}
MAC = {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}
ENCAPSULATING = {"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE"}
EXTERNAL = {"Origin": "EXTERNAL"}
MULTI_REGION = {"MultiRegion": True}

Parameters = dict[str, Any]


class Subject(NamedTuple):
    """The operation under test. prepare: what is done, while the key is enabled, for the call."""

    key: Parameters
    prepare: Callable[[Any, str], Parameters]


def _only_id(_: Any, key_id: str) -> Parameters:
    return {"KeyId": key_id}


def _with(**parameters: Any) -> Callable[[Any, str], Parameters]:
    return lambda _, key_id: {"KeyId": key_id, **parameters}


def _blob(client: Any, key_id: str) -> bytes:
    return client.encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]


def _alias(client: Any, key_id: str) -> str:
    client.create_alias(AliasName="alias/app", TargetKeyId=key_id)
    return "alias/app"


def _grant(client: Any, key_id: str) -> Parameters:
    grant = client.create_grant(KeyId=key_id, GranteePrincipal=ROLE, Operations=["Decrypt"])
    arn = client.describe_key(KeyId=key_id)["KeyMetadata"]["Arn"]
    return {"KeyId": arn, "GrantId": grant["GrantId"]}


def _grant_token(client: Any, key_id: str) -> Parameters:
    grant = client.create_grant(KeyId=key_id, GranteePrincipal=ROLE, Operations=["Decrypt"])
    return {"GrantToken": grant["GrantToken"]}


def _other(client: Any) -> str:
    return client.create_key()["KeyMetadata"]["KeyId"]


def _signature(client: Any, key_id: str) -> Parameters:
    request = {"KeyId": key_id, "Message": b"text", "SigningAlgorithm": "ECDSA_SHA_256"}
    return {**request, "Signature": client.sign(**request)["Signature"]}


def _mac(client: Any, key_id: str) -> Parameters:
    request = {"KeyId": key_id, "Message": b"text", "MacAlgorithm": "HMAC_SHA_256"}
    return {**request, "Mac": client.generate_mac(**request)["Mac"]}


def _encapsulation(client: Any, key_id: str) -> Parameters:
    request = {"KeyId": key_id, "EncapsulationAlgorithm": "ML_KEM"}
    blob = client.encapsulate(**request)["SharedSecretCiphertextBlob"]
    return {**request, "SharedSecretCiphertextBlob": blob}


def _same_material(client: Any, key_id: str) -> Parameters:
    return {**import_parameters(client, key_id, MATERIAL), "ExpirationModel": NEVER}


def _replica(client: Any, key_id: str) -> Parameters:
    """Make a replica, unless the key has one already."""
    configuration = client.describe_key(KeyId=key_id)["KeyMetadata"]["MultiRegionConfiguration"]
    if not configuration["ReplicaKeys"]:
        client.replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    return {"KeyId": key_id, "PrimaryRegion": "eu-west-1"}


MATERIAL = os.urandom(32)
PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_KEY = PRIVATE_KEY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
ROTATING = {
    **{name: Subject({}, _only_id) for name in ("EnableKeyRotation", "DisableKeyRotation")},
    "RotateKeyOnDemand": Subject({}, _only_id),
}
SUBJECTS: dict[str, Subject] = {
    **ROTATING,
    "CreateAlias": Subject({}, lambda _, k: {"AliasName": "alias/app", "TargetKeyId": k}),
    "CreateGrant": Subject({}, _with(GranteePrincipal=ROLE, Operations=["Decrypt"])),
    "Decapsulate": Subject(ENCAPSULATING, _encapsulation),
    "Decrypt": Subject({}, lambda client, k: {"CiphertextBlob": _blob(client, k)}),
    "DeleteAlias": Subject({}, lambda client, k: {"AliasName": _alias(client, k)}),
    "DeleteImportedKeyMaterial": Subject(EXTERNAL, _only_id),
    "DeriveSharedSecret": Subject(
        AGREEING, _with(KeyAgreementAlgorithm="ECDH", PublicKey=PUBLIC_KEY)
    ),
    "Encapsulate": Subject(ENCAPSULATING, _with(EncapsulationAlgorithm="ML_KEM")),
    "Encrypt": Subject({}, _with(Plaintext=b"text")),
    "GenerateDataKey": Subject({}, _with(KeySpec="AES_256")),
    "GenerateDataKeyPair": Subject({}, _with(KeyPairSpec="ECC_NIST_P256")),
    "GenerateDataKeyPairWithoutPlaintext": Subject({}, _with(KeyPairSpec="ECC_NIST_P256")),
    "GenerateDataKeyWithoutPlaintext": Subject({}, _with(KeySpec="AES_256")),
    "GenerateMac": Subject(MAC, _with(Message=b"text", MacAlgorithm="HMAC_SHA_256")),
    "GetParametersForImport": Subject(
        EXTERNAL, _with(WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048")
    ),
    "GetPublicKey": Subject(SIGNING, _only_id),
    "ImportKeyMaterial": Subject(EXTERNAL, _same_material),
    "PutKeyPolicy": Subject(
        {}, lambda client, k: {"KeyId": k, "Policy": client.get_key_policy(KeyId=k)["Policy"]}
    ),
    "ReEncrypt:from": Subject(
        {},
        lambda client, k: {
            "CiphertextBlob": _blob(client, k),
            "DestinationKeyId": _other(client),
        },
    ),
    "ReEncrypt:to": Subject(
        {},
        lambda client, k: {
            "CiphertextBlob": _blob(client, _other(client)),
            "DestinationKeyId": k,
        },
    ),
    "ReplicateKey": Subject(MULTI_REGION, _with(ReplicaRegion="ap-south-1")),
    "RetireGrant": Subject({}, _grant_token),
    "RevokeGrant": Subject({}, _grant),
    "Sign": Subject(SIGNING, _with(Message=b"text", SigningAlgorithm="ECDSA_SHA_256")),
    "TagResource": Subject({}, _with(Tags=[{"TagKey": "a", "TagValue": "b"}])),
    "UntagResource": Subject({}, _with(TagKeys=["a"])),
    "UpdateAlias:from": Subject(
        {},
        lambda client, k: {"AliasName": _alias(client, k), "TargetKeyId": _other(client)},
    ),
    "UpdateAlias:to": Subject(
        {},
        lambda client, k: {"AliasName": _alias(client, _other(client)), "TargetKeyId": k},
    ),
    "UpdateKeyDescription": Subject({}, _with(Description="text")),
    "UpdatePrimaryRegion": Subject(MULTI_REGION, _replica),
    "Verify": Subject(SIGNING, _signature),
    "VerifyMac": Subject(MAC, _mac),
}


def _cells() -> list[Any]:
    header, *rows = (line.split() for line in TABLE.strip().splitlines())
    return [
        pytest.param(row[0], STATES[column], cell, id=f"{row[0]}-{STATES[column]}")
        for row in rows
        for column, cell in zip(header[1:], row[1:], strict=True)
        if cell != "-"
    ]


def _connected_store(client: Any) -> str:
    store_id = client.create_custom_key_store(
        CustomKeyStoreName="hsm",
        CloudHsmClusterId="cluster-234567abcdef",
        TrustAnchorCertificate="certificate",
        KeyStorePassword="password",
    )["CustomKeyStoreId"]
    client.connect_custom_key_store(CustomKeyStoreId=store_id)
    return store_id


def _key_for(client: Any, wanted: Parameters, state: str) -> Any:
    """Make an enabled key that can come into a state; gives its metadata."""
    parameters = dict(wanted)
    if state == "PendingReplicaDeletion":
        parameters |= MULTI_REGION
    if state == "PendingImport":
        parameters |= EXTERNAL
    if state == "Unavailable":
        parameters |= {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": _connected_store(client)}
    metadata = client.create_key(**parameters)["KeyMetadata"]
    if metadata["Origin"] == "EXTERNAL":
        elliptic = metadata["KeySpec"] == "ECC_NIST_P256"
        material = pkcs8(PRIVATE_KEY) if elliptic else MATERIAL
        import_material(client, metadata["KeyId"], material)
    if state == "PendingReplicaDeletion":
        client.replicate_key(KeyId=metadata["KeyId"], ReplicaRegion="eu-west-1")
    return metadata


def _bring_into(state: str, kms: Any, client: Any, metadata: Any) -> None:
    key_id = metadata["KeyId"]
    if state == "Disabled":
        client.disable_key(KeyId=key_id)
    elif state in ("PendingDeletion", "PendingReplicaDeletion"):
        # Without its replicas a multi-Region key waits for itself alone.
        client.schedule_key_deletion(KeyId=key_id)
    elif state == "PendingImport":
        client.delete_imported_key_material(KeyId=key_id)
    elif state == "Unavailable":
        client.disconnect_custom_key_store(CustomKeyStoreId=metadata["CustomKeyStoreId"])
    elif state in ("Creating", "Updating"):
        # They pass before the next call, so nobody but the mock itself can hold a key in them.
        [key] = [key for key in kms.keys if key.arn == metadata["Arn"]]
        key.status = KeyState(state)


def _method(operation: str) -> str:
    from botocore import xform_name

    return xform_name(operation.partition(":")[0])


@pytest.mark.parametrize(("operation", "state", "outcome"), _cells())
def test_an_operation_in_a_key_state(kms, operation, state, outcome):
    client = kms.client()
    if not hasattr(client, _method(operation)):
        pytest.skip("the installed botocore does not know this operation")
    subject = SUBJECTS.get(operation, Subject({}, _only_id))
    metadata = _key_for(client, subject.key, state)
    alone = operation == "UpdatePrimaryRegion" and state == "PendingDeletion"
    prepare = _with(PrimaryRegion="eu-west-1") if alone else subject.prepare
    parameters = prepare(client, metadata["KeyId"])
    _bring_into(state, kms, client, metadata)
    call = getattr(client, _method(operation))

    if outcome == "ok":
        answer = call(**parameters)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        return
    code, text = ERRORS[outcome]
    if outcome == "P" and state == "PendingReplicaDeletion":
        text = "{arn} is pending replica deletion."
    with refused(code, text and text.format(arn=metadata["Arn"])):
        call(**parameters)


@pytest.mark.parametrize("state", STATES.values())
def test_a_key_shows_its_state(kms, state):
    client = kms.client()
    metadata = _key_for(client, {}, state)
    _bring_into(state, kms, client, metadata)

    shown = client.describe_key(KeyId=metadata["KeyId"])["KeyMetadata"]

    assert (shown["KeyState"], shown["Enabled"]) == (state, state == "Enabled")


def test_the_table_has_every_operation_on_a_key():
    in_table = {line.split()[0].partition(":")[0] for line in TABLE.strip().splitlines()[1:]}
    on_a_key = {
        name for name, o in OPERATIONS.items() if any(target.locate for target in o.targets)
    }

    assert in_table == on_a_key | {"ListAliases"}
