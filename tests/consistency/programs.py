"""Small programs that change something and then need the change; each gives the answer."""

from __future__ import annotations

import json

from tests.consistency.conftest import attempt, retried, settle

REGION = "us-east-1"
ACCOUNT = "123456789012"


def new_key(kms, **parameters):
    """A key that all nodes have seen."""
    key_id = kms.client().create_key(**parameters)["KeyMetadata"]["KeyId"]
    settle(kms)
    return key_id


def encrypt(client, key):
    return attempt(lambda: client.encrypt(KeyId=key, Plaintext=b"text"))


def policy(*actions, principal=f"arn:aws:iam::{ACCOUNT}:root"):
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Resource": "*"}
    own = {**statement, "Action": ["kms:PutKeyPolicy", "kms:GetKeyPolicy"]}
    statements = [own, *({**statement, "Action": action} for action in actions)]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def use_new_key(kms):
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
    return encrypt(kms.client(), key_id)


def name_new_key_for_alias(kms):
    client = kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    return attempt(lambda: client.create_alias(AliasName="alias/app", TargetKeyId=key_id))


def list_new_key(kms):
    key_id = kms.client().create_key()["KeyMetadata"]["KeyId"]
    return key_id in [key["KeyId"] for key in kms.client().list_keys()["Keys"]]


def decrypt_of_new_key(kms):
    client = kms.client()
    key_id = client.create_key()["KeyMetadata"]["KeyId"]
    blob = retried(lambda: client.encrypt(KeyId=key_id, Plaintext=b"text"))["CiphertextBlob"]
    return attempt(lambda: client.decrypt(CiphertextBlob=blob))


def use_new_alias(kms):
    key_id = new_key(kms)
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key_id)
    return encrypt(kms.client(), "alias/app")


def list_new_alias(kms):
    key_id = new_key(kms)
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key_id)
    aliases = kms.client().list_aliases(KeyId=key_id)["Aliases"]
    return [alias["AliasName"] for alias in aliases] == ["alias/app"]


def use_deleted_alias(kms):
    key_id = new_key(kms)
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key_id)
    settle(kms)
    kms.client().delete_alias(AliasName="alias/app")
    return encrypt(kms.client(), "alias/app")


def use_updated_alias(kms):
    old, new = new_key(kms), new_key(kms)
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=old)
    settle(kms)
    kms.client().update_alias(AliasName="alias/app", TargetKeyId=new)
    used = kms.client().encrypt(KeyId="alias/app", Plaintext=b"text")["KeyId"]
    return used.endswith(new)


def use_new_grant(kms):
    key_id = new_key(kms)
    role = kms.account(ACCOUNT).role("App")
    kms.client().create_grant(KeyId=key_id, GranteePrincipal=role.arn, Operations=["Encrypt"])
    return encrypt(role.client(), key_id)


def use_revoked_grant(kms):
    key_id = new_key(kms)
    role, client = kms.account(ACCOUNT).role("App"), kms.client()
    terms = {"GranteePrincipal": role.arn, "Operations": ["Encrypt"]}
    grant_id = client.create_grant(KeyId=key_id, **terms)["GrantId"]
    settle(kms)
    client.revoke_grant(KeyId=key_id, GrantId=grant_id)
    return encrypt(role.client(), key_id)


def list_new_grant(kms):
    key_id = new_key(kms)
    role = kms.account(ACCOUNT).role("App")
    kms.client().create_grant(KeyId=key_id, GranteePrincipal=role.arn, Operations=["Encrypt"])
    return len(kms.client().list_grants(KeyId=key_id)["Grants"])


def use_disabled_key(kms):
    key_id = new_key(kms)
    kms.client().disable_key(KeyId=key_id)
    return encrypt(kms.client(), key_id)


def use_enabled_key(kms):
    key_id = new_key(kms)
    kms.client().disable_key(KeyId=key_id)
    settle(kms)
    kms.client().enable_key(KeyId=key_id)
    return encrypt(kms.client(), key_id)


def use_key_pending_deletion(kms):
    key_id = new_key(kms)
    kms.client().schedule_key_deletion(KeyId=key_id)
    return encrypt(kms.client(), key_id)


def describe_disabled_key(kms):
    key_id = new_key(kms)
    kms.client().disable_key(KeyId=key_id)
    return kms.client().describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]


def read_description(kms):
    key_id = new_key(kms, Description="old")
    kms.client().update_key_description(KeyId=key_id, Description="new")
    return kms.client().describe_key(KeyId=key_id)["KeyMetadata"]["Description"]


def read_tags(kms):
    key_id = new_key(kms)
    kms.client().tag_resource(KeyId=key_id, Tags=[{"TagKey": "team", "TagValue": "a"}])
    return len(kms.client().list_resource_tags(KeyId=key_id)["Tags"])


def read_removed_tags(kms):
    key_id = new_key(kms, Tags=[{"TagKey": "team", "TagValue": "a"}])
    kms.client().untag_resource(KeyId=key_id, TagKeys=["team"])
    return len(kms.client().list_resource_tags(KeyId=key_id)["Tags"])


def use_tagged_key(kms):
    key_id, role = new_key(kms), kms.account(ACCOUNT).role("App")
    has_tag = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    allow = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*", "Condition": has_tag}
    role.set_policies({"Version": "2012-10-17", "Statement": [allow]})
    kms.client().tag_resource(KeyId=key_id, Tags=[{"TagKey": "team", "TagValue": "a"}])
    return encrypt(role.client(), key_id)


def use_key_with_new_policy(kms):
    key_id = new_key(kms, Policy=policy("kms:Encrypt"))
    kms.client().put_key_policy(KeyId=key_id, Policy=policy("kms:Decrypt"))
    return encrypt(kms.client(), key_id)


def read_policy(kms):
    key_id = new_key(kms, Policy=policy("kms:Encrypt"))
    kms.client().put_key_policy(KeyId=key_id, Policy=policy("kms:Decrypt"))
    return "kms:Decrypt" in kms.client().get_key_policy(KeyId=key_id)["Policy"]


def read_rotation(kms):
    key_id = new_key(kms)
    kms.client().enable_key_rotation(KeyId=key_id)
    return kms.client().get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"]


def use_imported_material(kms):
    key_id = new_key(kms, Origin="EXTERNAL")
    kms.import_material(key_id, b"\1" * 32)
    return encrypt(kms.client(), key_id)


def use_deleted_material(kms):
    key_id = new_key(kms, Origin="EXTERNAL")
    kms.import_material(key_id, b"\1" * 32)
    settle(kms)
    kms.client().delete_imported_key_material(KeyId=key_id)
    return encrypt(kms.client(), key_id)


def describe_replica(kms):
    key_id = new_key(kms, MultiRegion=True)
    kms.client().replicate_key(KeyId=key_id, ReplicaRegion="eu-west-1")
    there = kms.client(region="eu-west-1")
    return attempt(lambda: there.describe_key(KeyId=key_id))
