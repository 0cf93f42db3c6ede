"""`kms.explain` says what a call then gets: allowed or denied, and by which grant.

In random worlds, under random policies and grants, after random changes of them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from kmsmock import KMSMock, Principal, mock_kms
from tests.authorization.documents import ACCOUNT, OTHER, allow, policy
from tests.thoroughness import examples

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:topic"
ALIAS = "alias/app"
ARNS = {
    "role": f"arn:aws:iam::{ACCOUNT}:role/App",
    "session": f"arn:aws:sts::{ACCOUNT}:assumed-role/App/session",
    "user": f"arn:aws:iam::{ACCOUNT}:user/ann",
    "federated": f"arn:aws:sts::{ACCOUNT}:federated-user/guest",
    "other session": f"arn:aws:sts::{ACCOUNT}:assumed-role/App/other",
    "account": ROOT,
    "digits": ACCOUNT,
    "foreign role": f"arn:aws:iam::{OTHER}:role/App",
    "foreign account": OTHER,
}
#: Who calls, and how they are found.
CALLERS: dict[str, Callable[[KMSMock], Principal]] = {
    "role": lambda kms: kms.account(ACCOUNT).role("App"),
    "other session": lambda kms: kms.account(ACCOUNT).role("App", session="other"),
    "role through s3": lambda kms: kms.account(ACCOUNT).role("App").via("s3"),
    "user": lambda kms: kms.account(ACCOUNT).user("ann"),
    "federated": lambda kms: kms.account(ACCOUNT).user("ann").federated_user("guest"),
    "root": lambda kms: kms.account(ACCOUNT).root,
    "foreign role": lambda kms: kms.account(OTHER).role("App"),
    "service": lambda kms: kms.principal("sns.amazonaws.com"),
    "service for a topic": lambda kms: kms.principal("sns.amazonaws.com").on_behalf_of(TOPIC),
}
CONDITIONS: list[dict[str, Any]] = [
    {"StringEquals": {"kms:EncryptionContext:tenant": "a"}},
    {"StringNotEquals": {"kms:EncryptionContext:tenant": "a"}},
    {"Null": {"kms:EncryptionContextKeys": "true"}},
    {"StringEquals": {"aws:ResourceTag/stage": "test"}},
    {"StringEquals": {"aws:PrincipalTag/team": "red"}},
    {"ForAnyValue:StringEquals": {"kms:ResourceAliases": ALIAS}},
    {"StringEquals": {"kms:RequestAlias": ALIAS}},
    {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "DescribeKey"]}},
    {"StringEquals": {"kms:GrantConstraintType": "EncryptionContextEquals"}},
    {"StringEquals": {"kms:CallerAccount": ACCOUNT}},
    {"Bool": {"kms:GrantIsForAWSResource": "true"}},
    {"StringEqualsIfExists": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}},
    {"Null": {"kms:ViaService": "true"}},
    {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    {"DateLessThan": {"aws:CurrentTime": "2026-02-01T00:00:00Z"}},
    {"ArnEquals": {"aws:SourceArn": TOPIC}},
]
ACTIONS = [
    *("kms:*", "kms:Encrypt", "kms:DescribeKey", "kms:*Grant*", "kms:CreateGrant"),
    *("kms:ReEncrypt*", "kms:TagResource", "kms:ListKeys", "kms:*Alias"),
]
OPERATIONS = ("Encrypt", "DescribeKey", "CreateGrant", "RetireGrant", "ReEncryptFrom")

contexts = st.sampled_from([{}, {"tenant": "a"}, {"Tenant": "a"}, {"tenant": "b", "x": "1"}])
effects = st.sampled_from(["Allow", "Allow", "Allow", "Deny"])


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    """A statement of an identity policy, usually without a condition."""
    found = {"Effect": draw(effects), "Action": draw(st.sampled_from(ACTIONS)), "Resource": "*"}
    condition = draw(st.none() | st.none() | st.sampled_from(CONDITIONS))
    return found if condition is None else {**found, "Condition": condition}


@st.composite
def key_statements(draw: st.DrawFn) -> dict[str, Any]:
    """A statement of a key policy."""
    names = st.sampled_from([*ARNS.values(), "*"])
    principal = draw(
        st.fixed_dictionaries({"AWS": names}) | st.just({"Service": "sns.amazonaws.com"})
    )
    return {**draw(statements()), "Principal": principal}


@st.composite
def grants(draw: st.DrawFn) -> dict[str, Any]:
    """The parameters of CreateGrant, without those of the key."""
    some_context = draw(contexts.filter(bool))
    more = draw(st.lists(st.sampled_from(OPERATIONS), max_size=3))
    parameters: dict[str, Any] = {
        "GranteePrincipal": draw(st.sampled_from(list(ARNS.values()))),
        "Operations": list(dict.fromkeys(["Encrypt", *more])),
        "Constraints": draw(
            st.sampled_from(
                [
                    {},
                    {},
                    {"EncryptionContextEquals": some_context},
                    {"EncryptionContextSubset": some_context},
                    {"SourceArn": TOPIC},
                    {"EncryptionContextSubset": some_context, "SourceArn": TOPIC},
                ]
            )
        ),
    }
    if draw(st.booleans()):
        parameters["RetiringPrincipal"] = draw(st.sampled_from(list(ARNS.values())))
    return parameters


by_others = st.sampled_from([False, False, True])
some = st.lists(statements(), min_size=1, max_size=2)
changes = st.one_of(
    st.tuples(st.just("put key policy"), st.lists(key_statements(), max_size=3)),
    st.tuples(st.just("set policies"), st.sampled_from(["role", "user", "foreign role"]), some),
    st.tuples(st.just("set boundary"), st.sampled_from(["role", "user"]), st.none() | some),
    st.tuples(st.just("set session policy"), st.none() | some),
    st.tuples(st.just("federate"), some),
    st.tuples(st.just("set service control"), st.sampled_from([ACCOUNT, OTHER]), some),
    st.tuples(st.just("set resource control"), some),
    st.tuples(st.just("create grant"), by_others, grants()),
    st.tuples(st.just("revoke grant"), st.integers(0, 9)),
    st.tuples(st.just("tag key"), st.booleans()),
    st.tuples(st.just("tag role"), st.booleans()),
    st.tuples(st.just("alias"), st.booleans()),
    st.tuples(st.just("make role again")),
    st.tuples(st.just("wait")),
    st.tuples(
        st.just("move"),
        st.sampled_from([{}, {"aws:SourceIp": "203.0.113.7"}, {"aws:SourceArn": TOPIC}]),
    ),
    st.tuples(st.just("disable key"), st.booleans()),
)
callers = st.sampled_from(list(CALLERS))
grantees = st.sampled_from(["role", "other session", "user", "root", "federated"])
calls = st.one_of(
    st.tuples(st.just("Encrypt"), callers, contexts, st.just(False) | st.booleans()),
    st.tuples(st.just("Encrypt"), callers, contexts, st.just(False)),
    st.tuples(st.just("Encrypt"), grantees, contexts, st.just(False)),
    st.tuples(st.just("Encrypt"), grantees, contexts, st.just(False)),
    st.tuples(st.just("DescribeKey"), callers, st.booleans()),
    st.tuples(st.just("CreateGrant"), callers, grants()),
    st.tuples(st.just("RetireGrant"), callers, st.integers(0, 9)),
    st.tuples(st.just("ReEncrypt"), callers, contexts),
    st.tuples(st.just("ListGrants"), callers),
    st.tuples(st.just("TagResource"), callers),
    st.tuples(st.just("CreateAlias"), callers),
    st.tuples(st.just("ListKeys"), callers),
)
#: An operation -> the actions that it needs, where that is not one of its name.
NEEDED = {"ReEncrypt": ("ReEncryptFrom", "ReEncryptTo")}


class World:
    """A key, and what is said about it."""

    def __init__(self, kms: KMSMock) -> None:
        self.kms = kms
        self.account = kms.account(ACCOUNT)
        self.account.role("App", policies=[])
        self.account.user("ann", policies=[])
        kms.account(OTHER).role("App", policies=[])
        CALLERS["federated"](kms)
        self.administrator = kms.client()
        self.key = self.administrator.create_key()["KeyMetadata"]["Arn"]
        self.blob = self.administrator.encrypt(KeyId=self.key, Plaintext=b"text")["CiphertextBlob"]
        self.network: dict[str, str] = {}

    # --- what changes ---------------------------------------------------------------------------

    def change(self, what: str, *details: Any) -> None:
        # Organizations can keep the administrator, too, from doing it.
        with suppress(ClientError):
            getattr(self, what.replace(" ", "_"))(*details)

    def put_key_policy(self, more: list[dict[str, Any]]) -> None:
        own = allow("kms:*", Principal={"AWS": self.account.administrator.arn})
        self.administrator.put_key_policy(
            KeyId=self.key, Policy=policy(own, *more), BypassPolicyLockoutSafetyCheck=True
        )

    def set_policies(self, who: str, found: list[dict[str, Any]]) -> None:
        CALLERS[who](self.kms).set_policies(policy(*found))

    def set_boundary(self, who: str, found: list[dict[str, Any]] | None) -> None:
        CALLERS[who](self.kms).set_boundary(None if found is None else policy(*found))

    def set_session_policy(self, found: list[dict[str, Any]] | None) -> None:
        self.account.role("App", session_policies=[] if found is None else [policy(*found)])

    def federate(self, found: list[dict[str, Any]]) -> None:
        self.account.user("ann").federated_user("guest", policies=[policy(*found)])

    def set_service_control(self, account: str, found: list[dict[str, Any]]) -> None:
        levels = [[policy(*found, allow("*"))]]
        self.kms.account(account).join_organization("o-a1b2c3d4e5", service_control=levels)

    def set_resource_control(self, found: list[dict[str, Any]]) -> None:
        denials = [{**statement, "Effect": "Deny", "Principal": "*"} for statement in found]
        self.account.join_organization("o-a1b2c3d4e5", resource_control=[[policy(*denials)]])

    def create_grant(self, by_other: bool, parameters: dict[str, Any]) -> None:
        client = self.kms.account(OTHER).client() if by_other else self.administrator
        client.create_grant(KeyId=self.key, **parameters)

    def revoke_grant(self, number: int) -> None:
        grants = self.administrator.list_grants(KeyId=self.key)["Grants"]
        grant_id = grants[number % len(grants)]["GrantId"] if grants else "0" * 64
        self.administrator.revoke_grant(KeyId=self.key, GrantId=grant_id)

    def tag_key(self, tagged: bool) -> None:
        value = "test" if tagged else "live"
        tags = [{"TagKey": "stage", "TagValue": value}]
        self.administrator.tag_resource(KeyId=self.key, Tags=tags)

    def tag_role(self, tagged: bool) -> None:
        self.account.role("App", tags={"team": "red"} if tagged else {})

    def alias(self, made: bool) -> None:
        if made:
            self.administrator.create_alias(AliasName=ALIAS, TargetKeyId=self.key)
        else:
            self.administrator.delete_alias(AliasName=ALIAS)

    def make_role_again(self) -> None:
        self.account.role("App").delete()
        self.account.role("App", policies=[policy(allow("kms:*"))])

    def wait(self) -> None:
        self.kms.clock.advance(timedelta(days=40))

    def move(self, network: dict[str, str]) -> None:
        self.network = network

    def disable_key(self, disabled: bool) -> None:
        act = self.administrator.disable_key if disabled else self.administrator.enable_key
        act(KeyId=self.key)

    # --- what is asked --------------------------------------------------------------------------

    def parameters(self, operation: str, *details: Any) -> dict[str, Any] | None:
        """Give the parameters of a call; None when there is nothing to call it about."""
        if operation == "ListKeys":
            return {}
        key = {"KeyId": self.key}
        if operation in ("Encrypt", "DescribeKey") and details[-1]:
            if ALIAS not in (alias.name for alias in self.kms.aliases):
                return None
            key = {"KeyId": f"arn:aws:kms:us-east-1:{ACCOUNT}:{ALIAS}"}
        if operation == "Encrypt":
            return {**key, "Plaintext": b"text", "EncryptionContext": details[0]}
        if operation == "CreateGrant":
            return {**key, **details[0]}
        if operation == "RetireGrant":
            grants = self._grants()
            return {**key, "GrantId": grants[details[0] % len(grants)]} if grants else None
        if operation == "ReEncrypt":
            to = {"DestinationKeyId": self.key, "DestinationEncryptionContext": details[0]}
            return {"CiphertextBlob": self.blob, "SourceKeyId": self.key, **to}
        if operation == "TagResource":
            return {**key, "Tags": [{"TagKey": "stage", "TagValue": "test"}]}
        if operation == "CreateAlias":
            return {"AliasName": "alias/other", "TargetKeyId": self.key}
        return key

    def _grants(self) -> list[str]:
        return [grant.grant_id for key in self.kms.keys for grant in key.grants]

    def ask(self, operation: str, who: str, *details: Any) -> None:
        parameters = self.parameters(operation, *details)
        if parameters is None:
            return
        principal = CALLERS[who](self.kms)
        key = None if operation == "ListKeys" else parameters.get("KeyId", self.key)
        with self.kms.request_context(self.network):
            decisions = [
                self.kms.explain(principal, action, key, parameters=parameters)
                for action in NEEDED.get(operation, (operation,))
            ]
            by_parameters = [
                self.kms.explain(principal, action, parameters=parameters)
                for action in NEEDED.get(operation, (operation,))
            ]
            try:
                getattr(principal.client(), xform_name(operation))(**parameters)
                code = None
            except ClientError as error:
                code = error.response["Error"]["Code"]
        assert (code != "AccessDeniedException") is all(decisions), (code, *map(str, decisions))
        assert list(map(str, by_parameters)) == list(map(str, decisions))
        if code is None and operation not in ("CreateGrant", "RetireGrant"):
            grants = [found.grant.grant_id for found in decisions if found.grant is not None]
            assert self.kms.calls[-1].grant_id == (grants[-1] if grants else None)


rounds = st.lists(
    st.tuples(st.none() | changes, st.lists(calls, min_size=2, max_size=5)), min_size=1, max_size=4
)


@examples(12)
@given(
    st.booleans(),
    st.booleans(),
    st.lists(st.tuples(by_others, grants()), max_size=4),
    rounds,
)
def test_an_explanation_says_what_the_call_then_gets(
    delegates: bool,
    allows: bool,
    granted: list[tuple[bool, dict[str, Any]]],
    rounds: list[tuple[tuple[Any, ...] | None, list[tuple[Any, ...]]]],
) -> None:
    """Decide calls in rounds, each after a change.

    delegates: whether the key policy leaves it to the account at first. allows: whether identity
    policies allow it at first.
    """
    with mock_kms(isolated=True) as kms:
        world = World(kms)
        everybody = {"AWS": [ARNS["account"], ARNS["foreign account"]]}
        world.put_key_policy([allow("kms:*", Principal=everybody)] if delegates else [])
        for who in ("role", "user", "foreign role") if allows else ():
            world.set_policies(who, [allow("kms:*")])
        for by_other, parameters in granted:
            world.change("create grant", by_other, parameters)
        for change, asked in rounds:
            if change is not None:
                world.change(*change)
            for operation, who, *details in asked:
                world.ask(operation, who, *details)
