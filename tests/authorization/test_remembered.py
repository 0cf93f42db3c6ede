"""What was allowed once is not allowed again when anything that it depended on has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from kmsmock import KMSMock, Principal
from tests.authorization.documents import ACCOUNT, OTHER, allow, deny, policy, to

CONTEXT = {"tenant": "a"}
SOURCE = f"arn:aws:sns:us-east-1:{ACCOUNT}:topic"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ALLOW = policy(allow("kms:*"))
NOTHING = policy(allow("s3:*"))
DENY = policy(allow("*"), deny("kms:Encrypt"))
ON_TAG = policy(allow("kms:*", Condition={"StringEquals": {"aws:ResourceTag/stage": "test"}}))
ON_OWN_TAG = policy(allow("kms:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}}))
ON_ALIAS = policy(
    allow("kms:*", Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/app"}})
)
ON_TIME = policy(allow("kms:*", Condition={"DateLessThan": {"aws:CurrentTime": "2030-01-01"}}))
ON_NETWORK = policy(allow("kms:*", Condition={"Null": {"aws:SourceVpce": "true"}}))


class World:
    """A key that only its administrator may use, and one principal who is allowed more later."""

    def __init__(self, kms: KMSMock) -> None:
        self.kms = kms
        self.account = kms.account(ACCOUNT)
        self.client = kms.client()
        self.key = self.client.create_key()["KeyMetadata"]["Arn"]
        self.who: Principal = self.account.role("App", policies=[NOTHING])
        self.context = CONTEXT
        self.grant: dict[str, Any] = {}
        self.put_key_policy()

    def put_key_policy(self, *more: dict[str, Any]) -> None:
        own = allow("kms:*", **to(self.account.administrator.arn))
        self.client.put_key_policy(KeyId=self.key, PolicyName="default", Policy=policy(own, *more))

    def give(self, grantee: str, **constraints: Any) -> None:
        self.grant = self.client.create_grant(
            KeyId=self.key,
            GranteePrincipal=grantee,
            Operations=["Encrypt", "RetireGrant"],
            **({"Constraints": constraints} if constraints else {}),
        )

    def encrypt(self) -> str | None:
        """Encrypt as the principal; gives the code of the refusal, or None."""
        try:
            self.who.client().encrypt(
                KeyId=self.key, Plaintext=b"text", EncryptionContext=self.context
            )
        except ClientError as error:
            return error.response["Error"]["Code"]
        return None

    def explain(self) -> Any:
        return self.kms.explain(self.who, "kms:Encrypt", self.key, encryption_context=self.context)


@pytest.fixture
def world(kms: KMSMock) -> World:
    return World(kms)


# --- how the principal comes to be allowed ------------------------------------------------------


def by_identity(world: World, document: str = ALLOW) -> None:
    world.put_key_policy(allow("kms:*", **to(ROOT)))
    world.who.set_policies(document)


def by_own_tag(world: World) -> None:
    world.who.set_tags({"team": "red"})
    by_identity(world, ON_OWN_TAG)


def by_tag(world: World) -> None:
    world.client.tag_resource(KeyId=world.key, Tags=[{"TagKey": "stage", "TagValue": "test"}])
    by_identity(world, ON_TAG)


def by_alias(world: World) -> None:
    world.client.create_alias(AliasName="alias/app", TargetKeyId=world.key)
    by_identity(world, ON_ALIAS)


def by_time(world: World) -> None:
    by_identity(world, ON_TIME)


def by_network(world: World) -> None:
    by_identity(world, ON_NETWORK)


def by_key_policy(world: World) -> None:
    world.put_key_policy(allow("kms:*", **to(world.who.arn)))


def by_key_policy_with_condition(world: World) -> None:
    condition = {"StringEquals": {"kms:EncryptionContext:tenant": "a"}}
    world.put_key_policy(allow("kms:*", Condition=condition, **to(world.who.arn)))


def by_account_in_key_policy(world: World) -> None:
    world.put_key_policy(allow("kms:*", **to(ACCOUNT)))
    world.who.set_policies(ALLOW)


def by_grant_to(grantee: Callable[[World], str], **constraints: Any) -> Callable[[World], None]:
    def by_grant(world: World) -> None:
        world.give(grantee(world), **constraints)

    return by_grant


def by_grant_to_account(named: str, **constraints: Any) -> Callable[[World], None]:
    def by_grant(world: World) -> None:
        world.who.set_policies(ALLOW)
        world.give(named, **constraints)

    return by_grant


def by_grant_to_account_of_root(world: World) -> None:
    world.who = world.account.root
    world.give(ROOT, EncryptionContextSubset=CONTEXT)


def by_grant_to_user(world: World) -> None:
    world.who = world.account.user("ann", policies=[])
    world.give(world.who.arn, EncryptionContextEquals=CONTEXT)


def by_grant_to_federated_user(world: World) -> None:
    world.who = world.account.user("ann", policies=[]).federated_user("guest")
    world.give(world.who.caller_arn, EncryptionContextEquals=CONTEXT)


def by_trusted_grant(world: World) -> None:
    """Be of another account, which the key policy names, and which has given the grant itself."""
    there = world.kms.account(OTHER)
    world.who = there.role("App", policies=[NOTHING])
    world.put_key_policy(allow("kms:*", **to([there.administrator.arn, world.who.arn])))
    world.client = there.client()
    world.give(world.who.caller_arn)
    world.client = world.kms.client()


# --- what changes -------------------------------------------------------------------------------


def put_key_policy(world: World) -> None:
    world.put_key_policy()


def put_key_policy_that_denies(world: World) -> None:
    world.put_key_policy(deny("kms:Encrypt", **to(world.who.arn)))


def put_same_key_policy(world: World) -> None:
    text = world.client.get_key_policy(KeyId=world.key)["Policy"]
    world.client.put_key_policy(KeyId=world.key, PolicyName="default", Policy=text)


def set_policies(world: World) -> None:
    world.who.set_policies(NOTHING)


def attach_policy_that_denies(world: World) -> None:
    iam = world.kms.client("iam")
    made = iam.create_policy(PolicyName="Deny", PolicyDocument=policy(deny("kms:Encrypt", "*")))
    iam.attach_role_policy(RoleName="App", PolicyArn=made["Policy"]["Arn"])


def set_boundary(world: World) -> None:
    world.who.set_boundary(NOTHING)


def set_session_policy(world: World) -> None:
    world.account.role("App", session_policies=[NOTHING])


def set_session_policy_that_denies(world: World) -> None:
    world.account.role("App", session_policies=[DENY])


def set_service_control(world: World) -> None:
    world.account.join_organization("o-a1b2c3d4e5", service_control=[[ALLOW], [DENY]])


def set_service_control_of_other(world: World) -> None:
    world.kms.account(OTHER).join_organization("o-a1b2c3d4e5", service_control=[[DENY]])


def set_resource_control(world: World) -> None:
    document = policy({**deny("kms:Encrypt"), "Principal": "*"})
    world.account.join_organization("o-a1b2c3d4e5", resource_control=[[document]])


def untag_key(world: World) -> None:
    world.client.untag_resource(KeyId=world.key, TagKeys=["stage"])


def delete_alias(world: World) -> None:
    world.client.delete_alias(AliasName="alias/app")


def move_alias(world: World) -> None:
    other = world.client.create_key()["KeyMetadata"]["KeyId"]
    world.client.update_alias(AliasName="alias/app", TargetKeyId=other)


def tag_principal(world: World) -> None:
    world.who.set_tags({"team": "blue"})


def wait(world: World) -> None:
    world.kms.clock.advance(timedelta(days=3_650))


def make_role_again(world: World) -> None:
    world.who.delete()
    world.who = world.account.role("App", policies=[NOTHING])


def make_role_again_with_policies(world: World) -> None:
    world.who.delete()
    world.who = world.account.role("App", policies=[ALLOW])


def change_context(world: World) -> None:
    world.context = {"tenant": "b"}


def revoke_grant(world: World) -> None:
    world.client.revoke_grant(KeyId=world.key, GrantId=world.grant["GrantId"])


def retire_grant(world: World) -> None:
    world.client.retire_grant(GrantToken=world.grant["GrantToken"])


def make_other_grant(world: World) -> None:
    world.client.create_grant(KeyId=world.key, GranteePrincipal=ROOT, Operations=["Decrypt"])


class Row(NamedTuple):
    allowed: Callable[[World], None]
    change: Callable[[World], None]
    ends: bool = True


ROLE = by_grant_to(lambda w: w.who.arn, EncryptionContextEquals=CONTEXT)
SESSION = by_grant_to(lambda w: w.who.caller_arn, EncryptionContextEquals=CONTEXT)
ACCOUNT_ARN = by_grant_to_account(ROOT, EncryptionContextEquals=CONTEXT)
DIGITS = by_grant_to_account(ACCOUNT, EncryptionContextSubset=CONTEXT)
ROWS = {
    "identity policy, other key policy": Row(by_identity, put_key_policy),
    "identity policy, key policy denies": Row(by_identity, put_key_policy_that_denies),
    "identity policy, same key policy": Row(by_identity, put_same_key_policy, ends=False),
    "identity policy replaced": Row(by_identity, set_policies),
    "identity policy, another denies": Row(by_identity, attach_policy_that_denies),
    "identity policy, boundary": Row(by_identity, set_boundary),
    "identity policy, session policy": Row(by_identity, set_session_policy),
    "identity policy, session policy denies": Row(by_identity, set_session_policy_that_denies),
    "identity policy, SCP": Row(by_identity, set_service_control),
    "identity policy, SCP of another": Row(by_identity, set_service_control_of_other, ends=False),
    "identity policy, RCP": Row(by_identity, set_resource_control),
    "identity policy, role created again": Row(by_identity, make_role_again),
    "identity policy, role with it created again": Row(
        by_identity, make_role_again_with_policies, False
    ),
    "identity policy, grant made": Row(by_identity, make_other_grant, ends=False),
    "tag of the key removed": Row(by_tag, untag_key),
    "tag of the role changed": Row(by_own_tag, tag_principal),
    "alias deleted": Row(by_alias, delete_alias),
    "alias moved": Row(by_alias, move_alias),
    "time over": Row(by_time, wait),
    "key policy replaced": Row(by_key_policy, put_key_policy),
    "key policy denies": Row(by_key_policy, put_key_policy_that_denies),
    "key policy, boundary": Row(by_key_policy, set_boundary),
    "key policy, session policy": Row(by_key_policy, set_session_policy),
    "key policy, SCP": Row(by_key_policy, set_service_control),
    "key policy, RCP": Row(by_key_policy, set_resource_control),
    "key policy, role created again": Row(by_key_policy, make_role_again_with_policies),
    "key policy, other context": Row(by_key_policy_with_condition, change_context),
    "account in key policy, policies": Row(by_account_in_key_policy, set_policies),
    "account in key policy, key policy": Row(by_account_in_key_policy, put_key_policy),
    **{
        f"grant to {name}, {what}": Row(allowed, change)
        for name, allowed in {
            "role": ROLE,
            "session": SESSION,
            "account": ACCOUNT_ARN,
            "digits": DIGITS,
            "root user": by_grant_to_account_of_root,
            "user": by_grant_to_user,
            "federated user": by_grant_to_federated_user,
        }.items()
        for what, change in {
            "other context": change_context,
            "revoked": revoke_grant,
            "retired": retire_grant,
            "RCP": set_resource_control,
        }.items()
    },
    "grant to role, created again": Row(ROLE, make_role_again_with_policies),
    "grant to session, created again": Row(SESSION, make_role_again_with_policies),
    "grant to account, created again": Row(ACCOUNT_ARN, make_role_again_with_policies, ends=False),
    "grant to role, boundary": Row(ROLE, set_boundary),
    "grant to session, boundary": Row(SESSION, set_boundary, ends=False),
    "grant to account, boundary": Row(ACCOUNT_ARN, set_boundary),
    "grant to role, session policy": Row(ROLE, set_session_policy),
    "grant to session, session policy": Row(SESSION, set_session_policy, ends=False),
    "grant to account, session policy": Row(ACCOUNT_ARN, set_session_policy),
    "grant to account, policies": Row(ACCOUNT_ARN, set_policies),
    "grant to role, policies": Row(ROLE, set_policies, ends=False),
    "grant to account, key policy denies": Row(ACCOUNT_ARN, put_key_policy_that_denies),
    "grant to digits, SCP": Row(DIGITS, set_service_control),
    "grant of the own account, revoked": Row(by_trusted_grant, revoke_grant),
    "grant of the own account, key policy": Row(by_trusted_grant, put_key_policy, ends=False),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_what_is_allowed_is_decided_by_what_holds_now(world: World, row: Row) -> None:
    row.allowed(world)
    assert [world.encrypt(), world.encrypt()] == [None, None]

    row.change(world)

    assert world.encrypt() == ("AccessDeniedException" if row.ends else None)
    assert bool(world.explain()) is not row.ends


def test_condition_keys_of_the_network_count_at_once(kms: KMSMock, world: World) -> None:
    by_network(world)
    assert [world.encrypt(), world.encrypt()] == [None, None]

    with kms.request_context({"aws:SourceVpce": "vpce-1"}):
        assert world.encrypt() == "AccessDeniedException"
        assert not world.explain()
    assert world.encrypt() is None


def test_the_state_of_a_key_has_no_say_in_who_may_use_it(world: World) -> None:
    by_identity(world)
    assert world.encrypt() is None

    world.client.disable_key(KeyId=world.key)

    assert world.encrypt() == "DisabledException"
    assert world.explain()


def test_a_restored_world_allows_what_it_allowed_then(kms: KMSMock, world: World) -> None:
    by_identity(world)
    start = kms.checkpoint()
    world.who.set_policies(DENY)
    before = kms.checkpoint()
    kms.restore(start)
    assert world.encrypt() is None

    kms.restore(before)

    assert world.encrypt() == "AccessDeniedException"


def test_a_grant_that_comes_later_is_the_one_that_allows(kms: KMSMock, world: World) -> None:
    by_key_policy(world)
    assert world.encrypt() is None

    world.give(world.who.caller_arn)

    assert world.encrypt() is None
    explained = world.explain().grant
    assert explained is not None
    assert kms.calls[-1].grant_id == explained.grant_id == world.grant["GrantId"]


@pytest.mark.parametrize("named", [ROOT, ACCOUNT], ids=["arn", "digits"])
def test_the_record_of_a_call_names_the_grant_to_the_account(
    kms: KMSMock, world: World, named: str
) -> None:
    by_grant_to_account(named)(world)

    world.encrypt()

    assert kms.calls[-1].grant_id == world.grant["GrantId"]


def test_a_service_keeps_to_the_source_of_its_grant(kms: KMSMock, world: World) -> None:
    service = kms.principal("sns.amazonaws.com")
    world.client.create_grant(
        KeyId=world.key,
        GranteeServicePrincipal="sns.amazonaws.com",
        RetiringPrincipal=world.account.administrator.arn,
        Operations=["Encrypt"],
        Constraints={"SourceArn": SOURCE},
    )
    world.who = service.on_behalf_of(SOURCE)
    assert [world.encrypt(), world.encrypt()] == [None, None]
    assert world.explain()

    world.who = service.on_behalf_of(f"{SOURCE}-2")
    assert world.encrypt() == "AccessDeniedException"
    assert not world.explain()


@pytest.mark.parametrize("with_source", [True, False], ids=["with it", "without it"])
def test_a_parent_grant_bound_to_a_source_gives_grants_for_it_alone(
    kms: KMSMock, world: World, *, with_source: bool
) -> None:
    constraints = {"SourceArn": SOURCE}
    world.client.create_grant(
        KeyId=world.key,
        GranteePrincipal=world.who.arn,
        Operations=["CreateGrant", "Decrypt"],
        Constraints=constraints,
    )

    def pass_on() -> None:
        world.who.client().create_grant(
            KeyId=world.key,
            GranteePrincipal=world.who.arn,
            Operations=["Decrypt"],
            Constraints=constraints,
        )

    if with_source:
        with kms.request_context({"aws:SourceArn": SOURCE}):
            pass_on()
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            pass_on()
