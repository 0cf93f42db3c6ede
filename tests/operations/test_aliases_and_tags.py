"""Aliases and tags."""

from __future__ import annotations

import pytest

from kmsmock.operations import aliases as aliases_module
from tests.refusals import refused

REGION, ACCOUNT = "us-east-1", "123456789012"
PREFIX_TEXT = (
    'Alias must start with the prefix "alias/". Please see '
    "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
)


def own_aliases(client, **parameters):
    listed = client.list_aliases(Limit=100, **parameters)["Aliases"]
    return [a for a in listed if not a["AliasName"].startswith("alias/aws/")]


def test_an_alias_is_listed_with_its_key(client, new_key):
    key_id = new_key()["KeyId"]

    client.create_alias(AliasName="alias/app", TargetKeyId=key_id)

    [alias] = own_aliases(client)
    assert alias["CreationDate"] == alias["LastUpdatedDate"]
    del alias["CreationDate"], alias["LastUpdatedDate"]
    assert alias == {
        "AliasName": "alias/app",
        "AliasArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/app",
        "TargetKeyId": key_id,
    }


def test_aliases_of_one_key_are_listed_alone(client, new_key):
    first, second = new_key()["KeyId"], new_key()["KeyId"]
    client.create_alias(AliasName="alias/one", TargetKeyId=first)
    client.create_alias(AliasName="alias/two", TargetKeyId=second)

    names = [alias["AliasName"] for alias in own_aliases(client, KeyId=second)]

    assert names == ["alias/two"]


def test_predefined_names_are_listed_without_a_key_until_it_exists(client):
    client.describe_key(KeyId="alias/aws/s3")

    listed = {a["AliasName"]: a for a in client.list_aliases(Limit=100)["Aliases"]}

    assert "TargetKeyId" in listed["alias/aws/s3"]
    assert set(listed["alias/aws/ebs"]) == {"AliasName", "AliasArn"}


@pytest.mark.parametrize("method", ["create_alias", "update_alias"])
@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        pytest.param("app", "ValidationException", PREFIX_TEXT, id="no prefix"),
        pytest.param(
            "alias/a b",
            "ValidationException",
            "1 validation error detected: Value 'alias/a b' at 'aliasName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$",
            id="space",
        ),
        pytest.param(
            "alias/a:b",
            "ValidationException",
            "alias/a:b contains invalid characters for an alias",
            id="colon",
        ),
        pytest.param("alias/", "ValidationException", "Invalid identifier", id="nothing more"),
        pytest.param("alias/aws/s3", "NotAuthorizedException", "", id="reserved"),
    ],
)
def test_a_name_that_cannot_be_is_refused(client, new_key, method, name, code, message):
    key_id = new_key()["KeyId"]

    with refused(code, message):
        getattr(client, method)(AliasName=name, TargetKeyId=key_id)


@pytest.mark.parametrize("target", ["alias/x", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/x"])
def test_an_alias_of_an_alias_is_refused(client, target):
    with refused("ValidationException", "Aliases must refer to keys. Not aliases"):
        client.create_alias(AliasName="alias/app", TargetKeyId=target)


def test_a_taken_name_is_refused(client, new_key):
    key_id = new_key()["KeyId"]
    client.create_alias(AliasName="alias/app", TargetKeyId=key_id)
    text = f"An alias with the name arn:aws:kms:{REGION}:{ACCOUNT}:alias/app already exists"

    with refused("AlreadyExistsException", text):
        client.create_alias(AliasName="alias/app", TargetKeyId=key_id)


def test_the_quota_of_aliases_per_key_is_enforced(client, new_key, monkeypatch):
    monkeypatch.setattr(aliases_module, "QUOTA_PER_KEY", 1)
    key_id, other = new_key()["KeyId"], new_key()["KeyId"]
    client.create_alias(AliasName="alias/one", TargetKeyId=key_id)
    client.create_alias(AliasName="alias/other", TargetKeyId=other)
    text = "Aliases per key quota for this account in this region is 1, current usage is 1."

    with refused("LimitExceededException", text):
        client.create_alias(AliasName="alias/two", TargetKeyId=key_id)
    with refused("LimitExceededException", text):
        client.update_alias(AliasName="alias/other", TargetKeyId=key_id)


def test_an_updated_alias_keeps_its_creation_date(kms, client, new_key):
    client.create_alias(AliasName="alias/app", TargetKeyId=new_key()["KeyId"])
    [before] = own_aliases(client)
    kms.clock.advance(hours=1)
    other = new_key()["KeyId"]

    client.update_alias(AliasName="alias/app", TargetKeyId=other)

    [after] = own_aliases(client)
    assert after["TargetKeyId"] == other
    assert after["CreationDate"] == before["CreationDate"] < after["LastUpdatedDate"]


def test_an_alias_cannot_change_to_a_key_of_another_usage(client, new_key):
    client.create_alias(AliasName="alias/x", TargetKeyId=new_key()["KeyId"])
    other = new_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyId"]
    text = (
        "Alias alias/x cannot be changed from a CMK with key usage ENCRYPT_DECRYPT to a CMK with "
        "key usage SIGN_VERIFY. The key usage of the current CMK and the new CMK must be the same."
    )

    with refused("ValidationException", text):
        client.update_alias(AliasName="alias/x", TargetKeyId=other)


def test_nor_to_a_key_of_another_type(client, new_key):
    client.create_alias(AliasName="alias/x", TargetKeyId=new_key()["KeyId"])
    other = new_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyId"]

    with refused("ValidationException"):
        client.update_alias(AliasName="alias/x", TargetKeyId=other)


@pytest.mark.parametrize("method", ["update_alias", "delete_alias"])
def test_an_unknown_alias_is_refused(client, new_key, method):
    target = {"TargetKeyId": new_key()["KeyId"]} if method == "update_alias" else {}
    text = f"Alias arn:aws:kms:{REGION}:{ACCOUNT}:alias/x is not found."

    with refused("NotFoundException", text):
        getattr(client, method)(AliasName="alias/x", **target)


def test_a_deleted_alias_means_nothing_any_more(client, new_key):
    key_id = new_key()["KeyId"]
    client.create_alias(AliasName="alias/app", TargetKeyId=key_id)

    client.delete_alias(AliasName="alias/app")

    assert own_aliases(client) == []
    with refused("NotFoundException"):
        client.describe_key(KeyId="alias/app")


# --- tags ----------------------------------------


def tags_of(client, key_id):
    return {
        tag["TagKey"]: tag["TagValue"] for tag in client.list_resource_tags(KeyId=key_id)["Tags"]
    }


def test_tags_are_added_changed_and_removed(client, new_key):
    key_id = new_key(Tags=[{"TagKey": "a", "TagValue": "1"}])["KeyId"]

    client.tag_resource(
        KeyId=key_id,
        Tags=[{"TagKey": "b", "TagValue": "2"}, {"TagKey": "a", "TagValue": "3"}],
    )
    assert list(tags_of(client, key_id).items()) == [("a", "3"), ("b", "2")]
    client.untag_resource(KeyId=key_id, TagKeys=["a", "absent"])

    assert tags_of(client, key_id) == {"b": "2"}


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        pytest.param([("a", "1"), ("a", "2")], "Duplicate tag keys", id="twice"),
        pytest.param([("aws:a", "1")], "Tags beginning with aws: are reserved", id="reserved"),
        pytest.param([("AwS:a", "1")], "Tags beginning with aws: are reserved", id="any case"),
        pytest.param([(str(n), "") for n in range(50)], "Too many tags", id="too many"),
    ],
)
def test_tags_that_cannot_be_are_refused(client, new_key, tags, message):
    key_id = new_key(Tags=[{"TagKey": "x", "TagValue": ""}])["KeyId"]

    with refused("TagException", message):
        client.tag_resource(KeyId=key_id, Tags=[{"TagKey": k, "TagValue": v} for k, v in tags])

    assert tags_of(client, key_id) == {"x": ""}


@pytest.mark.parametrize(
    ("tag", "member", "limit"),
    [
        ({"TagKey": "k" * 129, "TagValue": ""}, "tagKey", 128),
        ({"TagKey": "k", "TagValue": "v" * 257}, "tagValue", 256),
    ],
)
def test_a_long_tag_is_told_with_its_place(client, new_key, tag, member, limit):
    value = tag[member[0].upper() + member[1:]]
    text = (
        f"1 validation error detected: Value '{value}' at 'tags.1.member.{member}' failed to "
        f"satisfy constraint: Member must have length less than or equal to {limit}"
    )

    with refused("ValidationException", text):
        client.tag_resource(KeyId=new_key()["KeyId"], Tags=[tag])
