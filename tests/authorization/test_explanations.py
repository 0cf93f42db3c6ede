"""Explanations, word for word: each file under tests/data/explanations is one of them.

``UPDATE_EXPLANATIONS=1 pytest tests/authorization/test_explanations.py`` writes them again, to be
read before they are committed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.authorization.documents import ACCOUNT, OTHER, allow, deny, policy, to

FOLDER = Path(__file__).parent.parent / "data" / "explanations"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
TENANT = {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}


def an_encryption_context_that_does_not_fit(kms, key, role):
    role.set_policies(policy(allow("kms:Decrypt", key["Arn"], Condition=TENANT)))
    return kms.explain(role, "kms:Decrypt", key["Arn"], encryption_context={"tenant": "b"})


def nothing_at_all(kms, key, role):
    return kms.explain(role, "kms:GenerateDataKeyWithoutPlaintext", key["Arn"])


def an_explicit_deny(kms, key, role):
    unless = {"StringNotEquals": {"aws:PrincipalTag/team": "a"}}
    role.set_policies(policy(allow("kms:*"), deny("kms:Decrypt", Sid="Team", Condition=unless)))
    return kms.explain(role, "kms:Decrypt", key["Arn"])


def a_key_policy_that_lets_others_in(kms, key, role):
    statements = (
        allow("kms:*", **to(kms.account(ACCOUNT).administrator.arn)),
        allow("kms:Decrypt", **to(f"arn:aws:iam::{OTHER}:root")),
    )
    kms.client().put_key_policy(KeyId=key["KeyId"], Policy=policy(*statements))
    role.set_policies(policy(allow("kms:*")))
    return kms.explain(role, "kms:Decrypt", key["Arn"])


def a_foreign_key_that_is_not_shared(kms, key, _):
    foreign = kms.account(OTHER).role("App", policies=[policy(allow("kms:Encrypt"))])
    return kms.explain(foreign, "kms:Encrypt", key["Arn"])


def a_foreign_key_that_the_own_account_does_not_allow(kms, key, _):
    statements = (allow("kms:*", **to(ROOT)), allow("kms:Decrypt", **to(OTHER)))
    kms.client().put_key_policy(KeyId=key["KeyId"], Policy=policy(*statements))
    foreign = kms.account(OTHER).role("App", policies=[policy(allow("s3:*"))])
    return kms.explain(foreign, "kms:Decrypt", key["Arn"])


def a_grant_for_something_else(kms, key, role):
    kms.client().create_grant(
        KeyId=key["KeyId"],
        GranteePrincipal=role.arn,
        Operations=["Decrypt", "DescribeKey"],
        Constraints={"EncryptionContextSubset": {"tenant": "a"}},
        Name="reader",
    )
    return kms.explain(role, "kms:Decrypt", key["Arn"], encryption_context={"tenant": "b"})


def a_grant_that_lets_in(kms, key, role):
    kms.client().create_grant(
        KeyId=key["KeyId"], GranteePrincipal=role.arn, Operations=["Decrypt"], Name="reader"
    )
    return kms.explain(role, "kms:Decrypt", key["Arn"])


def a_boundary_that_is_silent(kms, key, role):
    role.set_policies(policy(allow("kms:*")))
    role.set_boundary(policy(allow("s3:*")))
    return kms.explain(role, "kms:Decrypt", key["Arn"])


def a_service_control_policy(kms, key, role):
    role.set_policies(policy(allow("kms:*")))
    kms.account(ACCOUNT).join_organization(
        "o-1234567890", service_control=[[policy(allow("*"), deny("kms:Decrypt", Sid="NoDecrypt"))]]
    )
    return kms.explain(role, "kms:Decrypt", key["Arn"])


def a_tag_that_key_policies_cannot_see(kms, key, role):
    tag = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    statements = (
        allow("kms:*", **to(kms.account(ACCOUNT).administrator.arn)),
        allow("kms:Decrypt", **to(role.arn), Condition=tag),
    )
    kms.client().put_key_policy(KeyId=key["KeyId"], Policy=policy(*statements))
    kms.client().tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "team", "TagValue": "a"}])
    return kms.explain(role, "kms:Decrypt", key["Arn"])


def a_principal_that_was_deleted(kms, key, role):
    statements = (allow("kms:*", **to(ROOT)), allow("kms:Decrypt", **to(role.arn)))
    kms.client().put_key_policy(KeyId=key["KeyId"], Policy=policy(*statements))
    role.delete()
    return kms.explain(kms.account(ACCOUNT).role("App"), "kms:Decrypt", key["Arn"])


def a_grant_to_a_role_that_was_deleted(kms, key, role):
    kms.client().create_grant(
        KeyId=key["KeyId"], GranteePrincipal=role.arn, Operations=["Decrypt"], Name="reader"
    )
    role.delete()
    return kms.explain(kms.account(ACCOUNT).role("App"), "kms:Decrypt", key["Arn"])


def a_grant_whose_retiring_role_was_deleted(kms, key, role):
    administrator = kms.account(ACCOUNT).administrator
    made = kms.client().create_grant(
        KeyId=key["KeyId"],
        GranteePrincipal=administrator.arn,
        RetiringPrincipal=role.arn,
        Operations=["Decrypt"],
        Name="reader",
    )
    role.delete()
    named = {"KeyId": key["Arn"], "GrantId": made["GrantId"]}
    return kms.explain(kms.account(ACCOUNT).role("App"), "kms:RetireGrant", parameters=named)


def a_service_that_calls_for_another_resource(kms, key, _):
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:orders"
    source = {"ArnEquals": {"aws:SourceArn": queue}}
    letting_in = {"Principal": {"Service": "sns.amazonaws.com"}, "Condition": source}
    statements = (allow("kms:*", **to(ROOT)), allow("kms:Decrypt", **letting_in))
    kms.client().put_key_policy(KeyId=key["KeyId"], Policy=policy(*statements))
    service = kms.principal("sns.amazonaws.com").on_behalf_of(f"{queue}-2")
    return kms.explain(service, "kms:Decrypt", key["Arn"])


def an_account_level_action(kms, key, role):
    role.set_policies(policy(allow("kms:ListKeys", key["Arn"])))
    return kms.explain(role, "kms:ListKeys")


def a_change_of_an_aws_managed_key(kms, *_):
    metadata = kms.client().describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    return kms.explain(kms.account(ACCOUNT).administrator, "kms:DisableKey", metadata["Arn"])


CASES = (
    an_encryption_context_that_does_not_fit,
    nothing_at_all,
    an_explicit_deny,
    a_key_policy_that_lets_others_in,
    a_foreign_key_that_is_not_shared,
    a_foreign_key_that_the_own_account_does_not_allow,
    a_grant_for_something_else,
    a_grant_that_lets_in,
    a_boundary_that_is_silent,
    a_service_control_policy,
    a_tag_that_key_policies_cannot_see,
    a_principal_that_was_deleted,
    a_grant_to_a_role_that_was_deleted,
    a_grant_whose_retiring_role_was_deleted,
    a_service_that_calls_for_another_resource,
    an_account_level_action,
    a_change_of_an_aws_managed_key,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_explanations_stay_as_they_were_read(kms, key, role, case):
    text = str(case(kms, key, role)).replace(key["KeyId"], "1234abcd-12ab-34cd-56ef-1234567890ab")
    text = re.sub(r"\b[0-9a-f]{64}\b", "0000", text) + "\n"
    file = FOLDER / f"{case.__name__}.txt"
    if os.environ.get("UPDATE_EXPLANATIONS"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    assert text == file.read_text(encoding="utf-8")
    assert max(len(line) for line in text.splitlines() if "arn:" not in line) <= 100


def test_every_file_is_the_explanation_of_a_case():
    assert {file.stem for file in FOLDER.iterdir()} == {case.__name__ for case in CASES}


@pytest.mark.parametrize(
    ("make", "grantee", "kinds"),
    [
        (
            lambda account: account.user("ann"),
            f"arn:aws:iam::{ACCOUNT}:user/ann",
            ("a user that was deleted", "the new user with this name"),
        ),
        (
            lambda account: account.role("App", session="job"),
            f"arn:aws:sts::{ACCOUNT}:assumed-role/App/job",
            ("of a role that was deleted", "of the new role with this name"),
        ),
    ],
    ids=["user", "role session"],
)
def test_a_grant_tells_that_its_grantee_was_deleted(kms, key, make, grantee, kinds):
    account = kms.account(ACCOUNT)
    before = make(account)
    kms.client().create_grant(KeyId=key["KeyId"], GranteePrincipal=grantee, Operations=["Decrypt"])
    before.delete()

    steps = kms.explain(make(account), "kms:Decrypt", key["Arn"]).steps
    (why,) = next(step.why for step in steps if step.subject.startswith("grant"))

    assert why == f"grantee: it names {grantee}, {kinds[0]}; the caller is {grantee}, {kinds[1]}"


def test_a_key_policy_tells_that_the_role_of_a_session_was_deleted(kms, key):
    account = kms.account(ACCOUNT)
    before = account.role("App", session="job")
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/App/job"
    statements = (allow("kms:*", **to(ROOT)), allow("kms:Decrypt", **to(session)))
    kms.client().put_key_policy(KeyId=key["KeyId"], Policy=policy(*statements))
    before.delete()

    decision = kms.explain(account.role("App", session="job"), "kms:Decrypt", key["Arn"])

    assert "which was deleted and created again" in decision.steps[1].why[0]


def test_an_explanation_is_of_the_region_of_the_key(kms, role):
    there = kms.client(region="eu-west-1").create_key()["KeyMetadata"]["Arn"]
    condition = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    role.set_policies(policy(allow("kms:Encrypt", Condition=condition)))

    assert kms.explain(role, "kms:Encrypt", there)
    role.client(region="eu-west-1").encrypt(KeyId=there, Plaintext=b"text")


def test_a_refused_retirement_tells_who_may_retire_the_grant(client, kms, key, role):
    administrator = kms.account(ACCOUNT).administrator
    for retiring, whom in (({}, "nobody"), ({"RetiringPrincipal": administrator.arn}, "arn:aws")):
        made = client.create_grant(
            KeyId=key["KeyId"], GranteePrincipal=role.arn, Operations=["Decrypt"], **retiring
        )
        with pytest.raises(client.exceptions.ClientError) as caught:
            role.client().retire_grant(KeyId=key["Arn"], GrantId=made["GrantId"])
        assert f"retiring principal: it names {whom}" in caught.value.__notes__[0]


@pytest.mark.parametrize("operations", [["Decrypt"], ["Encrypt"]], ids=["its own", "more"])
def test_parameters_tell_what_grant_is_to_be_made(client, kms, key, role, operations):
    parent = client.create_grant(
        KeyId=key["KeyId"], GranteePrincipal=role.arn, Operations=["CreateGrant", "Decrypt"]
    )
    child = {"KeyId": key["Arn"], "GranteePrincipal": role.arn, "Operations": operations}

    decision = kms.explain(role, "kms:CreateGrant", key["Arn"], parameters=child)

    assert bool(decision) is (operations == ["Decrypt"])
    if decision:
        assert decision.grant.grant_id == parent["GrantId"]


def test_parameters_tell_which_grant_is_to_be_retired(client, kms, key, role):
    made = client.create_grant(
        KeyId=key["KeyId"],
        GranteePrincipal=kms.account(ACCOUNT).administrator.arn,
        RetiringPrincipal=role.arn,
        Operations=["Decrypt"],
    )
    for named in ({"GrantToken": made["GrantToken"]}, {"GrantId": made["GrantId"]}):
        assert kms.explain(role, "kms:RetireGrant", key["Arn"], parameters=named)
    other = kms.account(ACCOUNT).role("Other")
    named = {"GrantId": made["GrantId"]}
    assert not kms.explain(other, "kms:RetireGrant", key["Arn"], parameters=named)


def test_parameters_bring_their_encryption_context(kms, key, role):
    condition = {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    role.set_policies(policy(allow("kms:Encrypt", Condition=condition)))

    for tenant, allowed in (("a", True), ("b", False)):
        parameters = {"EncryptionContext": {"tenant": tenant}}
        decision = kms.explain(role, "kms:Encrypt", key["Arn"], parameters=parameters)
        assert bool(decision) is allowed
