"""Grants, tags, signatures, rotations, key stores: what is wrong with a request, and what helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kmsmock import KMSMock
from tests.breakages.table import ACCOUNT, Table, read_note
from tests.operations.test_custom_key_stores import CLOUDHSM, PROXY

TABLE = Table()


def make_key(kms: KMSMock, **more: Any) -> str:
    key_id: str = kms.client().create_key(**more)["KeyMetadata"]["KeyId"]
    return key_id


def make_signing_key(kms: KMSMock) -> str:
    return make_key(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")


def grant(kms: KMSMock, key_id: str, **more: Any) -> dict[str, Any]:
    grantee = kms.account(ACCOUNT).role("App").arn
    made: dict[str, Any] = kms.client().create_grant(
        KeyId=key_id, GranteePrincipal=grantee, Operations=["Decrypt"], **more
    )
    return made


# --- grants -----------------------------------------------------------


@TABLE.breakage("No grant was created with this token, or the grant has ended.")
def retiring_by_an_unknown_token(kms):
    kms.client().retire_grant(GrantToken="unknown")


@TABLE.breakage("No grant was created with this token, or the grant has ended.")
def using_an_unknown_token(kms):
    kms.client().describe_key(KeyId=make_key(kms), GrantTokens=["unknown"])


@TABLE.breakage("has 1 grants, but none with this id.")
def revoking_a_grant_twice(kms):
    key_id = make_key(kms)
    grant(kms, key_id)
    kms.client().revoke_grant(KeyId=key_id, GrantId="0" * 64)


@TABLE.breakage("Filter by the other principals of grants, or list all and look at GranteeService")
def filtering_by_a_service(kms):
    service = "sns.amazonaws.com"
    kms.client().list_grants(KeyId=make_key(kms), GranteeServicePrincipal=service)


@TABLE.breakage("EncryptionContextSubset, not both, even if one is empty.")
def two_constraints(kms):
    both = {"EncryptionContextEquals": {"a": "b"}, "EncryptionContextSubset": {}}
    grant(kms, make_key(kms), Constraints=both)


@TABLE.breakage("only with Constraints that are at least as strict as its own, but the request has")
def passing_on_more_than_one_has(kms):
    key_id, role = make_key(kms), kms.account(ACCOUNT).role("App")
    kms.client().create_grant(
        KeyId=key_id,
        GranteePrincipal=role.arn,
        Operations=["CreateGrant", "Decrypt"],
        Constraints={"EncryptionContextSubset": {"tenant": "a"}},
    )
    role.client().create_grant(KeyId=key_id, GranteePrincipal=role.arn, Operations=["Decrypt"])


@TABLE.breakage("but the request has no aws:SourceArn")
def using_the_grant_of_a_resource(kms):
    key_id, role = make_key(kms), kms.account(ACCOUNT).role("App")
    grant(kms, key_id, Constraints={"SourceArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:topic"})
    role.client().decrypt(
        CiphertextBlob=kms.client().encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    )


# --- lists and tags ---------------------------------------------------


@TABLE.breakage("Pass the NextMarker of the last ListKeys response.")
def a_marker_that_was_made_up(kms):
    kms.client().list_keys(Marker="next")


@TABLE.breakage("A key can have 50 tags; it would have 51.")
def too_many_tags(kms):
    tags = [{"TagKey": str(number), "TagValue": ""} for number in range(51)]
    kms.client().tag_resource(KeyId=make_key(kms), Tags=tags)


# --- rotation and multi-Region keys -----------------------------------


@TABLE.breakage(
    "KMS does not rotate RSA_2048 keys. Rotate manually: create another key and point the alias"
)
def rotating_a_key_pair(kms):
    key_id = make_key(kms, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    kms.client().enable_key_rotation(KeyId=key_id)


@TABLE.breakage("The primary key is arn:aws:kms:us-east-1:123456789012:key/mrk-")
def replicating_a_replica(kms):
    key_id = make_key(kms, MultiRegion=True)
    kms.client().replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    kms.clock.advance(hours=1)
    there = kms.client(region="eu-west-1")
    there.update_primary_region(KeyId=key_id, PrimaryRegion="us-east-1")


# --- signatures -------------------------------------------------------


@TABLE.breakage("ED25519_SHA_512 takes MessageType RAW.")
def signing_a_digest_with_ed25519(kms):
    key_id = make_key(kms, KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
    kms.client().sign(
        KeyId=key_id, Message=bytes(64), MessageType="DIGEST", SigningAlgorithm="ED25519_SHA_512"
    )


@TABLE.breakage("The digest has 20 bytes and must have 32")
def signing_a_digest_of_another_hash(kms):
    kms.client().sign(
        KeyId=make_signing_key(kms),
        Message=bytes(20),
        MessageType="DIGEST",
        SigningAlgorithm="ECDSA_SHA_256",
    )


@TABLE.breakage(" did not make this signature over this message with ECDSA_SHA_256")
def verifying_another_message(kms):
    request = {"KeyId": make_signing_key(kms), "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.client().sign(Message=b"text", **request)["Signature"]
    kms.client().verify(Message=b"other", Signature=signature, **request)


@TABLE.breakage(" did not make this MAC over this message with HMAC_SHA_256")
def verifying_the_mac_of_another_message(kms):
    key_id = make_key(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    request = {"KeyId": key_id, "MacAlgorithm": "HMAC_SHA_256"}
    mac = kms.client().generate_mac(Message=b"text", **request)["Mac"]
    kms.client().verify_mac(Message=b"other", Mac=mac, **request)


# --- key stores -------------------------------------------------------


@TABLE.breakage("This operation requires DISCONNECTED.")
def deleting_a_store_that_is_connected(kms):
    client = kms.client()
    store = client.create_custom_key_store(CustomKeyStoreName="hsm", **CLOUDHSM)["CustomKeyStoreId"]
    client.connect_custom_key_store(CustomKeyStoreId=store)
    kms.clock.advance(hours=1)
    client.delete_custom_key_store(CustomKeyStoreId=store)


@TABLE.breakage("A custom key store holds single-Region symmetric encryption keys only.")
def a_multi_region_key_of_a_cluster(kms):
    make_key(kms, Origin="AWS_CLOUDHSM", MultiRegion=True, CustomKeyStoreId="cks-0")


@TABLE.breakage("A custom key store holds single-Region symmetric encryption keys only.")
def a_multi_region_key_in_a_key_store(kms):
    make_key(kms, MultiRegion=True, CustomKeyStoreId="cks-0")


@TABLE.breakage("External key stores do not generate random bytes.")
def random_bytes_of_an_external_key_store(kms):
    store = kms.client().create_custom_key_store(CustomKeyStoreName="xks", **PROXY)
    kms.client().generate_random(NumberOfBytes=8, CustomKeyStoreId=store["CustomKeyStoreId"])


@TABLE.breakage("There is no custom key store 'cks-0' in this account and Region.")
def random_bytes_of_no_key_store(kms):
    kms.client().generate_random(NumberOfBytes=8, CustomKeyStoreId="cks-0")


@TABLE.parametrize()
def test_the_note_names_the_fix(sentence: str, run: Callable[[KMSMock], Any]) -> None:
    assert sentence in read_note(run)


@pytest.mark.parametrize(
    ("digest", "is_text"),
    [(b"ab" * 32, True), (b"\xff" * 64, False), (b"ab" * 20, False)],
    ids=["hexadecimal digits", "too long", "digits of another hash"],
)
def test_a_digest_in_hexadecimal_digits_is_told_as_one(digest: bytes, is_text: bool) -> None:
    def run(kms: KMSMock) -> None:
        kms.client().sign(
            KeyId=make_signing_key(kms),
            Message=digest,
            MessageType="DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )

    note = read_note(run)

    assert note.startswith("The digest has ") or "is hexadecimal text" in note
    assert ("this is hexadecimal text. Pass the bytes of hashlib's digest()" in note) is is_text
