"""The key policies of AWS managed keys: the statements, and policies of no common form in full.

Account, Region and partition are left open: `in_place` puts them into a policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kmsmock.aws.arns import partition_of, root_arn
from kmsmock.keys.policies import pretty

#: A statement, a principal, or conditions: JSON objects.
Element = dict[str, Any]
Policy = tuple[Element, ...]

_ENCRYPTION = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*")
#: What services do with a key: without grants, with them, and with looking for them.
USE = (*_ENCRYPTION, "kms:DescribeKey")
USE_BY_GRANT = (*_ENCRYPTION, "kms:CreateGrant", "kms:DescribeKey")
USE_BY_LISTED_GRANT = (*_ENCRYPTION, "kms:CreateGrant", "kms:ListGrants", "kms:DescribeKey")
READ = ("kms:Describe*", "kms:Get*", "kms:List*")

ACCOUNT, REGION = "<account>", "<region>"
_PARTITION = "<partition>"
ANYBODY: Element = {"AWS": "*"}
OWN_ACCOUNT: Element = {"kms:CallerAccount": ACCOUNT}

#: Services whose policies name the service before the account.
_SERVICE_FIRST = frozenset(
    {
        *("dax", "ec2", "ecr", "glue", "mq", "rds", "redshift", "redshift-serverless"),
        *("secretsmanager", "sqs", "ssm", "timestream", "translate", "workspaces", "xray"),
    }
)


def in_place(policy_id: str, statements: Sequence[Element], account: str, region: str) -> str:
    """Give a key policy for an account and Region, as KMS prints it."""
    document = {"Version": "2012-10-17", "Id": policy_id, "Statement": list(statements)}
    text = pretty(document).replace(ACCOUNT, account).replace(REGION, region)
    return text.replace(_PARTITION, partition_of(region))


def statement(
    effect: str,
    sid: str,
    principal: Element,
    actions: Sequence[str],
    conditions: Element | None = None,
) -> Element:
    """Give a statement; a single action is not in a list, as KMS has it."""
    members: Element = {
        "Sid": sid,
        "Effect": effect,
        "Principal": principal,
        "Action": list(actions) if len(actions) > 1 else actions[0],
        "Resource": "*",
    }
    return members if conditions is None else {**members, "Condition": conditions}


def allow(
    sid: str, principal: Element, actions: Sequence[str], conditions: Element | None = None
) -> Element:
    """Give a statement that allows."""
    return statement("Allow", sid, principal, actions, conditions)


def deny(sid: str, actions: Sequence[str], conditions: Element) -> Element:
    """Give a statement that denies actions to everybody."""
    return statement("Deny", sid, ANYBODY, actions, conditions)


def via(service: str) -> str:
    """Give the ``kms:ViaService`` value of a service, in the Region of the key."""
    return f"{service}.{REGION}.amazonaws.com"


def through(sid: str, services: Sequence[str], actions: Sequence[str]) -> Element:
    """Let everybody in the account use the key through services: no IAM permission is needed."""
    values = [via(service) for service in services]
    by_service = {"kms:ViaService": values if len(values) > 1 else values[0]}
    is_first = services[0] in _SERVICE_FIRST
    equals = {**by_service, **OWN_ACCOUNT} if is_first else {**OWN_ACCOUNT, **by_service}
    return allow(sid, ANYBODY, actions, {"StringEquals": equals})


def through_any_region(sid: str, service: str, actions: Sequence[str]) -> Element:
    """Let everybody in the account use the key through a service of whichever Region."""
    like = {"kms:ViaService": f"{service}.*.amazonaws.com"}
    return allow(sid, ANYBODY, actions, {"StringEquals": OWN_ACCOUNT, "StringLike": like})


def sid_of(words: str, authorized: str | None = None, access: str = "through") -> str:
    """Give the Sid of access through a service. authorized: its words at the end, if others."""
    return (
        f"Allow access {access} {words} for all principals in the account that are authorized to "
        f"use {authorized or words}"
    )


def metadata(actions: Sequence[str]) -> Element:
    """Leave it to the account who may read about the key."""
    root = {"AWS": root_arn(_PARTITION, ACCOUNT)}
    return allow("Allow direct access to key metadata to the account", root, actions)


def metadata_beside(actions: Sequence[str]) -> Element:
    """Give `metadata` for a key of which services use it by these actions.

    Where they make grants, the account may revoke them.
    """
    return metadata((*READ, "kms:RevokeGrant") if "kms:CreateGrant" in actions else READ)


def described(sid: str, service: str) -> Element:
    """Let a service read about the key in its own name."""
    return allow(sid, {"Service": f"{service}.amazonaws.com"}, READ)


# --- policies of other forms ----------------------------------------------------------------


def _acm_granting(sid: str, operations: str | list[str]) -> Element:
    conditions = {
        "StringEquals": {**OWN_ACCOUNT, "kms:ViaService": via("acm")},
        "ForAllValues:StringEquals": {"kms:GrantOperations": operations},
        "Bool": {"kms:GrantIsForAWSResource": "true"},
    }
    return allow(sid, ANYBODY, ["kms:CreateGrant"], conditions)


ACM: Policy = (
    _acm_granting("Allow creation of decryption grants", "Decrypt"),
    _acm_granting(
        "Allow creation of encryption grant", ["Encrypt", "ReEncryptFrom", "ReEncryptTo"]
    ),
    allow(
        "Allowed operations for the key owner",
        ANYBODY,
        ["kms:DescribeKey", "kms:ListGrants", "kms:RevokeGrant", "kms:GetKeyPolicy"],
        {"StringEquals": OWN_ACCOUNT},
    ),
    deny(
        "Deny re-encryption to any other key",
        ["kms:ReEncrypt*"],
        {"Bool": {"kms:ReEncryptOnSameKey": "false"}},
    ),
    through("Allow decrypt", ["acm"], ["kms:Decrypt"]),
)

APPFLOW: Policy = (
    through(sid_of("Amazon AppFlow"), ["appflow"], USE_BY_GRANT),
    metadata_beside(USE_BY_GRANT),
    described(
        "Allow AppFlow Service with service principal name appflow.amazonaws.com to describe the "
        "key directly",
        "appflow",
    ),
    through(sid_of("S3"), ["s3"], ["kms:Decrypt"]),
    allow(
        sid_of("SecretManager"),
        ANYBODY,
        USE_BY_GRANT,
        {"StringEquals": {**OWN_ACCOUNT, "kms:ViaService": via("secretsmanager")}},
    ),
)

_BACKUP_USE = ("kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey*")
BACKUP: Policy = (
    through(sid_of("Backup", "Backup Storage"), ["backup"], _BACKUP_USE),
    metadata_beside(_BACKUP_USE),
)

_ENCRYPTING = ("kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
CONNECT: Policy = (
    through(sid_of("Connect"), ["connect"], ["kms:CreateGrant", *READ]),
    described("Allow Connect to directly describe the key", "connect"),
    metadata_beside(USE_BY_GRANT),
    deny("Restrict direct usage", _ENCRYPTING, {"Null": {"kms:ViaService": "true"}}),
    deny(
        "Restrict usage to Connect data",
        _ENCRYPTING,
        {"Null": {"kms:EncryptionContext:aws:connect:OrganizationId": "true"}},
    ),
    through(sid_of("S3"), ["s3"], ["kms:Decrypt"]),
    through(sid_of("KVS"), ["kinesisvideo"], ["kms:Decrypt"]),
)

DYNAMODB: Policy = (
    through_any_region(sid_of("Amazon DynamoDB"), "dynamodb", USE_BY_GRANT),
    metadata_beside(USE_BY_GRANT),
    described("Allow DynamoDB to directly describe the key", "dynamodb"),
)

ELASTIC_FILE_SYSTEM: Policy = (
    through(sid_of("EFS", access="to"), ["elasticfilesystem"], USE_BY_GRANT),
    metadata_beside(USE_BY_GRANT),
)

LAMBDA: Policy = (
    through(sid_of("AWS Lambda"), ["lambda"], USE_BY_GRANT),
    metadata_beside(USE_BY_GRANT),
)

_MQ_USE = (
    *("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"),
    *("kms:Encrypt", "kms:ReEncrypt*"),
)
MQ: Policy = (
    through(sid_of("Amazon MQ", access="to"), ["mq", "elasticfilesystem"], _MQ_USE),
    metadata_beside(_MQ_USE),
)

REDSHIFT: Policy = (
    through(sid_of("RedShift"), ["redshift"], USE_BY_GRANT),
    through(sid_of("RedShift-Serverless"), ["redshift-serverless"], USE_BY_GRANT),
    metadata_beside(USE_BY_GRANT),
)

SECRETS_MANAGER: Policy = (
    through(
        sid_of("AWS Secrets Manager"),
        ["secretsmanager"],
        ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:CreateGrant", "kms:DescribeKey"],
    ),
    through_any_region(sid_of("AWS Secrets Manager"), "secretsmanager", ["kms:GenerateDataKey*"]),
    metadata_beside(USE_BY_GRANT),
)

_SES_SERVICE = {"Service": via("ses")}
SES: Policy = (
    allow(
        "Allow SES to encrypt messages belonging to this account",
        _SES_SERVICE,
        ["kms:Encrypt", "kms:GenerateDataKey*"],
        {
            "StringEquals": {"kms:EncryptionContext:aws:ses:source-account": ACCOUNT},
            "Null": {
                "kms:EncryptionContext:aws:ses:message-id": "false",
                "kms:EncryptionContext:aws:ses:rule-name": "false",
            },
        },
    ),
    allow("Allow SES to describe this key", _SES_SERVICE, ["kms:DescribeKey"]),
    {
        **metadata([*READ, "kms:Decrypt", "kms:ReEncryptFrom"]),
        "Sid": "Allow direct access to key metadata & decryption to the account",
    },
)

_SNS_USE = (
    *("kms:Decrypt", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:ListGrants"),
    "kms:DescribeKey",
)
SNS: Policy = (
    through(sid_of("SNS"), ["sns"], _SNS_USE),
    metadata_beside(_SNS_USE),
    allow(
        "Allow SNS to decrypt archived messages",
        {"Service": "sns.amazonaws.com"},
        ["kms:Decrypt"],
        {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:*:sns:{REGION}:{ACCOUNT}:*"},
        },
    ),
)

SQS: Policy = (
    through(sid_of("Simple Queue Service (SQS)", "SQS"), ["sqs"], USE_BY_GRANT),
    metadata_beside(USE_BY_GRANT),
)

WORKSPACES: Policy = (
    through(sid_of("Workspaces"), ["workspaces"], USE_BY_LISTED_GRANT),
    metadata(["kms:Describe*", "kms:RevokeGrant", "kms:List*", "kms:Get*"]),
)
