"""Who may do what with a key, and how AWS words its refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from kmsmock import mock_kms
from tests.authorization.documents import ACCOUNT, OTHER, allow, deny, policy, to
from tests.refusals import refused

CONTEXT = {"tenant": "a"}
HIDDEN = (
    "because the resource does not exist in this Region, no resource-based policies allow access, "
    "or a resource-based policy explicitly denies access"
)


@pytest.fixture
def stranger(kms):
    return kms.account(OTHER).role("App", policies=[policy(allow("kms:*"))])


def put(client, key, *statements):
    """Put a key policy that keeps the administrators of the account."""
    admin = allow("kms:*", **to(f"arn:aws:iam::{ACCOUNT}:user/Administrator"))
    client.put_key_policy(KeyId=key["KeyId"], Policy=policy(admin, *statements))


def encrypt(principal, key):
    return principal.client().encrypt(
        KeyId=key["Arn"], Plaintext=b"text", EncryptionContext=CONTEXT
    )


def denial(principal, key, reason, action="kms:Encrypt"):
    where = f"resource: {key['Arn']}" if principal.arn.split(":")[4] == ACCOUNT else "this resource"
    return (
        f"User: {principal.caller_arn} is not authorized to perform: {action} on {where} {reason}"
    )


def refused_to(principal, key, reason):
    return refused("AccessDeniedException", denial(principal, key, reason))


NO_IDENTITY = "because no identity-based policy allows the kms:Encrypt action"
NO_RESOURCE = "because no resource-based policy allows the kms:Encrypt action"


# --- one account ----------------------------------------------------------------------------


def test_the_default_key_policy_leaves_it_to_identity_policies(role, key):
    with refused_to(role, key, NO_IDENTITY):
        encrypt(role, key)

    role.set_policies(policy(allow("kms:Encrypt", key["Arn"])))

    assert encrypt(role, key)


def test_without_delegation_an_identity_policy_is_not_enough(client, role, key):
    put(client, key)
    role.set_policies(policy(allow("kms:*")))

    with refused_to(role, key, NO_RESOURCE):
        encrypt(role, key)


def test_not_even_the_root_user_gets_around_the_key_policy(kms, client, key):
    put(client, key)

    with refused_to(kms.account(ACCOUNT).root, key, NO_RESOURCE):
        encrypt(kms.account(ACCOUNT).root, key)


def test_the_root_user_needs_delegation_alone(kms, key):
    assert encrypt(kms.account(ACCOUNT).root, key)


@pytest.mark.parametrize("named", ["role", "session", "everyone"])
def test_a_key_policy_can_allow_a_principal_directly(client, role, key, named):
    name = {"role": role.arn, "session": role.caller_arn, "everyone": "*"}[named]
    put(client, key, allow("kms:Encrypt", **to(name)))

    assert encrypt(role, key)


def test_a_session_arn_means_no_other_session(kms, client, role, key):
    other = kms.account(ACCOUNT).role("App", session="other")
    put(client, key, allow("kms:Encrypt", **to(other.caller_arn)))

    with refused_to(role, key, NO_RESOURCE):
        encrypt(role, key)


def test_an_explicit_deny_of_the_key_policy_wins(client, role, key):
    role.set_policies(policy(allow("kms:*")))
    put(client, key, allow("kms:*", **to(ACCOUNT)), deny("kms:Encrypt", **to(role.arn)))

    with refused_to(role, key, "with an explicit deny in a resource-based policy"):
        encrypt(role, key)


def test_an_explicit_deny_of_an_identity_policy_wins(client, role, key):
    role.set_policies(policy(allow("kms:*"), deny("kms:Encrypt")))
    put(client, key, allow("kms:Encrypt", **to("*")))

    with refused_to(role, key, "with an explicit deny in an identity-based policy"):
        encrypt(role, key)


def test_a_boundary_limits_a_role_that_is_named_by_the_key_policy(client, role, key):
    put(client, key, allow("kms:Encrypt", **to(role.arn)))
    role.set_boundary(policy(allow("s3:*")))

    reason = "because no permissions boundary allows the kms:Encrypt action"
    with refused_to(role, key, reason):
        encrypt(role, key)

    put(client, key, allow("kms:Encrypt", **to(role.caller_arn)))
    assert encrypt(role, key)


def test_a_session_policy_limits_what_the_role_may(kms, key):
    everything = policy(allow("kms:*"))
    role = kms.account(ACCOUNT).role(
        "App", policies=[everything], session="limited", session_policies=[policy(allow("s3:*"))]
    )

    with refused_to(role, key, "because no session policy allows the kms:Encrypt action"):
        encrypt(role, key)

    assert encrypt(kms.account(ACCOUNT).role("App"), key)


def test_a_session_policy_can_deny(kms, key):
    session = policy(allow("*"), deny("kms:Encrypt"))
    role = kms.account(ACCOUNT).role(
        "App", policies=[policy(allow("kms:*"))], session_policies=[session]
    )

    with refused_to(role, key, "with an explicit deny in a session policy"):
        encrypt(role, key)


def test_a_federated_user_without_session_policy_has_no_permissions_of_its_own(kms, client, key):
    user = kms.account(ACCOUNT).user("bob", policies=[policy(allow("kms:*"))])
    federated = user.federated_user("guest")

    with refused("AccessDeniedException"):
        encrypt(federated, key)

    put(client, key, allow("kms:Encrypt", **to(federated.arn)))
    assert encrypt(federated, key)


def test_naming_a_user_means_its_federated_users_within_their_session_policies(kms, client, key):
    user = kms.account(ACCOUNT).user("bob")
    put(client, key, allow("kms:Encrypt", **to(user.arn)))

    assert encrypt(user.federated_user("guest", policies=[policy(allow("kms:Encrypt"))]), key)
    visitor = user.federated_user("visitor", policies=[policy(allow("s3:*"))])
    with refused_to(visitor, key, "because no session policy allows the kms:Encrypt action"):
        encrypt(visitor, key)


def test_a_federated_user_ends_with_its_user(kms):
    def federated():
        user = kms.account(ACCOUNT).user("bob", policies=[policy(allow("kms:*"))])
        return user, user.federated_user("guest", policies=[policy(allow("kms:*"))]).client()

    user, former = federated()
    assert former.list_keys()
    user.delete()
    _, again = federated()

    with refused("UnrecognizedClientException"):
        former.list_keys()
    assert again.list_keys()


def test_federated_users_of_one_name_have_the_permissions_of_their_own_users(kms):
    account, everything = kms.account(ACCOUNT), policy(allow("kms:*"))
    account.user("alice").federated_user("guest", policies=[everything]).client()
    bob = account.user("bob", policies=[everything])

    assert bob.federated_user("guest", policies=[everything]).client().list_keys()


@pytest.mark.parametrize(
    ("levels", "reason"),
    [
        ([[policy(allow("*"))], [policy(allow("s3:*"))]], "because no service control policy allows the kms:Encrypt action"),  # noqa: E501
        ([[policy(allow("*"), deny("kms:Encrypt"))]], "with an explicit deny in a service control policy"),  # noqa: E501
    ],
    ids=["silent", "deny"],
)  # fmt: skip
def test_service_control_policies_limit_a_whole_account(kms, role, key, levels, reason):
    role.set_policies(policy(allow("kms:*")))
    kms.account(ACCOUNT).join_organization("o-1", service_control=levels)

    with refused_to(role, key, reason):
        encrypt(role, key)


def test_resource_control_policies_limit_who_uses_the_keys_of_an_account(kms, role, key):
    role.set_policies(policy(allow("kms:*")))
    limit = policy(deny("kms:Encrypt", Principal="*"))
    kms.account(ACCOUNT).join_organization("o-1", resource_control=[[limit]])

    with refused_to(role, key, "with an explicit deny in a resource control policy"):
        encrypt(role, key)


def test_what_was_allowed_ends_with_the_organization_of_the_key(kms, client, key):
    stranger = kms.account(OTHER).role("App", policies=[policy(allow("kms:Encrypt"))])
    put(client, key, allow("kms:Encrypt", **to(OTHER)))
    for _ in range(2):
        encrypt(stranger, key)

    limit = policy(deny("kms:*", Principal="*"))
    kms.account(ACCOUNT).join_organization("o-1", resource_control=[[limit]])

    with refused("AccessDeniedException"):
        encrypt(stranger, key)


def test_policies_of_organizations_spare_service_linked_roles(kms, client, key):
    path = "/aws-service-role/autoscaling.amazonaws.com/"
    linked = kms.account(ACCOUNT).role("AWSServiceRoleForAutoScaling", path=path)
    put(client, key, allow("kms:Encrypt", **to(linked.arn)))
    kms.account(ACCOUNT).join_organization(
        "o-1",
        service_control=[[policy(deny("*"))]],
        resource_control=[[policy(deny("kms:*", Principal="*"))]],
    )

    assert encrypt(linked, key)


@pytest.mark.parametrize("action", ["*", "*:*", "kms:*", "KMS:encrypt", "kms:Encryp?"])
def test_an_action_can_be_meant_in_many_ways(role, key, action):
    role.set_policies(policy(allow(action)))

    assert encrypt(role, key)


def test_a_role_that_was_created_again_is_another(kms, client, role, key):
    put(client, key, allow("kms:Encrypt", **to(role.arn)))
    assert encrypt(role, key)

    role.delete()
    again = kms.account(ACCOUNT).role("App")

    assert again.unique_id != role.unique_id
    with refused_to(again, key, NO_RESOURCE):
        encrypt(again, key)


def test_the_credentials_of_a_deleted_role_are_refused(role):
    before = role.client()
    role.delete()

    message = "The security token included in the request is invalid."
    with refused("UnrecognizedClientException", message):
        before.list_keys()


def test_a_deleted_role_gets_no_new_credentials(kms, client, role, key):
    put(client, key, allow("kms:*", Principal="*"))
    role.delete()

    with refused("UnrecognizedClientException"):
        encrypt(role, key)
    with pytest.raises(ValueError, match="has been deleted"):
        kms.explain(role, "kms:Encrypt", key["Arn"])


def test_authorization_can_be_switched_off():
    with mock_kms(authorization="off") as kms:
        key = kms.client().create_key()["KeyMetadata"]

        assert encrypt(kms.account(OTHER).role("App"), key)


class World(NamedTuple):
    kms: Any
    client: Any
    role: Any
    key: Any

    @property
    def account(self) -> Any:
        return self.kms.account(ACCOUNT)


OTHERS_ONLY = policy(allow("s3:*"))
CHANGES: dict[str, Callable[[World], object]] = {
    "identity policy": lambda world: world.role.set_policies(),
    "boundary": lambda world: world.role.set_boundary(OTHERS_ONLY),
    "key policy": lambda world: put(world.client, world.key),
    "session policy": lambda world: world.account.role("App", session_policies=[OTHERS_ONLY]),
    "service control": lambda world: world.account.join_organization(
        "o-1", service_control=[[OTHERS_ONLY]]
    ),
    "resource control": lambda world: world.account.join_organization(
        "o-1", resource_control=[[policy(deny("kms:*", Principal="*"))]]
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_has_effect_on_the_next_call(kms, client, role, key, change):
    role.set_policies(policy(allow("kms:*")))
    for _ in range(3):
        assert encrypt(role, key)

    change(World(kms, client, role, key))

    with refused("AccessDeniedException"):
        encrypt(role, key)


# --- conditions -----------------------------------------------------------------------------


def conditioned(operator, key, value):
    return policy(allow("kms:*", Condition={operator: {key: value}}))


@pytest.mark.parametrize(
    ("operator", "name", "value"),
    [
        ("StringEquals", "kms:EncryptionContext:tenant", "a"),
        ("ForAnyValue:StringEquals", "kms:EncryptionContextKeys", "tenant"),
        ("StringEquals", "kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"),
        ("StringEquals", "kms:RequestAlias", "alias/app"),
        ("ForAnyValue:StringLike", "kms:ResourceAliases", "alias/a*"),
        ("StringEquals", "aws:ResourceTag/team", "${aws:PrincipalTag/team}"),
        ("StringEquals", "kms:KeySpec", "SYMMETRIC_DEFAULT"),
        ("StringEquals", "kms:KeyUsage", "ENCRYPT_DECRYPT"),
        ("StringEquals", "kms:KeyOrigin", "AWS_KMS"),
        ("Bool", "kms:MultiRegion", "false"),
        ("Null", "kms:ViaService", "true"),
        ("StringEquals", "kms:CallerAccount", ACCOUNT),
        ("ArnEquals", "aws:PrincipalArn", f"arn:aws:iam::{ACCOUNT}:role/App"),
        ("StringLike", "aws:userid", "*:session"),
        ("StringEquals", "aws:RequestedRegion", "us-east-1"),
        ("DateGreaterThan", "aws:CurrentTime", "2020-01-01T00:00:00Z"),
        ("NumericGreaterThan", "aws:EpochTime", "1577836800"),
        ("Bool", "aws:SecureTransport", "true"),
        ("StringEquals", "aws:PrincipalType", "AssumedRole"),
    ],
    ids=lambda value: value if ":" in value else None,
)
def test_a_condition_key_has_the_value_of_the_request(client, role, key, operator, name, value):
    client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    client.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "team", "TagValue": "red"}])
    role.set_tags({"team": "red"})
    request = {"KeyId": "alias/app", "Plaintext": b"text", "EncryptionContext": CONTEXT}

    role.set_policies(conditioned(operator, name, value))
    assert role.client().encrypt(**request)

    opposite = "false" if value == "true" else "true" if value == "false" else "1"
    role.set_policies(conditioned(operator.replace("GreaterThan", "LessThan"), name, opposite))
    with refused("AccessDeniedException"):
        role.client().encrypt(**request)


def test_key_policies_see_neither_tags_nor_aliases_of_the_key(client, role, key):
    client.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "team", "TagValue": "red"}])
    condition = {"StringEquals": {"aws:ResourceTag/team": "red"}}
    put(client, key, allow("kms:Encrypt", **to(role.arn), Condition=condition))

    with refused_to(role, key, NO_RESOURCE):
        encrypt(role, key)


# --- operations on more than one thing --------------------------------------------------------


def test_reencrypt_is_decided_on_both_sides(client, role, key):
    other = client.create_key()["KeyMetadata"]
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]
    request = {"CiphertextBlob": blob, "DestinationKeyId": other["KeyId"]}

    role.set_policies(policy(allow("kms:ReEncryptFrom", key["Arn"])))
    reason = "because no identity-based policy allows the kms:ReEncryptTo action"
    with refused("AccessDeniedException", denial(role, other, reason, "kms:ReEncryptTo")):
        role.client().re_encrypt(**request)

    role.set_policies(policy(allow("kms:ReEncryptTo", other["Arn"])))
    reason = "because no identity-based policy allows the kms:ReEncryptFrom action"
    with refused("AccessDeniedException", denial(role, key, reason, "kms:ReEncryptFrom")):
        role.client().re_encrypt(**request)

    role.set_policies(policy(allow("kms:ReEncrypt*", [key["Arn"], other["Arn"]])))
    assert role.client().re_encrypt(**request)


def test_an_alias_needs_permission_on_itself_and_on_its_key(role, key):
    alias = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"
    request = {"AliasName": "alias/app", "TargetKeyId": key["KeyId"]}
    reason = "because no identity-based policy allows the kms:CreateAlias action"

    role.set_policies(policy(allow("kms:CreateAlias", key["Arn"])))
    with refused("AccessDeniedException", denial(role, {"Arn": alias}, reason, "kms:CreateAlias")):
        role.client().create_alias(**request)

    role.set_policies(policy(allow("kms:CreateAlias", alias)))
    with refused("AccessDeniedException", denial(role, key, reason, "kms:CreateAlias")):
        role.client().create_alias(**request)

    role.set_policies(policy(allow("kms:CreateAlias", [alias, key["Arn"]])))
    role.client().create_alias(**request)


def test_tags_of_a_new_key_need_their_own_permission(role):
    role.set_policies(policy(allow("kms:CreateKey")))
    message = (
        f"User: {role.caller_arn} is not authorized to perform: kms:TagResource because no "
        "identity-based policy allows the kms:TagResource action"
    )

    with refused("AccessDeniedException", message):
        role.client().create_key(Tags=[{"TagKey": "a", "TagValue": "b"}])

    assert role.client().create_key()


def test_a_replica_needs_permission_to_create_keys_there(client, role):
    primary = client.create_key(MultiRegion=True)["KeyMetadata"]
    elsewhere = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    role.set_policies(
        policy(allow("kms:ReplicateKey"), allow("kms:CreateKey", Condition=elsewhere))
    )

    with refused("AccessDeniedException"):
        role.client().replicate_key(KeyId=primary["KeyId"], ReplicaRegion="eu-west-2")

    assert role.client().replicate_key(KeyId=primary["KeyId"], ReplicaRegion="eu-west-1")


def test_a_new_primary_is_decided_on_both_keys(kms, client, role):
    primary = client.create_key(MultiRegion=True)["KeyMetadata"]
    client.replicate_key(KeyId=primary["KeyId"], ReplicaRegion="eu-west-1")
    kms.clock.advance(minutes=1)
    role.set_policies(policy(allow("kms:UpdatePrimaryRegion", primary["Arn"])))
    request = {"KeyId": primary["KeyId"], "PrimaryRegion": "eu-west-1"}

    with refused("AccessDeniedException"):
        role.client().update_primary_region(**request)

    role.set_policies(policy(allow("kms:UpdatePrimaryRegion")))
    role.client().update_primary_region(**request)


def test_an_action_without_a_key_is_decided_by_identity_policies(role):
    message = (
        f"User: {role.caller_arn} is not authorized to perform: kms:ListKeys on resource: * "
        "because no identity-based policy allows the kms:ListKeys action"
    )
    with refused("AccessDeniedException", message):
        role.client().list_keys()

    role.set_policies(policy(allow("kms:ListKeys", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/*")))
    with refused("AccessDeniedException", message):
        role.client().list_keys()

    role.set_policies(policy(allow("kms:ListKeys")))
    assert role.client().list_keys()


def test_a_dry_run_is_refused_as_the_call_would_be(role, key):
    with refused_to(role, key, NO_IDENTITY):
        role.client().encrypt(KeyId=key["Arn"], Plaintext=b"text", DryRun=True)


def test_not_being_authorized_comes_before_the_state_of_the_key(client, role, key):
    client.disable_key(KeyId=key["KeyId"])

    with refused_to(role, key, NO_IDENTITY):
        encrypt(role, key)


@pytest.mark.parametrize("who", ["administrator", "root"])
def test_aws_managed_keys_are_not_used_directly(kms, client, who):
    key = client.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    principal = getattr(kms.account(ACCOUNT), who)

    with refused_to(principal, key, NO_RESOURCE):
        encrypt(principal, key)


# --- two accounts -----------------------------------------------------------------------------


def test_a_key_that_is_not_shared_is_hidden(stranger, key):
    with refused_to(stranger, key, HIDDEN):
        encrypt(stranger, key)


def test_a_missing_key_of_another_account_looks_the_same(stranger):
    missing = {"Arn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{'0' * 8}-0000-0000-0000-{'0' * 12}"}

    with refused_to(stranger, missing, HIDDEN):
        encrypt(stranger, missing)


@pytest.mark.parametrize("named", ["account", "role"])
def test_a_shared_key_needs_both_sides(client, stranger, key, named):
    name = OTHER if named == "account" else stranger.arn
    put(client, key, allow("kms:Encrypt", **to(name)))
    assert encrypt(stranger, key)

    stranger.set_policies()

    with refused_to(stranger, key, NO_IDENTITY):
        encrypt(stranger, key)


def test_an_explicit_deny_of_the_other_account_is_hidden(client, stranger, key):
    put(client, key, allow("kms:*", **to(OTHER)), deny("kms:Encrypt", **to("*")))

    with refused_to(stranger, key, HIDDEN):
        encrypt(stranger, key)


def test_a_ciphertext_of_another_account_does_not_tell_its_key(client, stranger, key):
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]
    message = (
        f"User: {stranger.caller_arn} is not authorized to perform: kms:Decrypt on the resource "
        f"associated with this ciphertext {HIDDEN}"
    )

    with refused("AccessDeniedException", message):
        stranger.client().decrypt(CiphertextBlob=blob)


def share(client, key):
    """Share a key, and give a ciphertext of it."""
    put(client, key, allow("kms:*", **to(OTHER)))
    return client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]


def test_a_bare_key_id_names_the_foreign_key_that_made_a_ciphertext(client, stranger, key):
    blob = share(client, key)
    theirs = stranger.client()
    own = theirs.create_key()["KeyMetadata"]

    assert theirs.decrypt(CiphertextBlob=blob, KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    assert theirs.re_encrypt(
        CiphertextBlob=blob, SourceKeyId=key["KeyId"], DestinationKeyId=own["KeyId"]
    )
    with refused("NotFoundException"):
        theirs.encrypt(KeyId=key["KeyId"], Plaintext=b"text")


def test_a_bare_key_id_does_not_show_the_foreign_key_that_made_a_ciphertext(client, stranger, key):
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]

    with refused("AccessDeniedException", denial(stranger, key, HIDDEN, "kms:Decrypt")):
        stranger.client().decrypt(CiphertextBlob=blob, KeyId=key["KeyId"])


def test_a_foreign_destination_that_is_missing_is_told_as_one(client, key):
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]
    missing = f"arn:aws:kms:us-east-1:{OTHER}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    message = (
        f"User: arn:aws:iam::{ACCOUNT}:user/Administrator is not authorized to perform: "
        f"kms:ReEncryptTo on this resource {HIDDEN}"
    )

    with refused("AccessDeniedException", message):
        client.re_encrypt(CiphertextBlob=blob, DestinationKeyId=missing)


def test_operations_that_stay_at_home_are_refused_whatever_the_policy_says(
    kms, client, stranger, key
):
    put(client, key, allow("kms:*", **to(OTHER)))

    with refused("AccessDeniedException"):
        stranger.client().disable_key(KeyId=key["Arn"])
    reason = kms.explain(stranger, "kms:DisableKey", key["Arn"]).reason
    assert reason == "kms:DisableKey does not work on keys of other accounts"


# --- key policies -----------------------------------------------------------------------------


LOCKOUT = "The new key policy will not allow you to update the key policy in the future."
INVALID = "Policy contains a statement with one or more invalid principals."
MALFORMED = "MalformedPolicyDocumentException"


def test_a_policy_that_locks_its_author_out_is_refused(client, role):
    locked = policy(allow("kms:*", **to(role.arn)))

    with refused(MALFORMED, LOCKOUT):
        client.create_key(Policy=locked)

    assert client.create_key(Policy=locked, BypassPolicyLockoutSafetyCheck=True)


def test_delegation_saves_from_a_lockout_only_those_whose_identity_policies_allow_it(role):
    role.set_policies(policy(allow("kms:CreateKey")))

    with refused(MALFORMED, LOCKOUT):
        role.client().create_key(Policy=policy(allow("kms:*", **to(ACCOUNT))))


@pytest.mark.parametrize(
    "name",
    [
        f"arn:aws:iam::{ACCOUNT}:role/Nobody",
        f"arn:aws:iam::{ACCOUNT}:user/*",
        f"arn:aws:iam::{ACCOUNT}:group/x",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Nobody/session",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/App/*",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/App/path/session",
        f"arn:aws:sts::{ACCOUNT}:federated-user/*",
        f"arn:aws-cn:iam::{ACCOUNT}:root",
        "AIDAABCDEFGHIJKLMNOPQ",
        "someone",
    ],
)
@pytest.mark.usefixtures("role")
def test_a_principal_that_does_not_exist_is_refused(client, key, name):
    with refused(MALFORMED, INVALID):
        put(client, key, allow("kms:Encrypt", **to(name)))


def test_a_principal_that_does_not_exist_is_refused_behind_a_federated_one(client, key):
    federated = {"Principal": {"Federated": "cognito-identity.amazonaws.com"}}
    nobody = to(f"arn:aws:iam::{ACCOUNT}:role/Nobody")

    with refused(MALFORMED, INVALID):
        put(client, key, allow("kms:Encrypt", **federated), allow("kms:Encrypt", **nobody))


@pytest.mark.parametrize("name", ["lambda", "*", "*.amazonaws.com"])
def test_what_can_be_no_service_is_refused(client, key, name):
    with refused(MALFORMED, INVALID):
        put(client, key, allow("kms:Encrypt", Principal={"Service": name}))


def test_a_principal_can_be_named_by_its_unique_id_while_it_lives(client, role, key):
    by_id = allow("kms:Encrypt", **to(role.unique_id))
    put(client, key, by_id)

    stored = json.loads(client.get_key_policy(KeyId=key["KeyId"])["Policy"])["Statement"]
    assert stored[1]["Principal"] == {"AWS": role.arn}
    assert encrypt(role, key)

    role.delete()
    with refused(MALFORMED, INVALID):
        put(client, key, by_id)


@pytest.mark.parametrize("principal", [None, {}, {"AWS": []}])
def test_a_statement_that_means_nobody_is_refused(client, key, principal):
    more = {} if principal is None else {"Principal": principal}

    with refused(MALFORMED, "Policy contains a statement with no principal."):
        put(client, key, allow("kms:Encrypt", **more))


def test_a_condition_that_holds_without_its_context_is_refused(client, key):
    condition = {"ForAllValues:StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    message = (
        "OverlyPermissiveCondition:EncryptionContext: Using the ForAllValues set operator with a "
        "single-valued condition key matches requests without the specified encryption context or "
        "with an unspecified encryption context. To fix, remove ForAllValues."
    )

    with refused(MALFORMED, message):
        put(client, key, allow("kms:Encrypt", **to(ACCOUNT), Condition=condition))

    put(client, key, deny("kms:Encrypt", **to(OTHER), Condition=condition))


def test_of_a_deleted_role_a_key_policy_shows_the_id(client, role, key):
    put(client, key, allow("kms:Encrypt", **to(role.arn)))
    role.delete()

    statements = json.loads(client.get_key_policy(KeyId=key["KeyId"])["Policy"])["Statement"]

    assert statements[1]["Principal"] == {"AWS": role.unique_id}


def test_the_conditions_of_a_key_policy_keep_their_words(client, role, key):
    condition = {"StringEquals": {"aws:PrincipalArn": role.arn, "aws:userid": role.unique_id}}
    put(client, key, allow("kms:Encrypt", **to([role.arn, "*"]), Condition=condition))
    role.delete()

    statements = json.loads(client.get_key_policy(KeyId=key["KeyId"])["Policy"])["Statement"]

    assert statements[1]["Condition"] == condition
    assert statements[1]["Principal"] == {"AWS": [role.unique_id, "*"]}


@pytest.mark.parametrize(
    "name",
    [
        "*",
        f"arn:aws:iam::{OTHER}:root",
        f"arn:aws:iam::{ACCOUNT}:role/App",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/App/never-made",
        f"arn:aws:sts::{ACCOUNT}:federated-user/guest",
    ],
)
@pytest.mark.usefixtures("role")
def test_a_principal_that_exists_is_taken(client, key, name):
    put(client, key, allow("kms:Encrypt", **to(name)))

    statements = json.loads(client.get_key_policy(KeyId=key["KeyId"])["Policy"])["Statement"]
    assert statements[1]["Principal"] == {"AWS": name}
