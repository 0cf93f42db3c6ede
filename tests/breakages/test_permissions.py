"""Denied requests: the note names the fix, and never one that bypasses a condition."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kmsmock import KMSMock, mock_kms
from tests.breakages.table import ACCOUNT, OTHER, Table, read_note

TABLE = Table()
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
VIA_S3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
TENANT = {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}


def allow(action: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": "*", **more}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def make_role(kms: KMSMock, *statements: dict[str, Any], **more: Any) -> Any:
    policies = [document(*statements)] if statements else None
    return kms.account(ACCOUNT).role("App", policies=policies, **more)


def make_key(kms: KMSMock, *statements: dict[str, Any]) -> str:
    key: str = kms.client().create_key()["KeyMetadata"]["Arn"]
    if statements:
        administrator = {"AWS": kms.account(ACCOUNT).administrator.arn}
        policy = document(allow("kms:*", Principal=administrator), *statements)
        kms.client().put_key_policy(KeyId=key, Policy=policy)
    return key


def encrypt(principal: Any, key: str, **more: Any) -> None:
    principal.client().encrypt(KeyId=key, Plaintext=b"text", **more)


# --- conditions -------------------------------------------------------


@TABLE.breakage("Pass EncryptionContext={'tenant': 'a'} in the request")
def no_context_where_the_identity_policy_wants_a_tenant(kms):
    encrypt(make_role(kms, allow("kms:Encrypt", Condition=TENANT)), make_key(kms))


@TABLE.breakage("Pass EncryptionContext={'tenant': 'a'} in the request")
def no_context_where_the_key_policy_wants_a_tenant(kms):
    role = make_role(kms)
    to_role = allow("kms:Encrypt", Principal={"AWS": role.arn}, Condition=TENANT)
    encrypt(role, make_key(kms, to_role))


@TABLE.breakage('"Condition": { "StringEquals": { "kms:EncryptionContext:tenant": "b" } }')
def the_context_of_another_tenant(kms):
    role = make_role(kms, allow("kms:Encrypt", Condition=TENANT))
    encrypt(role, make_key(kms), EncryptionContext={"tenant": "b"})


@TABLE.breakage(
    "Leave 'env' out of the encryption context: kms:EncryptionContextKeys does not allow"
)
def a_name_in_the_context_that_the_policy_does_not_allow(kms):
    names = {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant"]}}
    role = make_role(kms, allow("kms:Encrypt", Condition=names))
    encrypt(role, make_key(kms), EncryptionContext={"tenant": "a", "env": "b"})


@TABLE.breakage(
    "StringEquals compares kms:EncryptionContext:tenant with a* to the letter; StringLike"
)
def a_wildcard_for_an_operator_that_takes_none(kms):
    tenants = {"StringEquals": {"kms:EncryptionContext:tenant": "a*"}}
    role = make_role(kms, allow("kms:Encrypt", Condition=tenants))
    encrypt(role, make_key(kms), EncryptionContext={"tenant": "abc"})


@TABLE.breakage("StringNotLike takes wildcards")
def a_wildcard_for_a_negated_operator_that_takes_none(kms):
    tenants = {"StringNotEqualsIgnoreCase": {"kms:EncryptionContext:tenant": ["a", "*"]}}
    role = make_role(kms, allow("kms:Encrypt", Condition=tenants))
    encrypt(role, make_key(kms), EncryptionContext={"tenant": "A"})


@TABLE.breakage(
    "for requests of s3.eu-west-1.amazonaws.com, and this one is of s3.us-east-1.amazonaw"
)
def a_service_in_another_region(kms):
    there = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    encrypt(make_role(kms, allow("kms:Encrypt", Condition=there)).via("s3"), make_key(kms))


@TABLE.breakage(
    "Write the Region in the policy, too: kms:ViaService of this request is s3.us-east-1.a"
)
def a_service_without_region_for_its_own_request(kms):
    everywhere = {"StringEquals": {"kms:ViaService": "s3.amazonaws.com"}}
    encrypt(make_role(kms, allow("kms:Encrypt", Condition=everywhere)).via("s3"), make_key(kms))


@TABLE.breakage(
    "kms:ViaService is never s3.amazonaws.com: it has the Region, too, as in s3.us-east-1"
)
def a_service_without_region(kms):
    everywhere = {"StringEquals": {"kms:ViaService": "s3.amazonaws.com"}}
    encrypt(make_role(kms, allow("kms:Encrypt", Condition=everywhere)), make_key(kms))


@TABLE.breakage("write the ARN of the key, or Resource")
def the_arn_of_an_alias_as_resource(kms):
    key = make_key(kms)
    kms.client().create_alias(AliasName="alias/app", TargetKeyId=key)
    resource = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"
    encrypt(make_role(kms, allow("kms:*") | {"Resource": resource}), key)


@TABLE.breakage("is no ARN, so the statement never applies to it")
def a_key_id_as_resource(kms):
    key = make_key(kms)
    encrypt(make_role(kms, allow("kms:*") | {"Resource": key.rpartition("/")[2]}), key)


@TABLE.breakage("Pass EncryptionContext={'tenant': 'blue'} in the request")
def no_context_where_it_must_be_the_tag_of_the_role(kms):
    own = {"StringEquals": {"kms:EncryptionContext:tenant": "${aws:PrincipalTag/tenant}"}}
    role = make_role(kms, allow("kms:Encrypt", Condition=own), tags={"tenant": "blue"})
    encrypt(role, make_key(kms))


@TABLE.breakage("Pass SourceEncryptionContext={'tenant': 'a'} in the request")
def re_encrypting_without_the_source_context(kms):
    from_tenant = allow("kms:ReEncryptFrom", Condition=TENANT)
    role, key = make_role(kms, from_tenant, allow("kms:ReEncryptTo")), make_key(kms)
    blob = kms.client().encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
    role.client().re_encrypt(CiphertextBlob=blob, DestinationKeyId=key)


@TABLE.breakage('use the key through that service, in tests also with role.via("s3").client()')
def calling_kms_where_the_policy_is_for_s3(kms):
    encrypt(make_role(kms, allow("kms:Encrypt", Condition=VIA_S3)), make_key(kms))


@TABLE.breakage('in tests also with role.via("s3").client()')
def calling_kms_where_the_key_policy_is_for_s3(kms):
    to_account = allow("kms:Encrypt", Principal=ROOT, Condition=VIA_S3)
    encrypt(make_role(kms, allow("kms:*")), make_key(kms, to_account))


@TABLE.breakage('in tests also with user.via("s3").client()')
def calling_kms_where_all_else_is_explicitly_denied(kms):
    unless = {"StringNotEquals": VIA_S3["StringEquals"]}
    deny = {**allow("kms:Encrypt", Condition=unless), "Effect": "Deny"}
    user = kms.account(ACCOUNT).user("Ann", policies=[document(allow("kms:*"), deny)])
    encrypt(user, make_key(kms))


@TABLE.breakage("Name the key by the alias: KeyId='alias/app'")
def naming_the_key_by_its_id_where_the_policy_wants_its_alias(kms):
    by_alias = {"StringEquals": {"kms:RequestAlias": "alias/app"}}
    encrypt(make_role(kms, allow("kms:Encrypt", Condition=by_alias)), make_key(kms))


@TABLE.breakage("Tag the user or role: team=a")
def a_role_without_the_tag(kms):
    of_team = {"StringEquals": {"aws:PrincipalTag/team": "a"}}
    encrypt(make_role(kms, allow("kms:Encrypt", Condition=of_team)), make_key(kms))


@TABLE.breakage("Tag the key (TagResource): team=a")
def a_key_without_the_tag(kms):
    of_team = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    encrypt(make_role(kms, allow("kms:Encrypt", Condition=of_team)), make_key(kms))


@TABLE.breakage('kms.request_context({"aws:SourceVpce": "vpce-1"}) sets the key')
def a_network_that_only_tests_can_name(kms):
    inside = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    encrypt(make_role(kms, allow("kms:Encrypt", Condition=inside)), make_key(kms))


# --- grants -----------------------------------------------------------


def make_grant(kms: KMSMock, operations: list[str], **more: Any) -> tuple[Any, str]:
    role, key = make_role(kms), make_key(kms)
    kms.client().create_grant(
        KeyId=key, GranteePrincipal=role.arn, Operations=operations, Name="app", **more
    )
    return role, key


@TABLE.breakage("only with EncryptionContextEquals {'tenant': 'a'}, but the request has no encry")
def no_context_where_the_grant_wants_one(kms):
    constraints = {"EncryptionContextEquals": {"tenant": "a"}}
    encrypt(*make_grant(kms, ["Encrypt"], Constraints=constraints))


@TABLE.breakage(
    "only with EncryptionContextSubset {'tenant': 'a'}, but the request has the encryption context "
    "{'tenant': 'b', 'stage': '1'}"
)
def another_context_than_the_grant_wants(kms):
    constraints = {"EncryptionContextSubset": {"tenant": "a"}}
    role, key = make_grant(kms, ["Encrypt"], Constraints=constraints)
    encrypt(role, key, EncryptionContext={"tenant": "b", "stage": "1"})


@TABLE.breakage("operation: it allows Decrypt; asked for Encrypt")
def a_grant_for_another_operation(kms):
    encrypt(*make_grant(kms, ["Decrypt"]))


@TABLE.breakage("only with Operations among its own (CreateGrant, Decrypt), but the request has")
def giving_more_than_the_own_grant_has(kms):
    role, key = make_grant(kms, ["CreateGrant", "Decrypt"])
    role.client().create_grant(KeyId=key, GranteePrincipal=role.arn, Operations=["Encrypt"])


# --- policies without conditions --------------------------------------


@TABLE.breakage('identity policy of arn:aws:iam::123456789012:role/App: { "Effect": "Allow"')
def a_role_without_policies(kms):
    encrypt(make_role(kms), make_key(kms))


@TABLE.breakage('"Principal": { "AWS": "arn:aws:iam::123456789012:role/App" }')
def a_key_policy_that_names_only_its_administrator(kms):
    encrypt(make_role(kms, allow("kms:*")), make_key(kms, allow("kms:Decrypt", Principal=ROOT)))


@TABLE.breakage("the permissions boundary: {")
def a_boundary_that_does_not_allow_it(kms):
    boundary = document(allow("s3:*"))
    encrypt(make_role(kms, allow("kms:*"), boundary=boundary), make_key(kms))


@TABLE.breakage("the key's account 123456789012 does not share it")
def a_key_of_another_account_that_is_not_shared(kms):
    role = kms.account(OTHER).role("App", policies=[document(allow("kms:*"))])
    encrypt(role, make_key(kms))


@TABLE.breakage("for all else create a customer managed key")
def changing_an_aws_managed_key(kms):
    key = kms.client().describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    kms.client().disable_key(KeyId=key)


@TABLE.parametrize()
def test_the_note_names_the_fix(sentence: str, run: Callable[[KMSMock], Any]) -> None:
    assert sentence in read_note(run)


# --- what is never proposed -------------------------------------------


@pytest.mark.parametrize("context", [None, {"tenant": "b"}], ids=["no context", "another"])
@pytest.mark.parametrize("where", ["identity", "key", "account"])
@pytest.mark.parametrize("condition", [TENANT, VIA_S3], ids=["tenant", "ViaService"])
def test_no_statement_is_proposed_without_the_condition(
    condition: dict[str, Any], where: str, context: dict[str, str] | None
) -> None:
    with mock_kms() as kms:
        role, key = make_role(kms), make_key(kms)
        if where == "identity":
            role.set_policies(document(allow("kms:Decrypt", Condition=condition)))
        else:
            principal = ROOT if where == "account" else {"AWS": role.arn}
            key = make_key(kms, allow("kms:Decrypt", Principal=principal, Condition=condition))
        decision = kms.explain(role, "kms:Decrypt", key, encryption_context=context)

    assert not decision
    assert decision.fixes
    for missing in decision.missing:
        assert missing.statement["Condition"] == {
            "StringEquals": {"kms:EncryptionContext:tenant": "b"}
        }
    assert len(decision.missing) == (condition is TENANT and context is not None)


def test_a_proposed_statement_allows_the_request_and_no_other_tenant() -> None:
    with mock_kms() as kms:
        role = make_role(kms, allow("kms:Decrypt", Condition=TENANT))
        key = make_key(kms)
        [missing] = kms.explain(
            role, "kms:Decrypt", key, encryption_context={"tenant": "b"}
        ).missing
        role.set_policies(document(dict(missing.statement)))

        assert kms.explain(role, "kms:Decrypt", key, encryption_context={"tenant": "b"})
        assert not kms.explain(role, "kms:Decrypt", key, encryption_context={"tenant": "c"})
        assert not kms.explain(role, "kms:Decrypt", key)


def test_the_boundary_is_what_is_missing_although_an_identity_policy_has_a_condition() -> None:
    with mock_kms() as kms:
        role = make_role(kms, allow("kms:*"), allow("kms:Decrypt", Condition=TENANT))
        role.set_boundary(document(allow("s3:*")))
        [missing] = kms.explain(role, "kms:Decrypt", make_key(kms)).missing

    assert missing.where == "the permissions boundary"


def test_the_note_of_a_missed_constraint_proposes_no_policy() -> None:
    note = read_note(no_context_where_the_grant_wants_one)

    assert note.startswith("Denied: grant app (")
    assert "Missing:" not in note
    assert "or create a grant whose Constraints fit the request (CreateGrant)" in note


def test_a_key_of_another_account_is_shared_under_the_condition_of_its_policy() -> None:
    with mock_kms() as kms:
        role = kms.account(OTHER).role("App", policies=[document(allow("kms:*"))])
        to_other = {"AWS": f"arn:aws:iam::{OTHER}:root"}
        key = make_key(kms, allow("kms:Decrypt", Principal=to_other, Condition=TENANT))
        [missing] = kms.explain(
            role, "kms:Decrypt", key, encryption_context={"tenant": "b"}
        ).missing

    assert missing.where == f"key policy of {key}"
    assert missing.statement["Principal"] == to_other
    assert missing.statement["Condition"] == {"StringEquals": {"kms:EncryptionContext:tenant": "b"}}
