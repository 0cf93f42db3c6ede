"""The values that condition keys have, by who asks for what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from kmsmock import KMSMock, Principal
from kmsmock.access.condition_keys.registry import declare, remove
from kmsmock.access.context import ConditionContext
from kmsmock.access.facts import Facts
from kmsmock.authorization.request import Request
from tests.authorization.documents import ACCOUNT, OTHER, allow, policy, to
from tests.refusals import refused

ABSENT = None
Who = Callable[[KMSMock], Principal]


def ann(kms: KMSMock) -> Principal:
    return kms.account(ACCOUNT).user("ann")


def app(kms: KMSMock) -> Principal:
    return kms.account(ACCOUNT).role("App")


def guest(kms: KMSMock) -> Principal:
    return kms.account(ACCOUNT).user("ann").federated_user("guest", policies=[policy(allow("*"))])


def root(kms: KMSMock) -> Principal:
    return kms.account(ACCOUNT).root


def service(kms: KMSMock) -> Principal:
    return kms.principal("sns.amazonaws.com")


def for_topic(kms: KMSMock) -> Principal:
    return service(kms).on_behalf_of(f"arn:aws:sns:us-east-1:{OTHER}:topic")


def is_value(
    kms: KMSMock,
    who: Who,
    name: str,
    value: Any,
    action: str = "kms:Encrypt",
    **more: Any,
) -> bool:
    """Return whether the key policy can let everybody in by this value of a condition key."""
    test = {"Null": {name: "true"}} if value is ABSENT else {"StringEquals": {name: value}}
    mine = allow("kms:*", **to(kms.account(ACCOUNT).administrator.arn))
    them = allow(action, Principal="*", Condition=test)
    key = kms.client().create_key(Policy=policy(mine, them))["KeyMetadata"]
    return bool(kms.explain(who(kms), action, key["Arn"], **more))


def is_value_for(
    kms: KMSMock, name: str, value: Any, action: str, key: str | None = None, **more: Any
) -> bool:
    """Return whether the identity policy of a role can let it in by this value."""
    test = {"Null": {name: "true"}} if value is ABSENT else {"StringEquals": {name: value}}
    role = kms.account(ACCOUNT).role("App", policies=[policy(allow(action, Condition=test))])
    return bool(kms.explain(role, action, key, **more))


@pytest.mark.parametrize(
    ("name", "who", "value"),
    [
        ("aws:PrincipalType", root, "Account"),
        ("aws:PrincipalType", ann, "User"),
        ("aws:PrincipalType", app, "AssumedRole"),
        ("aws:PrincipalType", guest, "FederatedUser"),
        ("aws:PrincipalType", service, "Service"),
        ("aws:PrincipalIsAWSService", app, "false"),
        ("aws:PrincipalIsAWSService", service, "true"),
        ("aws:PrincipalAccount", root, ACCOUNT),
        ("aws:PrincipalAccount", service, ABSENT),
        ("aws:PrincipalServiceName", app, ABSENT),
        ("aws:PrincipalServiceName", service, "sns.amazonaws.com"),
        ("aws:username", ann, "ann"),
        ("aws:username", app, ABSENT),
        ("aws:username", guest, ABSENT),
        ("aws:TokenIssueTime", ann, ABSENT),
        ("aws:TokenIssueTime", root, ABSENT),
        ("aws:MultiFactorAuthPresent", ann, ABSENT),
        ("aws:MultiFactorAuthPresent", app, "false"),
        ("aws:MultiFactorAuthPresent", guest, "false"),
        ("aws:SourceIdentity", app, ABSENT),
        ("kms:CallerAccount", app, ACCOUNT),
        ("kms:CallerAccount", service, ABSENT),
        ("aws:ViaAWSService", app, "false"),
        ("aws:ViaAWSService", lambda kms: app(kms).via("s3"), "true"),
        ("aws:CalledViaFirst", app, ABSENT),
        ("aws:CalledViaFirst", lambda kms: app(kms).via("s3"), ABSENT),
        ("aws:CalledViaLast", lambda kms: app(kms).via("dynamodb"), "dynamodb.amazonaws.com"),
        ("kms:ViaService", app, ABSENT),
        ("kms:ViaService", lambda kms: app(kms).via("s3"), "s3.us-east-1.amazonaws.com"),
        ("aws:SourceArn", app, ABSENT),
        ("aws:SourceAccount", app, ABSENT),
        ("aws:SourceAccount", for_topic, OTHER),
    ],
)
def test_a_condition_key_of_the_caller_has_the_value_of_its_kind(
    kms: KMSMock, name: str, who: Who, value: Any
) -> None:
    assert is_value(kms, who, name, value)
    assert not is_value(kms, who, name, "other")


def test_the_source_identity_is_that_of_the_session(kms: KMSMock) -> None:
    account = kms.account(ACCOUNT)
    on_identity = {"StringEquals": {"aws:SourceIdentity": "ann"}}
    account.role("App", policies=[policy(allow("kms:ListKeys", Condition=on_identity))])
    sts = account.user("ann", policies=[policy(allow("sts:*"))]).client("sts")
    request = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/App", "RoleSessionName": "job"}

    def list_keys(**more: str) -> None:
        given = sts.assume_role(**request, **more)["Credentials"]
        boto3.client(
            "kms",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        ).list_keys()

    list_keys(SourceIdentity="ann")
    for other in ({"SourceIdentity": "bob"}, {}):
        with refused("AccessDeniedException"):
            list_keys(**other)


@pytest.mark.parametrize(
    "action",
    [
        *("CreateKey", "ConnectCustomKeyStore", "CreateCustomKeyStore", "DeleteCustomKeyStore"),
        *("DescribeCustomKeyStores", "DisconnectCustomKeyStore", "UpdateCustomKeyStore"),
    ],
)
def test_some_requests_about_no_key_have_the_account_of_the_caller(
    kms: KMSMock, action: str
) -> None:
    assert is_value_for(kms, "kms:CallerAccount", ACCOUNT, f"kms:{action}")


@pytest.mark.parametrize("action", ["ListKeys", "ListAliases", "GenerateRandom"])
def test_others_have_no_account_of_the_caller(kms: KMSMock, action: str) -> None:
    assert is_value_for(kms, "kms:CallerAccount", ABSENT, f"kms:{action}")


# --- keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["kms:DisableKey", "kms:ScheduleKeyDeletion"])
def test_days_without_use_are_those_since_the_last_use(kms: KMSMock, client: Any, action: str):
    key = client.create_key()["KeyMetadata"]["Arn"]
    kms.clock.advance(days=5)
    client.encrypt(KeyId=key, Plaintext=b"text")
    kms.clock.advance(days=2, hours=23)

    assert is_value_for(kms, "kms:TrailingDaysWithoutKeyUsage", "2", action, key)


def test_days_without_use_are_those_since_the_creation_of_a_key_never_used(
    kms: KMSMock, client: Any
) -> None:
    key = client.create_key()["KeyMetadata"]["Arn"]
    kms.clock.advance(days=5)

    assert is_value_for(kms, "kms:TrailingDaysWithoutKeyUsage", "5", "kms:DisableKey", key)
    assert is_value_for(kms, "kms:TrailingDaysWithoutKeyUsage", ABSENT, "kms:EnableKey", key)


@pytest.mark.parametrize(("aliases", "value"), [(0, ABSENT), (50, "alias/49")])
def test_the_aliases_of_a_key_are_a_condition_key_if_it_has_any(
    kms: KMSMock, client: Any, aliases: int, value: str | None
) -> None:
    key = client.create_key()["KeyMetadata"]["Arn"]
    for number in range(aliases):
        client.create_alias(AliasName=f"alias/{number}", TargetKeyId=key)
    test = {"Null": {"kms:ResourceAliases": "true"}}
    if value is not ABSENT:
        test = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": value}}
    role = kms.account(ACCOUNT).role("App", policies=[policy(allow("kms:*", Condition=test))])

    assert kms.explain(role, "kms:Encrypt", key)


@pytest.mark.parametrize(
    ("kind", "value"), [("none", ABSENT), ("primary", "PRIMARY"), ("replica", "REPLICA")]
)
def test_the_type_of_a_multi_region_key_is_that_of_its_place(
    kms: KMSMock, client: Any, kind: str, value: str | None
) -> None:
    key = client.create_key(MultiRegion=kind != "none")["KeyMetadata"]["Arn"]
    if kind == "replica":
        key = client.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")["ReplicaKeyMetadata"][
            "Arn"
        ]

    assert is_value_for(kms, "kms:MultiRegionKeyType", value, "kms:Encrypt", key)


@pytest.mark.parametrize(
    ("named", "value"),
    [("id", "true"), ("arn", "true"), ("alias", "true"), ("alias arn", "true"), ("other", "false")],
)
def test_reencryption_is_on_the_same_key_by_whatever_name(
    kms: KMSMock, client: Any, named: str, value: str
) -> None:
    key, other = (client.create_key()["KeyMetadata"] for _ in range(2))
    client.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])
    names = {
        "id": key["KeyId"],
        "arn": key["Arn"],
        "alias": "alias/app",
        "alias arn": f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app",
        "other": other["KeyId"],
    }
    test = {"StringEquals": {"kms:ReEncryptOnSameKey": value}}
    role = kms.account(ACCOUNT).role("App", policies=[policy(allow("kms:*", Condition=test))])
    blob = client.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]

    assert role.client().re_encrypt(CiphertextBlob=blob, DestinationKeyId=names[named])
    role.set_policies(
        policy(allow("kms:*", Condition={"Null": {"kms:ReEncryptOnSameKey": "true"}}))
    )
    with pytest.raises(Exception, match="kms:ReEncrypt"):
        role.client().re_encrypt(CiphertextBlob=blob, DestinationKeyId=names[named])


# --- parameters -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "member"),
    [
        ("kms:Encrypt", "EncryptionAlgorithm"),
        ("kms:Decrypt", "EncryptionAlgorithm"),
        ("kms:ReEncryptFrom", "SourceEncryptionAlgorithm"),
        ("kms:ReEncryptTo", "DestinationEncryptionAlgorithm"),
    ],
)
def test_the_algorithm_is_that_of_the_request(
    kms: KMSMock, client: Any, action: str, member: str
) -> None:
    spec = {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}
    key = client.create_key(**spec)["KeyMetadata"]["Arn"]
    algorithm = "RSAES_OAEP_SHA_256"

    assert is_value_for(
        *(kms, "kms:EncryptionAlgorithm", algorithm, action, key),
        parameters={member: algorithm},
    )
    assert is_value_for(kms, "kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT", action, key)


# --- contexts as mappings ---------------------------------------------------------------------


@pytest.fixture
def facts() -> Facts:
    pairs = {"Tenant": "a"}
    return Facts(action="kms:Encrypt", parameters={}, encryption_context=pairs, region="eu-west-1")


def test_a_context_has_what_the_request_has(facts: Facts) -> None:
    context = ConditionContext(facts)

    assert context["kms:encryptioncontext:tenant"] == "a"
    assert {"kms:encryptioncontext:tenant", "aws:requestedregion"} <= set(context)
    assert "aws:username" not in set(context)
    assert len(context) == len(list(context))


def seen_by_key_policies(facts: Facts) -> Any:
    caller: Any = None  # nobody asks who it is
    request = Request(caller, facts.action, "*", None, lambda: ConditionContext(facts))
    return request.key_policy_context


def test_key_policies_see_all_but_tags_and_aliases_of_the_key(facts: Facts) -> None:
    declare("kms:Hidden", lambda _: "x", is_hidden_from_key_policies=True)
    try:
        visible = seen_by_key_policies(facts)

        assert set(ConditionContext(facts)) - set(visible) == {"kms:hidden"}
        assert len(visible) == len(ConditionContext(facts)) - 1
        assert visible["aws:requestedregion"] == visible.get("aws:requestedregion") == "eu-west-1"
        assert visible.get("kms:hidden", "nothing") == "nothing"
        with pytest.raises(KeyError):
            visible["kms:hidden"]
    finally:
        remove("kms:Hidden")
