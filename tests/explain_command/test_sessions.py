"""``kmsmock explain`` for role sessions and federated users, as `kms.explain` decides."""

from __future__ import annotations

import json

import pytest

from tests.authorization.documents import ACCOUNT, allow, policy, to
from tests.explain_command.files import DELEGATING, REQUEST, ROOT, grant

SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Rp/job"
WITH_PATH = f"arn:aws:iam::{ACCOUNT}:role/x/y/Rp"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/bob"


@pytest.mark.parametrize("where", ["grants", "key_policy"])
def test_the_role_of_a_session_is_found_by_its_name(explain, where):
    request = {**REQUEST, "principal": SESSION}
    options = {
        "grants": {"key_policy": DELEGATING, "grants": [grant(GranteePrincipal=WITH_PATH)]},
        "key_policy": {"key_policy": policy(allow("kms:Encrypt", **to(WITH_PATH)))},
    }

    code, text = explain(request, **options[where])

    assert code == 0
    assert f"taken for a session of {WITH_PATH}" in " ".join(text.split())


@pytest.mark.parametrize(
    "other",
    [
        f"arn:aws:iam::{ACCOUNT}:role/x/y/Rq",
        "arn:aws:iam::444455556666:role/x/y/Rp",
        f"arn:aws:iam::{ACCOUNT}:user/x/y/Rp",
    ],
)
def test_a_session_is_not_of_a_role_with_another_name(explain, other):
    request = {**REQUEST, "principal": SESSION}

    assert explain(request, key_policy=policy(allow("kms:Encrypt", **to(other))))[0] == 1


def test_a_session_that_can_be_of_two_roles_is_bad_input_until_the_role_is_named(explain):
    plain = f"arn:aws:iam::{ACCOUNT}:role/Rp"
    key_policy = policy(allow("kms:Encrypt", **to(WITH_PATH)), allow("kms:Decrypt", **to(plain)))
    request = {**REQUEST, "principal": SESSION}

    code, text = explain(request, key_policy=key_policy)
    assert code == 2
    assert f"this can be a session of {plain} or {WITH_PATH}" in text
    for issuer, expected in ((WITH_PATH, 0), (plain, 1)):
        assert explain({**request, "sessionIssuer": issuer}, key_policy=key_policy)[0] == expected


def test_a_federated_user_has_what_its_user_and_its_session_policy_allow(explain):
    request = {**REQUEST, "principal": FEDERATED, "sessionIssuer": USER}
    files = {"key_policy": DELEGATING, "identity_policy": policy(allow("kms:*"))}
    allowing, others = policy(allow("kms:Encrypt")), policy(allow("s3:*"))

    assert explain(request, **files, session_policy=allowing)[0] == 0
    assert explain(request, **files, session_policy=others)[0] == 1
    code, text = explain(request, **files)
    assert code == 1
    assert "no session policy allows" in text


def test_a_federated_user_can_be_named_itself(explain):
    request = {**REQUEST, "principal": FEDERATED}

    code, text = explain(request, key_policy=policy(allow("kms:Encrypt", **to(FEDERATED))))

    assert code == 0
    assert "without sessionIssuer, the IAM user that it derives from is unknown" in text


@pytest.mark.parametrize("grantee", [WITH_PATH, SESSION, USER, FEDERATED, ROOT])
@pytest.mark.parametrize("who", ["role session", "federated user", "user"])
def test_the_command_agrees_with_the_fixture(kms, explain, who, grantee):
    account = kms.account(ACCOUNT)
    everything = policy(allow("kms:*"))
    user = account.user("ann", policies=[everything])
    federated = user.federated_user("bob", policies=[everything])
    principals = {
        "role session": (account.role("Rp", path="/x/y/", session="job"), {"principal": SESSION}),
        "federated user": (federated, {"principal": FEDERATED, "sessionIssuer": USER}),
        "user": (user, {"principal": USER}),
    }
    account.role("Rp", path="/x/y/", session="job")
    principal, named = principals[who]
    client = kms.client()
    administrator = policy(allow("kms:*", **to(account.administrator.arn)))
    key = client.create_key(Policy=administrator)["KeyMetadata"]["Arn"]
    client.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Encrypt"])
    listed = json.loads(json.dumps(client.list_grants(KeyId=key), default=str))
    files = {"session_policy": everything} if who == "federated user" else {}
    if who != "role session":
        files["identity_policy"] = everything

    code, text = explain(
        {"action": "kms:Encrypt", "resource": key, **named},
        key_policy=administrator,
        grants=listed,
        **files,
    )

    assert (code == 0) is kms.explain(principal, "kms:Encrypt", key).allowed, text
