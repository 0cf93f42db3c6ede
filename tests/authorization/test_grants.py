"""What grants allow, and to whom."""

from __future__ import annotations

import pytest
from botocore import xform_name

from tests.authorization.documents import ACCOUNT, OTHER, allow, deny, policy, to
from tests.refusals import refused

CONTEXT = {"tenant": "a"}
NOTHING = policy(allow("s3:*"))


def session_of(kms, account=ACCOUNT, name="target", **parameters):
    return kms.account(account).role("App", session=name, **parameters)


def give(client, key, grantee, *operations, **parameters):
    return client.create_grant(
        KeyId=key["Arn"],
        GranteePrincipal=grantee,
        Operations=list(operations) or ["Encrypt"],
        **parameters,
    )


def encrypt(principal, key, context=CONTEXT, **parameters):
    return principal.client().encrypt(
        KeyId=key["Arn"], Plaintext=b"text", EncryptionContext=context, **parameters
    )


def denied(kind, action="kms:Encrypt"):
    return pytest.raises(Exception, match=f"because no {kind} allows the {action} action")


IDENTITY, SESSION, BOUNDARY = "identity-based policy", "session policy", "permissions boundary"


@pytest.mark.parametrize("grantee", ["session", "role"])
def test_a_grant_needs_no_policy_beside_it(kms, client, key, grantee):
    principal = session_of(kms)
    give(client, key, principal.caller_arn if grantee == "session" else principal.arn)

    assert encrypt(principal, key)
    with denied(IDENTITY, "kms:Decrypt"):
        principal.client().decrypt(CiphertextBlob=encrypt(principal, key)["CiphertextBlob"])


@pytest.mark.parametrize(
    ("grantee", "limit"), [("session", None), ("role", SESSION)], ids=["session", "role"]
)
def test_a_session_policy_limits_grants_to_the_role_alone(kms, client, key, grantee, limit):
    principal = session_of(kms, session_policies=[NOTHING])
    give(client, key, principal.caller_arn if grantee == "session" else principal.arn)

    if limit is None:
        assert encrypt(principal, key)
    else:
        with denied(limit):
            encrypt(principal, key)


@pytest.mark.parametrize(
    ("grantee", "limit"), [("session", None), ("role", BOUNDARY)], ids=["session", "role"]
)
def test_a_boundary_limits_grants_to_the_role_alone(kms, client, key, grantee, limit):
    principal = session_of(kms, boundary=NOTHING)
    give(client, key, principal.caller_arn if grantee == "session" else principal.arn)

    if limit is None:
        assert encrypt(principal, key)
    else:
        with denied(limit):
            encrypt(principal, key)


def test_an_explicit_deny_beats_a_grant(kms, client, key):
    principal = session_of(kms, session_policies=[policy(deny("kms:Encrypt"))])
    give(client, key, principal.caller_arn)

    with pytest.raises(Exception, match="with an explicit deny in a session policy"):
        encrypt(principal, key)


def test_a_grant_to_a_session_means_no_other_session(kms, client, key):
    give(client, key, session_of(kms).caller_arn)

    with denied(IDENTITY):
        encrypt(session_of(kms, name="sibling"), key)


def test_a_role_that_was_created_again_has_no_grants(kms, client, key, role):
    give(client, key, role.arn)
    role.delete()

    with denied(IDENTITY):
        encrypt(kms.account(ACCOUNT).role("App"), key)


def test_a_named_grant_to_a_role_created_again_is_another(kms, client, key, role):
    first = give(client, key, role.arn, Name="mine")
    again = give(client, key, role.arn, Name="mine")
    role.delete()
    kms.account(ACCOUNT).role("App")

    assert again["GrantId"] == first["GrantId"]
    assert give(client, key, role.arn, Name="mine")["GrantId"] != first["GrantId"]


def test_a_federated_user_can_have_a_grant_and_retire_it(kms, client, key):
    user = kms.account(ACCOUNT).user("bob").federated_user("guest", policies=[NOTHING])
    grant = give(client, key, user.arn, "Encrypt", "RetireGrant")

    assert encrypt(user, key)
    user.client().retire_grant(KeyId=key["Arn"], GrantId=grant["GrantId"])

    assert client.list_grants(KeyId=key["KeyId"])["Grants"] == []


def test_a_federated_user_has_the_grants_of_its_user_within_its_session_policies(kms, client, key):
    user = kms.account(ACCOUNT).user("bob")
    give(client, key, user.arn)

    assert encrypt(user.federated_user("guest", policies=[policy(allow("kms:*"))]), key)
    with denied(SESSION):
        encrypt(user.federated_user("visitor", policies=[NOTHING]), key)


@pytest.mark.parametrize(
    ("constraint", "context", "allowed"),
    [
        ("EncryptionContextEquals", {"tenant": "a"}, True),
        ("EncryptionContextEquals", {"tenant": "a", "more": "x"}, False),
        ("EncryptionContextEquals", {"tenant": "b"}, False),
        ("EncryptionContextEquals", {}, False),
        ("EncryptionContextSubset", {"tenant": "a", "more": "x"}, True),
        ("EncryptionContextSubset", {"more": "x"}, False),
    ],
)
def test_a_constraint_looks_at_the_encryption_context(
    client, key, role, constraint, context, allowed
):
    give(client, key, role.arn, Constraints={constraint: CONTEXT})

    if allowed:
        assert encrypt(role, key, context)
    else:
        with denied(IDENTITY):
            encrypt(role, key, context)


@pytest.mark.parametrize("constraint", ["EncryptionContextEquals", "EncryptionContextSubset"])
@pytest.mark.parametrize(
    ("context", "allowed"),
    [({"Tenant": "a"}, True), ({"tenant": "A"}, False)],
    ids=["name in another case", "value in another case"],
)
def test_a_constraint_knows_the_case_of_values_alone(
    client, key, role, constraint, context, allowed
):
    give(client, key, role.arn, Constraints={constraint: CONTEXT})

    if allowed:
        assert encrypt(role, key, context)
    else:
        with refused("AccessDeniedException"):
            encrypt(role, key, context)


TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:topic"
CHILD = {"Operations": ["Decrypt"], "Constraints": {"SourceArn": TOPIC}}


@pytest.mark.parametrize("name", ["aws:SourceArn", "AWS:sourcearn", None])
@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("Encrypt", {"Plaintext": b"x"}),
        ("GenerateDataKeyWithoutPlaintext", {"NumberOfBytes": 1}),
        ("DescribeKey", {}),
        ("CreateGrant", CHILD),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_calls_and_explanations_agree_on_the_source_of_a_grant(
    kms, client, key, role, operation, parameters, name
):
    if operation == "CreateGrant":
        parameters = {**parameters, "GranteePrincipal": role.arn}
    operations = ("Encrypt", "GenerateDataKeyWithoutPlaintext", "DescribeKey", "CreateGrant")
    give(client, key, role.arn, *operations, "Decrypt", Constraints={"SourceArn": TOPIC})
    call = getattr(role.client(), xform_name(operation))

    with kms.request_context({name: TOPIC} if name else {}):
        explained = kms.explain(role, f"kms:{operation}", key["Arn"], parameters=parameters)
        if name is None:
            with denied(IDENTITY, f"kms:{operation}"):
                call(KeyId=key["Arn"], **parameters)
        else:
            assert call(KeyId=key["Arn"], **parameters)

    assert bool(explained) is (name is not None)


def test_a_constraint_does_not_concern_operations_without_a_context(client, key, role):
    grant = {"Constraints": {"EncryptionContextEquals": CONTEXT}}
    give(client, key, role.arn, "DescribeKey", "Encrypt", **grant)

    assert role.client().describe_key(KeyId=key["KeyId"])


def test_a_grant_ends_with_its_revocation(client, key, role):
    grant = give(client, key, role.arn)
    client.revoke_grant(KeyId=key["KeyId"], GrantId=grant["GrantId"])

    with denied(IDENTITY):
        encrypt(role, key)
    with refused("InvalidGrantTokenException"):
        encrypt(role, key, GrantTokens=[grant["GrantToken"]])


@pytest.mark.parametrize("how", ["revoked", "retired"])
def test_a_denial_says_when_the_grant_for_the_request_has_ended(kms, client, key, role, how):
    grant = give(client, key, role.arn, "Encrypt", Name="app")
    if how == "revoked":
        client.revoke_grant(KeyId=key["KeyId"], GrantId=grant["GrantId"])
    else:
        client.retire_grant(GrantToken=grant["GrantToken"])

    ended = f"grant app ({grant['GrantId']}) allowed kms:Encrypt, but was {how} at "
    with denied(IDENTITY) as caught:
        encrypt(role, key)
    assert f"{ended}{kms.clock.now():%Y-%m-%d}" in " ".join(caught.value.__notes__[0].split())
    assert kms.explain(role, "kms:Encrypt", key["KeyId"]).reason.startswith(ended)
    assert "allowed" not in kms.explain(role, "kms:Decrypt", key["KeyId"]).reason


def test_after_a_restored_checkpoint_no_grant_has_ended(kms, client, key, role):
    start = kms.checkpoint()
    grant = give(client, key, role.arn, "Encrypt")
    client.revoke_grant(KeyId=key["KeyId"], GrantId=grant["GrantId"])

    kms.restore(start)

    assert grant["GrantId"] not in kms.explain(role, "kms:Encrypt", key["KeyId"]).reason


def test_the_id_of_a_grant_is_told_from_its_token(client, key, role):
    grant_id = give(client, key, role.arn)["GrantId"]

    for call in (
        lambda: encrypt(role, key, GrantTokens=[grant_id]),
        lambda: client.retire_grant(GrantToken=grant_id),
    ):
        with refused("InvalidGrantTokenException") as caught:
            call()
        assert "is the GrantId of a grant, and not its token" in caught.value.__notes__[0]


def test_the_record_of_a_call_names_the_grant_that_allowed_it(kms, client, key, role):
    grant = give(client, key, role.arn)

    encrypt(role, key)

    assert kms.calls[-1].grant_id == grant["GrantId"]


def test_of_a_deleted_role_a_grant_shows_the_id(client, key, role):
    give(client, key, role.caller_arn, RetiringPrincipal=role.arn)
    role.delete()

    [grant] = client.list_grants(KeyId=key["KeyId"])["Grants"]

    assert grant["GranteePrincipal"] == f"{role.unique_id}:session"
    assert grant["RetiringPrincipal"] == role.unique_id


def test_grants_of_nobody_are_not_looked_for(client, key):
    nobody = f"arn:aws:iam::{ACCOUNT}:role/Nobody"
    message = f"ARN does not refer to a valid principal: {nobody}"

    with refused("InvalidArnException", message):
        client.list_grants(KeyId=key["KeyId"], GranteePrincipal=nobody)
    with refused("InvalidArnException", message):
        client.list_retirable_grants(RetiringPrincipal=nobody)


# --- grants made through grants -----------------------------------------------------------------


CHILD_OPERATIONS = [
    pytest.param(("CreateGrant", "Encrypt"), ("Encrypt",), True, id="one of its own"),
    pytest.param(("CreateGrant", "Encrypt"), ("CreateGrant", "Encrypt"), True, id="all"),
    pytest.param(("CreateGrant", "Encrypt"), ("Decrypt",), False, id="another"),
    pytest.param(("CreateGrant", "Encrypt"), ("Encrypt", "Decrypt"), False, id="one more"),
]


@pytest.mark.parametrize(("parent", "child", "allowed"), CHILD_OPERATIONS)
def test_a_grantee_passes_on_what_its_grant_allows(kms, client, key, role, parent, child, allowed):
    heir = kms.account(ACCOUNT).role("Heir")
    give(client, key, role.arn, *parent)
    give(client, key, role.arn, "Decrypt")

    if allowed:
        give(role.client(), key, heir.arn, *child)
    else:
        with denied(IDENTITY, "kms:CreateGrant"):
            give(role.client(), key, heir.arn, *child)


@pytest.mark.parametrize(
    ("constraints", "allowed"),
    [
        ({}, False),
        ({"EncryptionContextSubset": {"x": "y"}}, False),
        ({"EncryptionContextSubset": CONTEXT}, True),
        ({"EncryptionContextSubset": {**CONTEXT, "x": "y"}}, True),
        ({"EncryptionContextEquals": {**CONTEXT, "x": "y"}}, True),
        ({"EncryptionContextEquals": {"x": "y"}}, False),
    ],
)
def test_what_is_passed_on_is_at_least_as_strict(kms, client, key, role, constraints, allowed):
    heir = kms.account(ACCOUNT).role("Heir")
    parent = {"Constraints": {"EncryptionContextSubset": CONTEXT}}
    give(client, key, role.arn, "CreateGrant", "Encrypt", **parent)
    child = {"Constraints": constraints} if constraints else {}

    if allowed:
        give(role.client(), key, heir.arn, **child)
    else:
        with denied(IDENTITY, "kms:CreateGrant"):
            give(role.client(), key, heir.arn, **child)


@pytest.mark.parametrize(
    ("constraints", "allowed"),
    [
        ({}, False),
        ({"EncryptionContextSubset": CONTEXT}, False),
        ({"EncryptionContextEquals": {**CONTEXT, "x": "y"}}, False),
        ({"EncryptionContextEquals": CONTEXT}, True),
        ({"EncryptionContextEquals": {"TENANT": "a"}}, True),
    ],
)
def test_of_an_exact_context_no_other_is_passed_on(kms, client, key, role, constraints, allowed):
    heir = kms.account(ACCOUNT).role("Heir")
    parent = {"Constraints": {"EncryptionContextEquals": CONTEXT}}
    give(client, key, role.arn, "CreateGrant", "Encrypt", **parent)
    child = {"Constraints": constraints} if constraints else {}

    if allowed:
        give(role.client(), key, heir.arn, **child)
    else:
        with denied(IDENTITY, "kms:CreateGrant"):
            give(role.client(), key, heir.arn, **child)


def test_a_grant_to_a_service_is_none_to_others(client, key, role):
    client.create_grant(
        KeyId=key["KeyId"],
        GranteeServicePrincipal="sns.amazonaws.com",
        RetiringPrincipal=role.arn,
        Operations=["Encrypt"],
        Constraints={"SourceArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:topic"},
    )

    with denied(IDENTITY):
        encrypt(role, key)


def test_of_several_grants_in_the_own_account_the_one_without_limits_counts(kms, client, key):
    """A grant to the session itself needs no session policy, wherever the others stand."""
    user = kms.account(OTHER).user("ann", policies=[policy(allow("kms:*"))])
    give(client, key, user.arn, "CreateGrant", "Encrypt")
    session = session_of(kms, OTHER, session_policies=[NOTHING])
    made = [
        give(user.client(), key, grantee)
        for grantee in (session.arn, session.caller_arn, session.caller_arn)
    ]

    assert encrypt(session, key)
    decision = kms.explain(session, "kms:Encrypt", key["Arn"])
    assert decision.grant.grant_id == made[1]["GrantId"]


# --- two accounts -----------------------------------------------------------------------------


def test_a_grant_of_the_owner_does_not_do_without_the_own_account(kms, client, key):
    stranger = session_of(kms, OTHER)
    give(client, key, stranger.caller_arn, "Encrypt")

    with pytest.raises(Exception, match=f"on this resource because no {IDENTITY}"):
        encrypt(stranger, key)

    stranger.set_policies(policy(allow("kms:Encrypt", key["Arn"])))
    assert encrypt(stranger, key)


def test_a_grant_to_a_foreign_role_tells_of_its_session_policy_first(kms, client, key):
    stranger = session_of(kms, OTHER, session_policies=[NOTHING])
    give(client, key, stranger.arn, "Encrypt")

    with denied(SESSION):
        encrypt(stranger, key)


@pytest.mark.parametrize(
    ("grantee", "limit"), [("session", None), ("role", SESSION)], ids=["session", "role"]
)
def test_a_grant_issued_in_the_own_account_is_trusted(kms, client, key, grantee, limit):
    admin = kms.account(OTHER).administrator
    own = allow("kms:*", **to(ACCOUNT))
    shared = policy(own, allow("kms:*", **to(OTHER)))
    client.put_key_policy(KeyId=key["KeyId"], Policy=shared)
    plain, limited = (
        session_of(kms, OTHER),
        session_of(kms, OTHER, "job", session_policies=[NOTHING]),
    )
    for principal in (plain, limited):
        name = principal.caller_arn if grantee == "session" else principal.arn
        give(admin.client(), key, name, "Encrypt")
    client.put_key_policy(KeyId=key["KeyId"], Policy=policy(own))

    assert encrypt(plain, key)
    if limit is None:
        assert encrypt(limited, key)
    else:
        with denied(limit):
            encrypt(limited, key)


# --- retiring -----------------------------------------------------------------------------------


def retire(principal, key, grant):
    principal.client().retire_grant(KeyId=key["Arn"], GrantId=grant["GrantId"])


def test_the_retiring_principal_may_retire(kms, client, key, role):
    retirer = kms.account(ACCOUNT).role("Janitor")
    grant = give(client, key, role.arn, RetiringPrincipal=retirer.arn)

    retire(retirer, key, grant)


def test_a_grantee_retires_only_a_grant_that_says_so(client, key, role):
    grant = give(client, key, role.arn)

    with denied(IDENTITY, "kms:RetireGrant"):
        retire(role, key, grant)


@pytest.mark.parametrize(
    "constraints",
    [{"EncryptionContextEquals": CONTEXT}, {"SourceArn": "arn:aws:sns:us-east-1:111122223333:a"}],
    ids=lambda constraints: next(iter(constraints)),
)
def test_no_constraint_keeps_a_grantee_from_retiring_its_grant(client, key, role, constraints):
    grant = give(client, key, role.arn, "Encrypt", "RetireGrant", Constraints=constraints)

    retire(role, key, grant)


def test_others_of_the_account_retire_what_their_identity_policies_let_them(kms, client, key, role):
    other = kms.account(ACCOUNT).role("Other", policies=[policy(allow("kms:RetireGrant"))])
    grant = give(client, key, role.arn)

    retire(other, key, grant)


def test_a_foreign_retirer_needs_its_own_account_too(kms, client, key, role):
    retirer = session_of(kms, OTHER)
    grant = give(client, key, role.arn, RetiringPrincipal=retirer.caller_arn)

    with pytest.raises(Exception, match=f"on this resource because no {IDENTITY}"):
        retire(retirer, key, grant)

    retirer.set_policies(policy(allow("kms:RetireGrant")))
    retire(retirer, key, grant)


@pytest.mark.parametrize("account", [ACCOUNT, OTHER], ids=["the account", "another account"])
def test_an_account_that_may_retire_leaves_it_to_its_identity_policies(
    kms, client, key, role, account
):
    retirers = kms.account(account)
    grant = give(client, key, role.arn, RetiringPrincipal=retirers.root.arn)

    with pytest.raises(Exception, match=f"because no {IDENTITY} allows the kms:RetireGrant"):
        retire(retirers.user("bob"), key, grant)

    retire(retirers.user("ann", policies=[policy(allow("kms:RetireGrant"))]), key, grant)


@pytest.mark.parametrize("account", [ACCOUNT, OTHER], ids=["the account", "another account"])
def test_the_root_user_of_an_account_that_may_retire_needs_no_policy(
    kms, client, key, role, account
):
    retirers = kms.account(account)
    grant = give(client, key, role.arn, RetiringPrincipal=retirers.root.arn)

    retire(retirers.root, key, grant)


def test_a_stranger_is_not_told_of_the_grant_it_would_retire(kms, client, key, role):
    stranger = kms.account(OTHER).user("eve", policies=[policy(allow("kms:RetireGrant"))])
    grant = give(client, key, role.arn)

    with refused("AccessDeniedException") as caught:
        retire(stranger, key, grant)

    assert caught.value.response["Error"]["Message"] == (
        f"User: {stranger.arn} is not authorized to perform: kms:RetireGrant on this resource "
        "because the resource does not exist in this Region, no resource-based policies allow "
        "access, or a resource-based policy explicitly denies access"
    )
    note = " ".join(caught.value.__notes__[0].split())
    assert f"does not let {stranger.arn} retire it" in note
    assert "key policy of" not in note  # which could not allow it


def test_resource_control_policies_do_not_keep_from_retiring(kms, client, key, role):
    grant = give(client, key, role.arn, "Encrypt", "RetireGrant")
    limit = policy(deny("kms:*", Principal="*"))
    kms.account(ACCOUNT).join_organization("o-1", resource_control=[[limit]])

    retire(role, key, grant)


@pytest.mark.parametrize(
    "grantee",
    [
        f"arn:aws:iam::{ACCOUNT}:role/Nobody",
        f"arn:aws:iam::{ACCOUNT}:group/App",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Nobody/session",
        f"arn:aws-cn:iam::{ACCOUNT}:root",
    ],
)
def test_a_grant_is_for_principals_that_exist(client, key, grantee):
    message = f"ARN does not refer to a valid principal: {grantee}"

    with refused("InvalidArnException", message):
        give(client, key, grantee)


@pytest.mark.parametrize("kind", ["role", "session", "user"])
def test_a_grantee_can_be_named_by_its_unique_id(kms, client, key, kind):
    account = kms.account(ACCOUNT)
    principal = account.user("alice") if kind == "user" else account.role("App", session="job")
    name = f"{principal.unique_id}:job" if kind == "session" else principal.unique_id
    made = client.create_grant(
        KeyId=key["KeyId"], Name="one", GranteePrincipal=name, Operations=["DescribeKey", "Encrypt"]
    )

    arn = principal.caller_arn if kind == "session" else principal.arn
    again = client.create_grant(
        KeyId=key["KeyId"], Name="one", GranteePrincipal=arn, Operations=["DescribeKey", "Encrypt"]
    )
    assert made["GrantId"] == again["GrantId"]
    assert client.list_grants(KeyId=key["KeyId"])["Grants"][0]["GranteePrincipal"] == arn
    principal.client().describe_key(KeyId=key["KeyId"])

    principal.delete()
    with refused("InvalidArnException", "GranteePrincipal does not refer to a valid principal."):
        client.create_grant(KeyId=key["KeyId"], GranteePrincipal=name, Operations=["Encrypt"])


def test_retirable_grants_are_those_on_keys_of_all_accounts(kms, client, key):
    role = kms.account(ACCOUNT).role("Retirer")
    other = kms.account(OTHER).client()
    foreign = other.create_key()["KeyMetadata"]["Arn"]
    for caller, key_id in ((client, key["Arn"]), (other, foreign)):
        caller.create_grant(
            KeyId=key_id,
            GranteePrincipal=role.arn,
            RetiringPrincipal=role.arn,
            Operations=["Decrypt"],
        )

    grants = client.list_retirable_grants(RetiringPrincipal=role.arn)["Grants"]
    assert [grant["KeyId"] for grant in grants] == [key["Arn"], foreign]
    pages = client.get_paginator("list_retirable_grants").paginate(
        RetiringPrincipal=role.arn, PaginationConfig={"PageSize": 1}
    )
    assert [grant for page in pages for grant in page["Grants"]] == grants
    unique_id = role.unique_id
    role.delete()
    with refused("NotFoundException", f"Retiring principal {unique_id} could not be found"):
        client.list_retirable_grants(RetiringPrincipal=unique_id)


@pytest.mark.parametrize("resource", ["*", f"arn:aws:iam::{ACCOUNT}:role/App"])
def test_listing_retirable_grants_is_about_the_principal(role, resource):
    role.set_policies(policy(allow("kms:ListRetirableGrants", resource)))

    role.client().list_retirable_grants(RetiringPrincipal=role.arn)
    role.set_policies(policy(allow("kms:ListRetirableGrants", role.arn + "2")))
    with refused("AccessDeniedException"):
        role.client().list_retirable_grants(RetiringPrincipal=role.arn)


def test_retiring_is_about_the_constraints_of_the_grant(client, key, role):
    def grant(**constraints):
        return client.create_grant(
            KeyId=key["KeyId"],
            GranteePrincipal=role.arn,
            RetiringPrincipal=role.arn,
            Operations=["Decrypt"],
            **constraints,
        )["GrantId"]

    tenant = {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    kinds = {"StringEquals": {"kms:GrantConstraintType": "EncryptionContextSubset"}}
    role.set_policies(
        policy(deny("kms:RetireGrant", Condition=tenant), deny("kms:RetireGrant", Condition=kinds))
    )
    for constraints in (
        {"EncryptionContextEquals": {"tenant": "a"}},
        {"EncryptionContextSubset": {"tenant": "b"}},
    ):
        with refused("AccessDeniedException"):
            role.client().retire_grant(KeyId=key["Arn"], GrantId=grant(Constraints=constraints))

    role.client().retire_grant(KeyId=key["Arn"], GrantId=grant())


@pytest.mark.parametrize("kind", ["EncryptionContextEquals", "EncryptionContextSubset"])
def test_the_kind_of_a_constraint_is_a_condition_key(key, role, kind):
    test = {"StringEquals": {"kms:GrantConstraintType": kind}}
    role.set_policies(policy(allow("kms:CreateGrant", Condition=test)))

    give(role.client(), key, role.arn, Constraints={kind: CONTEXT})
    others = {"EncryptionContextEquals", "EncryptionContextSubset"} - {kind}
    for constraints in ({}, {"Constraints": {others.pop(): CONTEXT}}):
        with denied(IDENTITY, "kms:CreateGrant"):
            give(role.client(), key, role.arn, **constraints)


@pytest.mark.parametrize("service", [None, "ec2"])
def test_whether_a_service_makes_a_grant_is_a_condition_key(kms, key, role, service):
    test = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    role.set_policies(policy(allow("kms:*", Condition=test)))

    who = role if service is None else role.via(service)

    for action in ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"):
        assert bool(kms.explain(who, action, key["Arn"])) is (service is not None)
