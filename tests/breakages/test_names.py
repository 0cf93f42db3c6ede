"""Keys and aliases that are not found, and texts that name none."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from kmsmock import KMSMock
from tests.breakages.table import ACCOUNT, OTHER, Table, read_note

TABLE = Table()


def make_key(kms: KMSMock, **more: Any) -> dict[str, Any]:
    response: dict[str, Any] = kms.client().create_key(**more)
    kms.client().create_alias(
        AliasName="alias/orders", TargetKeyId=response["KeyMetadata"]["KeyId"]
    )
    return response


def describe(kms: KMSMock, key_id: str) -> None:
    kms.client().describe_key(KeyId=key_id)


# --- elsewhere --------------------------------------------------------


@TABLE.breakage("The key exists, but it is in us-east-1 of account 123456789012; this client's Re")
def a_key_id_of_another_region(kms):
    kms.client(region="eu-west-1").describe_key(KeyId=make_key(kms)["KeyMetadata"]["KeyId"])


@TABLE.breakage("this client's Region is eu-west-1. Use a client of that Region")
def a_key_arn_of_another_region(kms):
    kms.client(region="eu-west-1").describe_key(KeyId=make_key(kms)["KeyMetadata"]["Arn"])


@TABLE.breakage(
    f"this client is of account {OTHER}. Use the key's ARN. The key policy, or a grant, has to allo"
)
def a_key_id_of_another_account(kms):
    kms.account(OTHER).client().describe_key(KeyId=make_key(kms)["KeyMetadata"]["KeyId"])


@TABLE.breakage("Account 123456789012 has it in us-east-1")
def a_key_arn_with_the_wrong_account(kms):
    describe(kms, make_key(kms)["KeyMetadata"]["Arn"].replace(ACCOUNT, OTHER))


@TABLE.breakage("this client's Region is eu-west-1. Use a client of us-east-1.")
def an_alias_of_another_region(kms):
    make_key(kms)
    kms.client(region="eu-west-1").encrypt(KeyId="alias/orders", Plaintext=b"text")


@TABLE.breakage(f"this client is of account {OTHER}. Use the alias's ARN. The key policy, or a gra")
def an_alias_of_another_account(kms):
    make_key(kms)
    kms.account(OTHER).client().encrypt(KeyId="alias/orders", Plaintext=b"text")


@TABLE.breakage(
    "and Region eu-west-1. Use the alias's ARN, with a client in us-east-1. The key poli"
)
def an_alias_of_another_account_and_region(kms):
    make_key(kms)
    kms.account(OTHER).client(region="eu-west-1").encrypt(KeyId="alias/orders", Plaintext=b"text")


@TABLE.breakage("Account 123456789012 has it in us-east-1")
def an_alias_arn_with_the_wrong_account(kms):
    make_key(kms)
    describe(kms, f"arn:aws:kms:us-east-1:{OTHER}:alias/orders")


@TABLE.breakage(
    "this client is of account 444455556666. UpdateAlias works in the caller's account only: use "
    "a client of account 123456789012."
)
def moving_an_alias_of_another_account(kms):
    key_id = make_key(kms)["KeyMetadata"]["KeyId"]
    kms.account(OTHER).client().update_alias(AliasName="alias/orders", TargetKeyId=key_id)


@TABLE.breakage("DisableKey works in the caller's account only: use a client of account 1234567890")
def disabling_a_key_of_another_account(kms):
    kms.account(OTHER).client().disable_key(KeyId=make_key(kms)["KeyMetadata"]["KeyId"])


@TABLE.breakage("this client is of account 444455556666 and Region eu-west-1")
def updating_an_alias_of_another_account_and_region(kms):
    make_key(kms)
    kms.account(OTHER).client(region="eu-west-1").delete_alias(AliasName="alias/orders")


# --- misspelt ---------------------------------------------------------


@TABLE.breakage("The nearest alias is 'alias/orders'")
def a_misspelt_alias(kms):
    make_key(kms)
    describe(kms, "alias/order")


@TABLE.breakage("Alias names include the prefix: 'alias/orders'")
def an_alias_without_its_prefix(kms):
    make_key(kms)
    describe(kms, "orders")


@TABLE.breakage("Alias names include the prefix: 'alias/orders'")
def a_misspelt_alias_without_its_prefix(kms):
    make_key(kms)
    describe(kms, "order")


@TABLE.breakage("Alias names include the prefix: 'alias/orders'")
def an_alias_with_a_misspelt_prefix(kms):
    make_key(kms)
    describe(kms, "Alias/orders")


@TABLE.breakage("There is no alias in this account and Region")
def an_alias_in_an_empty_mock(kms):
    describe(kms, "alias/orders")


@TABLE.breakage(", when the waiting period of ScheduleKeyDeletion ended.")
def a_key_that_was_deleted(kms):
    key_id = make_key(kms)["KeyMetadata"]["KeyId"]
    kms.client().schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    kms.clock.advance(days=8)
    describe(kms, key_id)


@TABLE.breakage("The key was deleted on ")
def a_key_that_was_deleted_before_another(kms):
    keys = [kms.client().create_key()["KeyMetadata"]["KeyId"] for _ in range(2)]
    for key_id in keys:
        kms.client().schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
        kms.clock.advance(days=8)
    describe(kms, keys[0])


@TABLE.breakage("The key was deleted on ")
def a_key_that_was_deleted_before_one_of_another_region(kms):
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
    there = kms.client(region="eu-west-1")
    for client, key in (
        (kms.client(), key_id),
        (there, there.create_key()["KeyMetadata"]["KeyId"]),
    ):
        client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        kms.clock.advance(days=8)
    describe(kms, key_id)


@TABLE.breakage(", and the alias with it, when the waiting period of ScheduleKeyDeletion ended.")
def an_alias_whose_key_was_deleted(kms):
    key_id = make_key(kms)["KeyMetadata"]["KeyId"]
    kms.client().schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    kms.clock.advance(days=8)
    describe(kms, "alias/orders")


@TABLE.breakage("There is no key in this account and Region: CreateKey makes one, and chooses its")
def a_key_id_in_an_empty_mock(kms):
    describe(kms, "1234abcd-12ab-34cd-56ef-1234567890ab")


@TABLE.breakage("The only one is '")
def a_key_id_that_is_like_none(kms):
    kms.client().create_key()
    describe(kms, "00000000-0000-0000-0000-000000000000")


@TABLE.breakage("There are 2 others.")
def an_alias_that_is_like_none(kms):
    key_id = make_key(kms)["KeyMetadata"]["KeyId"]
    kms.client().create_alias(AliasName="alias/bills", TargetKeyId=key_id)
    describe(kms, "alias/" + "q" * 40)


# --- texts of another kind --------------------------------------------


@TABLE.breakage('KeyId takes one member of it, such as ["KeyMetadata"]["KeyId"], here \'')
def the_json_of_a_whole_response(kms):
    describe(kms, json.dumps(make_key(kms), default=str))


@TABLE.breakage('KeyId takes one member of it, such as ["KeyMetadata"]["KeyId"], here \'')
def the_text_of_a_whole_response(kms):
    describe(kms, str(make_key(kms)["KeyMetadata"]))


@TABLE.breakage("There are quotes around it, as around JSON text: KeyId='")
def a_json_string(kms):
    describe(kms, json.dumps(make_key(kms)["KeyMetadata"]["KeyId"]))


@TABLE.breakage("There is white space around it: KeyId='")
def a_line_of_a_file(kms):
    describe(kms, make_key(kms)["KeyMetadata"]["KeyId"] + "\n")


@TABLE.breakage("This is the text that str() makes of bytes: KeyId='")
def the_text_of_bytes(kms):
    describe(kms, str(make_key(kms)["KeyMetadata"]["KeyId"].encode()))


@TABLE.breakage("A key id is written like this: KeyId='")
def the_last_part_of_an_arn(kms):
    describe(kms, "key/" + make_key(kms)["KeyMetadata"]["KeyId"])


@TABLE.breakage("A key id is written like this: KeyId='")
def a_key_id_in_upper_case(kms):
    describe(kms, make_key(kms)["KeyMetadata"]["KeyId"].upper())


@TABLE.breakage("A key id is written like this: KeyId='")
def a_key_id_without_hyphens(kms):
    describe(kms, make_key(kms)["KeyMetadata"]["KeyId"].replace("-", ""))


@TABLE.breakage("This is the description of a key, which names none: KeyId='")
def the_description_of_a_key(kms):
    make_key(kms, Description="Key of the orders")
    describe(kms, "Key of the orders")


@TABLE.breakage("This is a ciphertext in Base64, which CiphertextBlob takes, as bytes.")
def a_ciphertext_where_a_key_is_named(kms):
    key_id = make_key(kms)["KeyMetadata"]["KeyId"]
    blob = kms.client().encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    describe(kms, base64.b64encode(blob).decode())


# --- ARNs -------------------------------------------------------------


@TABLE.breakage("This is the ARN of a principal, not of a key")
def the_arn_of_a_role(kms):
    describe(kms, kms.account(ACCOUNT).role("App").arn)


@TABLE.breakage("This is the ARN of a resource of secretsmanager: KeyId takes a key id, a key ARN")
def the_arn_of_a_secret(kms):
    describe(kms, f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:db-a1b2c3")


@TABLE.breakage(
    "An ARN has six parts; that of a key is like arn:aws:kms:us-east-1:123456789012:key/"
)
def an_arn_without_account(kms):
    describe(kms, "arn:aws:kms:us-east-1:key/1234abcd-12ab-34cd-56ef-1234567890ab")


@TABLE.breakage(
    "The ARN has no Region; that of a key or alias in us-east-1 is like arn:aws:kms:us-e"
)
def an_arn_without_region(kms):
    describe(kms, make_key(kms)["KeyMetadata"]["Arn"].replace("us-east-1", ""))


@TABLE.breakage("is like arn:aws:kms:us-east-1:123456789012:alias/orders.")
def the_arn_of_an_alias_without_region(kms):
    make_key(kms)
    describe(kms, f"arn:aws:kms::{ACCOUNT}:alias/orders")


@TABLE.breakage("The ARN is of Region eu-west-1, but this client's Region is us-east-1. Use a cli")
def the_arn_of_an_alias_of_another_region(kms):
    describe(kms, f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/orders")


@TABLE.breakage("The ARN is of Region eu-west-1, but a key of us-east-1 is needed.")
def a_secret_under_a_key_of_another_region(kms):
    arn = make_key(kms)["KeyMetadata"]["Arn"].replace("us-east-1", "eu-west-1")
    kms.client("secretsmanager").create_secret(Name="db", SecretString="s", KmsKeyId=arn)


@TABLE.breakage(
    "The ARN is of the partition aws-cn, but the Region us-east-1 is in aws: arn:aws:kms:us-east-1:"
)
def an_arn_with_the_partition_of_others(kms):
    describe(kms, make_key(kms)["KeyMetadata"]["Arn"].replace("arn:aws:", "arn:aws-cn:"))


@TABLE.breakage(
    "but this client's Region us-east-1 is in the partition aws. Partitions share neither keys nor"
)
def an_arn_of_china(kms):
    describe(kms, f"arn:aws-cn:kms:cn-north-1:{ACCOUNT}:alias/orders")


@TABLE.breakage(
    "; that key is in us-east-1, but this client's Region is eu-west-1. Use a client of us-east-1."
)
def a_ciphertext_of_another_region(kms):
    key_id = make_key(kms)["KeyMetadata"]["KeyId"]
    blob = kms.client().encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    kms.client(region="eu-west-1").decrypt(CiphertextBlob=blob)


@TABLE.breakage("The ciphertext was made by arn:aws:kms:us-east-1:123456789012:key/")
def a_ciphertext_of_another_key(kms):
    keys = [kms.client().create_key()["KeyMetadata"]["KeyId"] for _ in range(2)]
    blob = kms.client().encrypt(KeyId=keys[0], Plaintext=b"text")["CiphertextBlob"]
    kms.client().decrypt(CiphertextBlob=blob, KeyId=keys[1])


@TABLE.breakage("Use a client of us-east-1, or replicate the key (ReplicateKey).")
def a_ciphertext_of_a_multi_region_key_without_replica(kms):
    key_id = make_key(kms, MultiRegion=True)["KeyMetadata"]["KeyId"]
    blob = kms.client().encrypt(KeyId=key_id, Plaintext=b"text")["CiphertextBlob"]
    kms.client(region="eu-west-1").decrypt(CiphertextBlob=blob)


_NO_KEY_OR_ALIAS = "that of an alias ends with :alias/ and its name."


@TABLE.breakage(_NO_KEY_OR_ALIAS)
def an_arn_that_ends_with_the_account(kms):
    describe(kms, f"arn:aws:kms:us-east-1:{ACCOUNT}:")


@TABLE.breakage(_NO_KEY_OR_ALIAS)
def an_arn_of_a_key_without_its_id(kms):
    describe(kms, f"arn:aws:kms:us-east-1:{ACCOUNT}:key/")


@TABLE.breakage(_NO_KEY_OR_ALIAS)
def an_arn_with_a_colon_before_the_key_id(kms):
    describe(kms, make_key(kms)["KeyMetadata"]["Arn"].replace("key/", "key:"))


@TABLE.breakage(_NO_KEY_OR_ALIAS)
def an_arn_without_the_type_of_the_resource(kms):
    describe(kms, make_key(kms)["KeyMetadata"]["Arn"].replace("key/", ""))


@TABLE.breakage("EnableKeyRotation takes a key id or key ARN only, which for alias/orders is '")
def an_alias_where_only_keys_are_named(kms):
    make_key(kms)
    kms.client().enable_key_rotation(KeyId="alias/orders")


@TABLE.breakage("RetireGrant takes the ARN of the key, not the key id")
def a_key_id_where_an_arn_is_needed(kms):
    key = make_key(kms)["KeyMetadata"]
    grant = kms.client().create_grant(
        KeyId=key["KeyId"], GranteePrincipal=kms.account(ACCOUNT).root.arn, Operations=["Decrypt"]
    )
    kms.client().retire_grant(KeyId=key["KeyId"], GrantId=grant["GrantId"])


@TABLE.breakage("is not a grant id, which has 64 hexadecimal digits")
def a_grant_token_as_grant_id(kms):
    key = make_key(kms)["KeyMetadata"]
    grant = kms.client().create_grant(
        KeyId=key["KeyId"], GranteePrincipal=kms.account(ACCOUNT).root.arn, Operations=["Decrypt"]
    )
    kms.client().revoke_grant(KeyId=key["Arn"], GrantId=grant["GrantToken"][:100])


@TABLE.breakage(
    "This is no ARN; a principal is named by its ARN, such as arn:aws:iam::111122223333:"
)
def a_name_where_the_arn_of_a_principal_is_needed(kms):
    key_id = make_key(kms)["KeyMetadata"]["KeyId"]
    kms.client().create_grant(KeyId=key_id, GranteePrincipal="App", Operations=["Decrypt"])


@TABLE.breakage("This is an ARN of kms; a principal is named by its ARN")
def the_arn_of_a_key_where_that_of_a_principal_is_needed(kms):
    arn = make_key(kms)["KeyMetadata"]["Arn"]
    kms.client().create_grant(KeyId=arn, GranteePrincipal=arn, Operations=["Decrypt"])


@TABLE.breakage("AliasName='alias/new' is an alias name")
def creating_an_alias_without_its_prefix(kms):
    kms.client().create_alias(AliasName="new", TargetKeyId=make_key(kms)["KeyMetadata"]["KeyId"])


@TABLE.breakage("AliasName='alias/orders' is an alias name")
def deleting_an_alias_by_its_arn(kms):
    make_key(kms)
    kms.client().delete_alias(AliasName=f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/orders")


@TABLE.breakage("TargetKeyId takes the id or the ARN of a key")
def an_alias_of_an_alias(kms):
    make_key(kms)
    kms.client().create_alias(AliasName="alias/new", TargetKeyId="alias/orders")


@TABLE.parametrize()
def test_the_note_names_the_fix(sentence: str, run: Callable[[KMSMock], Any]) -> None:
    assert sentence in read_note(run)


@pytest.mark.parametrize("name", ["nothing", "a b", "x" * 40])
def test_a_text_that_is_like_nothing_is_told_what_it_could_be(name: str) -> None:
    def run(kms: KMSMock) -> None:
        make_key(kms)
        describe(kms, name)

    assert read_note(run) == (
        "This is neither a key id, a key ARN, an alias name nor an alias ARN."
    )
