"""How operations name keys, and what they answer when there is no such key."""

from __future__ import annotations

import json

import pytest

from tests.refusals import refused

REGION, ACCOUNT = "us-east-1", "123456789012"
UNKNOWN = "1234abcd-12ab-34cd-56ef-1234567890ab"
UNKNOWN_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{UNKNOWN}"
FOREIGN_ARN = f"arn:aws:kms:{REGION}:111122223333:key/{UNKNOWN}"

#: Operations that take all four forms, with what they need besides.
ANY_FORM = {
    "describe_key": {},
    "encrypt": {"Plaintext": b"text"},
    "generate_data_key": {"KeySpec": "AES_256"},
    "generate_data_key_without_plaintext": {"KeySpec": "AES_256"},
    "generate_data_key_pair": {"KeyPairSpec": "ECC_NIST_P256"},
    "generate_data_key_pair_without_plaintext": {"KeyPairSpec": "ECC_NIST_P256"},
}
#: Operations that take a key id or key ARN only.
KEY_ONLY = {
    "cancel_key_deletion": {},
    "create_grant": {
        "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/App",
        "Operations": ["Decrypt"],
    },
    "delete_imported_key_material": {},
    "disable_key": {},
    "disable_key_rotation": {},
    "enable_key": {},
    "enable_key_rotation": {},
    "get_key_last_usage": {},
    "get_key_policy": {},
    "get_key_rotation_status": {},
    "get_parameters_for_import": {
        "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
        "WrappingKeySpec": "RSA_2048",
    },
    "import_key_material": {"ImportToken": b"t", "EncryptedKeyMaterial": b"m"},
    "list_aliases": {},
    "list_grants": {},
    "list_key_policies": {},
    "list_key_rotations": {},
    "list_resource_tags": {},
    "put_key_policy": {"Policy": "{}"},
    "replicate_key": {"ReplicaRegion": "eu-west-1"},
    "retire_grant": {"GrantId": "0" * 64},
    "revoke_grant": {"GrantId": "0" * 64},
    "rotate_key_on_demand": {},
    "schedule_key_deletion": {},
    "tag_resource": {"Tags": []},
    "untag_resource": {"TagKeys": []},
    "update_key_description": {"Description": "text"},
    "update_primary_region": {"PrimaryRegion": "eu-west-1"},
}
ALL = {**ANY_FORM, **KEY_ONLY}
CROSS_ACCOUNT = {
    *ANY_FORM,
    *("create_grant", "get_key_rotation_status", "list_grants", "retire_grant", "revoke_grant"),
}


@pytest.mark.parametrize("method", ANY_FORM)
@pytest.mark.parametrize("form", ["id", "arn", "alias", "alias_arn"])
def test_an_operation_takes_all_four_forms_of_identifier(client, new_key, method, form):
    key = new_key()
    client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    forms = {
        "id": key["KeyId"],
        "arn": key["Arn"],
        "alias": "alias/app",
        "alias_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/app",
    }

    answer = getattr(client, method)(KeyId=forms[form], **ANY_FORM[method])

    assert key["Arn"] in (answer.get("KeyId"), answer.get("KeyMetadata", {}).get("Arn"))


@pytest.mark.parametrize("method", KEY_ONLY)
@pytest.mark.parametrize("alias", ["alias/app", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/app"])
def test_an_alias_is_refused_before_any_lookup(client, method, alias):
    with refused("InvalidArnException", "Key Aliases are not supported for this operation."):
        getattr(client, method)(KeyId=alias, **KEY_ONLY[method])


@pytest.mark.parametrize(
    ("reference", "which"),
    [
        ("alias/app", ", which for alias/app is {key_id!r}"),
        (f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/app", ", which for alias/app is {key_id!r}"),
        (f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/app", ""),
        ("alias/none", ""),
    ],
    ids=["its name", "its ARN", "an ARN of another Region", "no alias"],
)
def test_a_refused_alias_is_explained_with_the_key_that_it_names(kms, client, reference, which):
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    client.create_alias(AliasName="alias/app", TargetKeyId=key_id)

    with refused("InvalidArnException"):
        client.enable_key(KeyId=reference)

    which = which.format(key_id=key_id)
    assert kms.calls[-1].explanation == f"EnableKey takes a key id or key ARN only{which}."


@pytest.mark.parametrize("method", ALL)
def test_an_unknown_key_is_named_by_its_full_arn(client, method):
    references = [UNKNOWN_ARN] if method == "retire_grant" else [UNKNOWN, UNKNOWN_ARN]
    for reference in references:
        with refused("NotFoundException", f"Key '{UNKNOWN_ARN}' does not exist"):
            getattr(client, method)(KeyId=reference, **ALL[method])


def test_a_grant_is_retired_by_the_arn_of_its_key_and_not_by_the_id(client, new_key):
    key_id = new_key()["KeyId"]

    with refused("NotFoundException", f"Invalid arn {key_id}"):
        client.retire_grant(KeyId=key_id, GrantId="0" * 64)


@pytest.mark.parametrize("text", ["foo", "mrk-foo", UNKNOWN.replace("-", "")])
def test_a_malformed_key_id_is_quoted(client, text):
    with refused("NotFoundException", f"Invalid keyId '{text}'"):
        client.describe_key(KeyId=text)


def test_a_malformed_key_id_in_an_arn_is_not_quoted(client):
    with refused("NotFoundException", "Invalid keyId foo"):
        client.describe_key(KeyId=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/foo")


@pytest.mark.parametrize("method", ["describe_key", "encrypt"])
@pytest.mark.parametrize(
    "arn",
    [
        "arn:",
        "arn:aws:kms",
        f"arn:aws:kms:{REGION}:{ACCOUNT}",
        f"arn:aws:kms:{REGION}:{ACCOUNT}:",
        f"arn:aws:kms:{REGION}:{ACCOUNT}:{UNKNOWN}",
        f"arn:aws:kms:{REGION}:{ACCOUNT}:key/",
        f"arn:aws:kms:{REGION}:{ACCOUNT}:key:{UNKNOWN}",
        f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/",
        f"arn:aws:iam:{REGION}:{ACCOUNT}:key/{UNKNOWN}",
        f"arn:aws:kms:{REGION}:key/{UNKNOWN}",
    ],
)
def test_a_malformed_arn_is_quoted(client, method, arn):
    with refused("NotFoundException", f"Invalid arn {arn}"):
        getattr(client, method)(KeyId=arn, **ANY_FORM[method])


@pytest.mark.parametrize("resource", [f"key/{UNKNOWN}", "alias/app"])
def test_an_arn_of_another_region_is_told_by_the_region(client, resource):
    with refused("NotFoundException", "Invalid arn eu-west-1"):
        client.describe_key(KeyId=f"arn:aws:kms:eu-west-1:{ACCOUNT}:{resource}")


@pytest.mark.parametrize(
    ("partition", "region", "note"),
    [
        pytest.param("aws-cn", "cn-north-1", "the partition aws-cn, but this client", id="other"),
        pytest.param("aws-cn", REGION, f"arn:aws:kms:{REGION}:", id="not of its Region"),
    ],
)
def test_an_arn_of_another_partition_is_told_by_its_region_and_has_a_note_of_its_own(
    client, partition, region, note
):
    with refused("NotFoundException", f"Invalid arn {region}") as caught:
        client.describe_key(KeyId=f"arn:{partition}:kms:{region}:{ACCOUNT}:key/{UNKNOWN}")

    assert note in caught.value.__notes__[0]


@pytest.mark.parametrize("alias", ["alias/x", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/x"])
def test_an_unknown_alias_is_named_by_its_arn(client, alias):
    text = f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:alias/x is not found."

    with refused("NotFoundException", text):
        client.describe_key(KeyId=alias)


def test_an_unused_name_of_aws_is_an_unknown_alias(client):
    text = f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/unknown is not found."

    with refused("NotFoundException", text):
        client.describe_key(KeyId="alias/aws/unknown")


@pytest.mark.parametrize("method", ALL)
def test_keys_of_other_accounts_do_not_show_whether_they_exist(client, method):
    with refused("AccessDeniedException") as caught:
        getattr(client, method)(KeyId=FOREIGN_ARN, **ALL[method])

    assert caught.value.response["Error"]["Message"].endswith(
        "on this resource because the resource does not exist in this Region, no resource-based "
        "policies allow access, or a resource-based policy explicitly denies access"
    )


SHARED = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": [ACCOUNT, "111122223333"]},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
)


@pytest.mark.parametrize("method", sorted(CROSS_ACCOUNT - {"retire_grant", "revoke_grant"}))
def test_some_operations_work_on_keys_of_other_accounts(kms, client, method):
    owner = kms.account("111122223333").client()
    arn = owner.create_key(Policy=SHARED)["KeyMetadata"]["Arn"]

    answer = getattr(client, method)(KeyId=arn, **ALL[method])

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("method", sorted(set(ALL) - CROSS_ACCOUNT))
def test_others_refuse_them_as_if_they_did_not_exist(kms, client, method):
    arn = kms.account("111122223333").client().create_key()["KeyMetadata"]["Arn"]

    with refused("AccessDeniedException"):
        getattr(client, method)(KeyId=arn, **ALL[method])


def test_a_bare_id_of_another_account_is_looked_up_in_the_own(kms, client):
    key_id = kms.account("111122223333").client().create_key()["KeyMetadata"]["KeyId"]
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"

    with refused("NotFoundException", f"Key '{arn}' does not exist"):
        client.describe_key(KeyId=key_id)


def test_an_empty_key_id_breaks_two_rules(client):
    message = (
        "2 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: Member "
        "must have length greater than or equal to 1; Value '' at 'keyId' failed to satisfy "
        r"constraint: Member must satisfy regular expression pattern: ^\p{ASCII}+$"
    )

    with refused("ValidationException", message):
        _unchecked(client).describe_key(KeyId="")


def test_a_key_id_outside_ascii_breaks_the_pattern(client):
    message = (
        "1 validation error detected: Value 'ключ' at 'keyId' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: ^\p{ASCII}+$"
    )

    with refused("ValidationException", message):
        client.describe_key(KeyId="ключ")


def _unchecked(client):
    """Give a client that sends what it is given; botocore checks minima itself otherwise."""
    import boto3
    from botocore.config import Config

    return boto3.client("kms", client.meta.region_name, config=Config(parameter_validation=False))
