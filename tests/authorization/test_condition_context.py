"""Whatever decides has the same condition keys, as far as it can know them.

The rows come from the declarations: a new condition key fails here until it has an example.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from kmsmock import KMSMock, Principal, mock_kms
from kmsmock.access.condition_keys.registry import declare, only, parameter, remove
from kmsmock.analysis.policy_files import decide
from kmsmock.aws.condition_keys import CONDITION_KEYS, ValueType
from tests.authorization.documents import ACCOUNT, allow, policy, to
from tests.authorization.test_service_calls import PUBLIC_KEY

ORGANIZATION = "o-a1b2c3d4e5"
PATH = f"{ORGANIZATION}/r-ab12/ou-ab12-11111111/"
ALIAS = "alias/app"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:topic"
SERVICE = "sns.amazonaws.com"
CONTEXT = {"tenant": "a"}
MEASUREMENT = b"\x01" * 48


class World:
    """A key that has all that a key can have, and everybody who can make a request."""

    def __init__(self, kms: KMSMock) -> None:
        self.kms = kms
        self.account = kms.account(ACCOUNT)
        self.client = kms.client()
        tags = [{"TagKey": "stage", "TagValue": "test"}]
        self.key = self.client.create_key(MultiRegion=True, Tags=tags)["KeyMetadata"]["Arn"]
        self.client.create_alias(AliasName=ALIAS, TargetKeyId=self.key)
        self.account.join_organization(ORGANIZATION, path="r-ab12/ou-ab12-11111111")
        self.role = self.account.role("App", tags={"team": "red"})
        self.user = self.account.user("ann")

    def principal(self, who: str) -> Principal:
        service = self.kms.principal(SERVICE)
        made: dict[str, Callable[[], Principal]] = {
            "role": lambda: self.role,
            "user": lambda: self.user,
            "service": lambda: service,
            "service for a topic": lambda: service.on_behalf_of(TOPIC),
            "s3 for the role": lambda: self.role.via("s3"),
            "dynamodb for the role": lambda: self.role.via("dynamodb"),
        }
        return made[who]()


class Example(NamedTuple):
    """A request that has the key, and its value.

    name: of a key, of a family. operator: which compares; by default that of the type. who: see
    `World.principal`. action: without ``kms:``. operation: where it has another name. parameters:
    of the call. given: condition keys that the network or the sign-in decides.
    """

    value: Any
    name: str | None = None
    operator: str | None = None
    who: str = "role"
    action: str = "Encrypt"
    operation: str | None = None
    parameters: Callable[[World], dict[str, Any]] = lambda w: {
        "KeyId": w.key,
        "Plaintext": b"text",
        "EncryptionContext": CONTEXT,
    }
    given: Mapping[str, str] = {}


def of_key(**more: Any) -> Callable[[World], dict[str, Any]]:
    return lambda world: {"KeyId": world.key, **more}


def grant(**more: Any) -> Callable[[World], dict[str, Any]]:
    constraints = {"EncryptionContextSubset": CONTEXT, "SourceArn": TOPIC}
    return lambda world: {
        "KeyId": world.key,
        "GranteePrincipal": world.user.arn,
        "RetiringPrincipal": world.user.arn,
        "Operations": ["Decrypt"],
        "Constraints": constraints,
        **more,
    }


def grant_to_service(world: World) -> dict[str, Any]:
    return {
        "KeyId": world.key,
        "GranteeServicePrincipal": SERVICE,
        "RetiringServicePrincipal": SERVICE,
        "Operations": ["Decrypt"],
        "Constraints": {"SourceArn": TOPIC},
    }


def re_encrypt(world: World) -> dict[str, Any]:
    made = world.client.encrypt(KeyId=world.key, Plaintext=b"text")
    return {
        "CiphertextBlob": made["CiphertextBlob"],
        "SourceKeyId": world.key,
        "DestinationKeyId": ALIAS,
    }


def for_enclave(world: World) -> dict[str, Any]:
    document = world.kms.attestation.document(PUBLIC_KEY, pcrs={0: MEASUREMENT})
    recipient = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": document}
    return {"KeyId": world.key, "KeySpec": "AES_256", "Recipient": recipient}


def given(name: str, value: str) -> Example:
    return Example(value, given={name: value})


MATERIAL = of_key(
    ImportToken=b"token",
    EncryptedKeyMaterial=b"material",
    ExpirationModel="KEY_MATERIAL_EXPIRES",
    ValidTo=datetime(2030, 1, 1, tzinfo=timezone.utc),
)
TAGGED = of_key(Tags=[{"TagKey": "stage", "TagValue": "live"}])
WRAPPING = of_key(WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_4096")
SIGN = of_key(Message=b"text", SigningAlgorithm="ECDSA_SHA_256")
LONG_AGO = "2020-01-01T00:00:00Z"

EXAMPLES = {
    "aws:CurrentTime": Example(LONG_AGO, operator="DateGreaterThan"),
    "aws:EpochTime": Example("1500000000", operator="NumericGreaterThan"),
    "aws:RequestedRegion": Example("us-east-1"),
    "aws:SecureTransport": Example("true"),
    "aws:UserAgent": Example("*oto*", operator="StringLike"),
    "aws:SourceIp": given("aws:SourceIp", "203.0.113.7"),
    "aws:VpcSourceIp": given("aws:VpcSourceIp", "10.0.0.7"),
    "aws:Ec2InstanceSourcePrivateIPv4": given("aws:Ec2InstanceSourcePrivateIPv4", "10.0.0.8"),
    "aws:SourceVpc": given("aws:SourceVpc", "vpc-1"),
    "aws:SourceVpce": given("aws:SourceVpce", "vpce-1"),
    "aws:Ec2InstanceSourceVpc": given("aws:Ec2InstanceSourceVpc", "vpc-2"),
    "aws:referer": given("aws:referer", "https://example.com"),
    "aws:MultiFactorAuthAge": given("aws:MultiFactorAuthAge", "100"),
    "aws:FederatedProvider": given("aws:FederatedProvider", "accounts.google.com"),
    "aws:SourceIdentity": given("aws:SourceIdentity", "ann"),
    "aws:PrincipalArn": Example(f"arn:aws:iam::{ACCOUNT}:role/App"),
    "aws:PrincipalAccount": Example(ACCOUNT),
    "aws:PrincipalType": Example("AssumedRole"),
    "aws:PrincipalIsAWSService": Example("false"),
    "aws:PrincipalServiceName": Example(SERVICE, who="service"),
    "aws:PrincipalServiceNamesList": Example(SERVICE, who="service"),
    "aws:PrincipalTag/": Example("red", name="aws:PrincipalTag/team"),
    "aws:PrincipalOrgID": Example(ORGANIZATION),
    "aws:PrincipalOrgPaths": Example(PATH),
    "aws:userid": Example("AROA*:session", operator="StringLike"),
    "aws:username": Example("ann", who="user"),
    "aws:TokenIssueTime": Example(LONG_AGO, operator="DateGreaterThan"),
    "aws:MultiFactorAuthPresent": Example("false"),
    "kms:CallerAccount": Example(ACCOUNT),
    "kms:ViaService": Example("s3.us-east-1.amazonaws.com", who="s3 for the role"),
    "aws:ViaAWSService": Example("false"),
    "aws:CalledVia": Example("dynamodb.amazonaws.com", who="dynamodb for the role"),
    "aws:CalledViaFirst": Example("dynamodb.amazonaws.com", who="dynamodb for the role"),
    "aws:CalledViaLast": Example("dynamodb.amazonaws.com", who="dynamodb for the role"),
    "aws:SourceArn": Example(TOPIC, who="service for a topic"),
    "aws:SourceAccount": Example(ACCOUNT, who="service for a topic"),
    "aws:SourceOrgID": Example(ORGANIZATION, who="service for a topic"),
    "aws:SourceOrgPaths": Example(PATH, who="service for a topic"),
    "kms:KeySpec": Example("SYMMETRIC_DEFAULT"),
    "kms:CustomerMasterKeySpec": Example("SYMMETRIC_DEFAULT"),
    "kms:KeyUsage": Example("ENCRYPT_DECRYPT"),
    "kms:CustomerMasterKeyUsage": Example("ENCRYPT_DECRYPT"),
    "kms:KeyOrigin": Example("AWS_KMS"),
    "kms:MultiRegion": Example("true"),
    "kms:MultiRegionKeyType": Example("PRIMARY"),
    "kms:ResourceAliases": Example(ALIAS),
    "aws:ResourceTag/": Example("test", name="aws:ResourceTag/stage"),
    "aws:ResourceAccount": Example(ACCOUNT),
    "aws:ResourceOrgID": Example(ORGANIZATION),
    "aws:ResourceOrgPaths": Example(PATH),
    "kms:TrailingDaysWithoutKeyUsage": Example("0", action="DisableKey", parameters=of_key()),
    "kms:RequestAlias": Example(ALIAS, action="DescribeKey", parameters=lambda _: {"KeyId": ALIAS}),
    "kms:EncryptionContext:": Example("a", name="kms:EncryptionContext:tenant"),
    "kms:EncryptionContextKeys": Example("tenant"),
    "kms:GrantConstraintType": Example(
        "EncryptionContextSubset", action="CreateGrant", parameters=grant()
    ),
    "kms:GrantConstraintSourceArn": Example(TOPIC, action="CreateGrant", parameters=grant()),
    "kms:GrantIsForAWSResource": Example("false", action="ListGrants", parameters=of_key()),
    "kms:GranteePrincipal": Example(
        f"arn:aws:iam::{ACCOUNT}:user/ann", action="CreateGrant", parameters=grant()
    ),
    "kms:RetiringPrincipal": Example(
        f"arn:aws:iam::{ACCOUNT}:user/ann", action="CreateGrant", parameters=grant()
    ),
    "kms:GranteeServicePrincipal": Example(
        SERVICE, action="CreateGrant", parameters=grant_to_service
    ),
    "kms:RetiringServicePrincipal": Example(
        SERVICE, action="CreateGrant", parameters=grant_to_service
    ),
    "kms:GrantOperations": Example("Decrypt", action="CreateGrant", parameters=grant()),
    "kms:EncryptionAlgorithm": Example("SYMMETRIC_DEFAULT"),
    "kms:DataKeyPairSpec": Example(
        "ECC_NIST_P256",
        action="GenerateDataKeyPair",
        parameters=of_key(KeyPairSpec="ECC_NIST_P256"),
    ),
    "kms:SigningAlgorithm": Example("ECDSA_SHA_256", action="Sign", parameters=SIGN),
    "kms:MessageType": Example("RAW", action="Sign", parameters=SIGN),
    "kms:MacAlgorithm": Example(
        "HMAC_SHA_256",
        action="GenerateMac",
        parameters=of_key(Message=b"text", MacAlgorithm="HMAC_SHA_256"),
    ),
    "kms:KeyAgreementAlgorithm": Example(
        "ECDH",
        action="DeriveSharedSecret",
        parameters=of_key(KeyAgreementAlgorithm="ECDH", PublicKey=PUBLIC_KEY),
    ),
    "kms:ReEncryptOnSameKey": Example(
        "true", action="ReEncryptFrom", operation="ReEncrypt", parameters=re_encrypt
    ),
    "kms:RecipientAttestation:": Example(
        MEASUREMENT.hex(),
        name="kms:RecipientAttestation:PCR0",
        action="GenerateDataKey",
        parameters=for_enclave,
    ),
    "kms:BypassPolicyLockoutSafetyCheck": Example(
        "true",
        action="PutKeyPolicy",
        parameters=of_key(
            Policy=policy(allow("kms:*", **to(ACCOUNT))), BypassPolicyLockoutSafetyCheck=True
        ),
    ),
    "kms:PolicyName": Example("default", action="GetKeyPolicy", parameters=of_key()),
    "kms:RotationPeriodInDays": Example("365", action="EnableKeyRotation", parameters=of_key()),
    "kms:ScheduleKeyDeletionPendingWindowInDays": Example(
        "30", action="ScheduleKeyDeletion", parameters=of_key()
    ),
    "kms:WrappingAlgorithm": Example(
        "RSAES_OAEP_SHA_256", action="GetParametersForImport", parameters=WRAPPING
    ),
    "kms:WrappingKeySpec": Example(
        "RSA_4096", action="GetParametersForImport", parameters=WRAPPING
    ),
    "kms:ExpirationModel": Example(
        "KEY_MATERIAL_EXPIRES", action="ImportKeyMaterial", parameters=MATERIAL
    ),
    "kms:ValidTo": Example("2030-01-01", action="ImportKeyMaterial", parameters=MATERIAL),
    "kms:ReplicaRegion": Example(
        "eu-west-1", action="ReplicateKey", parameters=of_key(ReplicaRegion="eu-west-1")
    ),
    "kms:PrimaryRegion": Example(
        "eu-west-1", action="UpdatePrimaryRegion", parameters=of_key(PrimaryRegion="eu-west-1")
    ),
    "aws:RequestTag/": Example(
        "live", name="aws:RequestTag/stage", action="TagResource", parameters=TAGGED
    ),
    "aws:TagKeys": Example("stage", action="TagResource", parameters=TAGGED),
}


# --- what decides -------------------------------------------------------------------------------


class Asked(NamedTuple):
    """One question to all that decide. condition: of the one statement that allows the action."""

    world: World
    example: Example
    condition: dict[str, Any]
    folder: Path

    @property
    def action(self) -> str:
        return f"kms:{self.example.action}"

    @property
    def is_of_service(self) -> bool:
        return self.example.who.startswith("service")

    def allow(self, action: str) -> str:
        """Give the identity policy: the action under the condition, and all others without."""
        others = {"Effect": "Allow", "NotAction": action, "Resource": "*"}
        return policy(allow(action, Condition=self.condition), others)

    def allow_service(self) -> str:
        """Give the key policy, which alone can let a service in."""
        statement = allow(self.action, Condition=self.condition)
        to_service = {**statement, "Principal": {"Service": SERVICE}}
        return policy(allow("kms:*", **to(f"arn:aws:iam::{ACCOUNT}:root")), to_service)

    def put(self) -> None:
        if self.is_of_service:
            document = self.allow_service()
            self.world.client.put_key_policy(KeyId=self.world.key, Policy=document)
        else:
            self.world.principal(self.example.who).set_policies(self.allow(self.action))


def call(asked: Asked) -> bool:
    """Call KMS; what it refuses for other reasons was allowed."""
    example, world = asked.example, asked.world
    asked.put()
    client = world.principal(example.who).client()
    operation = getattr(client, xform_name(example.operation or example.action))
    parameters = example.parameters(world)
    with world.kms.request_context(example.given):
        try:
            operation(**parameters)
        except ClientError as error:
            return error.response["Error"]["Code"] != "AccessDeniedException"
    return True


def explain(asked: Asked) -> bool:
    """Ask `kms.explain` about the same call."""
    example, world = asked.example, asked.world
    asked.put()
    parameters = example.parameters(world)
    key = parameters.get("KeyId", world.key)
    with world.kms.request_context(example.given):
        principal = world.principal(example.who)
        return bool(world.kms.explain(principal, asked.action, key, parameters=parameters))


def simulate(asked: Asked) -> bool | None:
    """Ask IAM's policy simulator about the user or role behind the call."""
    if asked.is_of_service:
        return None
    asked.put()
    entries = [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in asked.example.given.items()
    ]
    answer = asked.world.kms.client("iam").simulate_principal_policy(
        PolicySourceArn=asked.world.principal(asked.example.who).arn,
        ActionNames=[asked.action],
        ResourceArns=[asked.world.key],
        ContextEntries=entries,
    )
    return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")


def simulate_custom(asked: Asked) -> bool | None:
    """Ask IAM's policy simulator about policies that nobody has."""
    if asked.is_of_service:
        return None
    entries = [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in asked.example.given.items()
    ]
    answer = asked.world.kms.client("iam").simulate_custom_policy(
        PolicyInputList=[asked.allow(asked.action)],
        ActionNames=[asked.action],
        ResourceArns=[asked.world.key],
        ContextEntries=entries,
    )
    return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")


def explain_files(asked: Asked) -> bool:
    """Ask the command ``kmsmock explain``."""
    example = asked.example
    request = {
        "principal": asked.world.principal(example.who).arn,
        "action": asked.action,
        "resource": asked.world.key,
        "encryptionContext": example.parameters(asked.world).get("EncryptionContext", {}),
        "context": dict(example.given),
    }
    texts = {"request": json.dumps(request), "identity": asked.allow(asked.action)}
    texts["key"] = asked.allow_service()
    for name, text in texts.items():
        (asked.folder / name).write_text(text)
    decision, _ = decide(
        str(asked.folder / "request"),
        key_policy=str(asked.folder / "key") if asked.is_of_service else None,
        identity_policies=[] if asked.is_of_service else [str(asked.folder / "identity")],
        boundary=None,
        session_policy=None,
        grants=None,
    )
    return decision.allowed


def call_service(asked: Asked) -> bool | None:
    """Call IAM, with tags where the call of KMS has some."""
    example, world = asked.example, asked.world
    if asked.is_of_service:
        return None
    tags = [
        {"Key": tag["TagKey"], "Value": tag["TagValue"]}
        for tag in example.parameters(world).get("Tags", ())
    ]
    action = "iam:TagRole" if tags else "iam:ListUsers"
    principal = world.principal(example.who)
    principal.set_policies(asked.allow(action))
    iam = principal.client("iam")
    with world.kms.request_context(example.given):
        try:
            if tags:
                iam.tag_role(RoleName="App", Tags=tags)
            else:
                iam.list_users()
        except ClientError as error:
            return error.response["Error"]["Code"] != "AccessDenied"
    return True


def least_privilege(asked: Asked) -> bool | None:
    """Ask which conditions the smallest policies for the same call have."""
    example, world = asked.example, asked.world
    if asked.is_of_service:
        return None
    principal = world.principal(example.who)
    principal.set_policies(policy(allow("kms:*")))
    with world.kms.request_context(example.given), contextlib.suppress(ClientError):
        client = principal.client()
        operation = getattr(client, xform_name(example.operation or example.action))
        operation(**example.parameters(world))
    statements = world.kms.least_privilege(principal).identity["Statement"]
    conditions = [s.get("Condition", {}).get("StringEquals", {}) for s in statements]
    required = {key: value for condition in conditions for key, value in condition.items()}
    ((operator, wanted),) = asked.condition.items()
    ((key, value),) = wanted.items()
    return key not in required if operator == "Null" else required.get(key) == value


# --- what cannot be known -----------------------------------------------------------------------


def unknown(reason: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, reason)


ATTRIBUTES = (
    *("kms:KeySpec", "kms:CustomerMasterKeySpec", "kms:KeyUsage", "kms:CustomerMasterKeyUsage"),
    *("kms:KeyOrigin", "kms:MultiRegion", "kms:MultiRegionKeyType", "kms:ResourceAliases"),
    *("aws:ResourceTag/", "kms:TrailingDaysWithoutKeyUsage"),
)
PARAMETERS = (
    *("kms:RequestAlias", "kms:GrantConstraintType", "kms:GrantConstraintSourceArn"),
    *("kms:GranteePrincipal", "kms:GranteeServicePrincipal", "kms:GrantOperations"),
    *("kms:RetiringPrincipal", "kms:RetiringServicePrincipal", "kms:DataKeyPairSpec"),
    *("kms:SigningAlgorithm", "kms:MacAlgorithm", "kms:KeyAgreementAlgorithm"),
    *("kms:ReEncryptOnSameKey", "kms:RecipientAttestation:", "kms:WrappingAlgorithm"),
    *("kms:BypassPolicyLockoutSafetyCheck", "kms:WrappingKeySpec", "kms:ExpirationModel"),
    *("kms:ValidTo", "kms:ReplicaRegion", "kms:PrimaryRegion", "aws:RequestTag/", "aws:TagKeys"),
)
DEFAULTS = (
    *("kms:EncryptionAlgorithm", "kms:MessageType", "kms:PolicyName", "kms:RotationPeriodInDays"),
    "kms:ScheduleKeyDeletionPendingWindowInDays",
)
FROM_SERVICES = (
    *("aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:SourceArn"),
    *("aws:SourceAccount", "aws:SourceOrgID", "aws:SourceOrgPaths"),
)
VIA = ("kms:ViaService", "aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast")
CALLER = (
    *("aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:PrincipalIsAWSService"),
    *("aws:PrincipalTag/", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:userid"),
    *("aws:username", "aws:TokenIssueTime", "aws:MultiFactorAuthPresent", "kms:CallerAccount"),
    *("aws:ViaAWSService", "kms:GrantIsForAWSResource"),
)
REQUIRED = ("kms:EncryptionContext:", "kms:ViaService")
OF_OWNER = ("aws:ResourceOrgID", "aws:ResourceOrgPaths")

#: What decides -> condition key -> why it cannot know it by itself.
NOT_KNOWN: dict[Callable[[Asked], bool | None], dict[str, str]] = {
    call: {},
    explain: unknown("there is no client", "aws:UserAgent"),
    simulate: {
        **unknown("there is no client", "aws:UserAgent"),
        **unknown("it looks at no resource, but its ARN", *ATTRIBUTES),
        **unknown("it knows no parameters", *PARAMETERS, *DEFAULTS),
        **unknown("it knows no parameters", "kms:EncryptionContext:", "kms:EncryptionContextKeys"),
        **unknown("it is about users and roles", *FROM_SERVICES, *VIA),
    },
    simulate_custom: {
        **unknown("there is no client", "aws:UserAgent"),
        **unknown("it looks at no resource, but its ARN", *ATTRIBUTES),
        **unknown("it knows no parameters", *PARAMETERS, *DEFAULTS),
        **unknown("it knows no parameters", "kms:EncryptionContext:", "kms:EncryptionContextKeys"),
        **unknown("nobody makes the request", *CALLER, *FROM_SERVICES, *VIA),
    },
    explain_files: {
        **unknown("there is no client", "aws:UserAgent"),
        **unknown("a file names the key by its ARN", *ATTRIBUTES),
        **unknown("a file has no parameters but what has a default", *PARAMETERS),
        **unknown("a file names the principal by its ARN", "aws:PrincipalTag/", "aws:userid"),
        **unknown("a file names the principal by its ARN", "aws:TokenIssueTime"),
        **unknown("files tell of no organizations", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths"),
        **unknown("files tell of no organizations", *OF_OWNER),
        **unknown("a file says it in its context", *VIA),
        **unknown("a file says it in its context", *FROM_SERVICES[2:]),
    },
    call_service: {
        **unknown("what clients send is not kept for other services", "aws:UserAgent"),
        **unknown("it is about no key", *ATTRIBUTES, "aws:ResourceAccount", *OF_OWNER),
        **unknown("it is about no key", "kms:CallerAccount"),
        **unknown("services do not call it", *FROM_SERVICES),
    },
    least_privilege: unknown(
        "its policies require no more",
        *(key.name for key in CONDITION_KEYS.values() if key.name not in REQUIRED),
    ),
}
OPERATORS = {
    ValueType.STRING: "StringEquals",
    ValueType.BOOL: "Bool",
    ValueType.NUMERIC: "NumericEquals",
    ValueType.DATE: "DateEquals",
    ValueType.ARN: "ArnEquals",
    ValueType.IP_ADDRESS: "IpAddress",
}


@pytest.fixture
def world() -> Iterator[World]:
    with mock_kms(isolated=True) as kms:
        yield World(kms)


@pytest.mark.parametrize("name", [key.name for key in CONDITION_KEYS.values()])
def test_all_that_decides_has_a_condition_key_or_cannot_know_it(
    world: World, tmp_path: Path, name: str
) -> None:
    declared, example = CONDITION_KEYS[name.lower()], EXAMPLES[name]
    prefix = "ForAnyValue:" if declared.is_multivalued else ""
    operator = example.operator or prefix + OPERATORS[declared.type]
    key = example.name or name
    present = {operator: {key: example.value}}
    absent = {"Null": {key: "true"}}

    has = {decides.__name__: name not in NOT_KNOWN[decides] for decides in NOT_KNOWN}
    if not declared.is_of("iam:ListUsers"):
        has["call_service"] = False  # the requests of KMS have it, and not of all actions
    answers = {
        decides.__name__: (
            decides(Asked(world, example, present, tmp_path)),
            decides(Asked(world, example, absent, tmp_path)),
        )
        for decides in NOT_KNOWN
    }

    assert {who: answer[0] is True for who, answer in answers.items()} == has
    assert {who: answer[1] is False for who, answer in answers.items()} == has


def test_there_is_an_example_of_each_condition_key_and_of_no_other() -> None:
    assert EXAMPLES.keys() == {key.name for key in CONDITION_KEYS.values()}
    for reasons in NOT_KNOWN.values():
        assert reasons.keys() <= EXAMPLES.keys()


def test_a_new_condition_key_is_one_declaration(world: World, tmp_path: Path) -> None:
    declare("kms:Limit", parameter("Limit", 50), only("ListGrants"), ValueType.NUMERIC)
    try:
        example = Example("7", action="ListGrants", parameters=of_key(Limit=7))
        asked = Asked(world, example, {"NumericEquals": {"kms:Limit": "7"}}, tmp_path)
        other = asked._replace(condition={"NumericEquals": {"kms:Limit": "8"}})
        assert [call(asked), explain(asked)] == [True, True]
        assert [call(other), explain(other)] == [False, False]
        default = other._replace(condition={"NumericEquals": {"kms:Limit": "50"}})
        assert explain_files(default)
    finally:
        remove("kms:Limit")
