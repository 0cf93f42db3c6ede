"""The key policies of AWS managed keys: common statements, and the policies that differ from them.

Statements have placeholders for account, Region and partition; `render_policy` replaces them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kmsmock.aws.arns import root_arn
from kmsmock.aws.regions import partition_of
from kmsmock.keys.policies import pretty

#: A JSON object: a statement, a principal, or conditions.
Element = dict[str, Any]
Policy = tuple[Element, ...]

_ENCRYPTION = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*")
#: The actions of services: without grants, with CreateGrant, and with CreateGrant and ListGrants.
USE = (*_ENCRYPTION, "kms:DescribeKey")
USE_BY_GRANT = (*_ENCRYPTION, "kms:CreateGrant", "kms:DescribeKey")
USE_BY_LISTED_GRANT = (*_ENCRYPTION, "kms:CreateGrant", "kms:ListGrants", "kms:DescribeKey")
READ = ("kms:Describe*", "kms:Get*", "kms:List*")

ACCOUNT, REGION = "<account>", "<region>"
_PARTITION = "<partition>"
ANYBODY: Element = {"AWS": "*"}
OWN_ACCOUNT: Element = {"kms:CallerAccount": ACCOUNT}

#: Services in whose policies ``kms:ViaService`` comes before ``kms:CallerAccount``.
_SERVICE_FIRST = frozenset(
    {
        *("dax", "ec2", "ecr", "glue", "mq", "rds", "redshift", "redshift-serverless"),
        *("secretsmanager", "sqs", "ssm", "timestream", "translate", "workspaces", "xray"),
    }
)


def render_policy(policy_id: str, statements: Sequence[Element], account: str, region: str) -> str:
    """Return a key policy for an account and Region as JSON text, formatted as KMS formats it."""
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
    """Return a statement; like KMS, write a single action as text and several as a list."""
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
    """Return a statement with effect Allow."""
    return statement("Allow", sid, principal, actions, conditions)


def deny(sid: str, actions: Sequence[str], conditions: Element) -> Element:
    """Return a statement that denies actions to all principals."""
    return statement("Deny", sid, ANYBODY, actions, conditions)


def via_service(service: str) -> str:
    """Return the ``kms:ViaService`` value of a service in the Region of the key."""
    return f"{service}.{REGION}.amazonaws.com"


def allow_via_service(sid: str, services: Sequence[str], actions: Sequence[str]) -> Element:
    """Allow all principals of the account to use the key through services.

    They need no identity policy for that, as on AWS.
    """
    values = [via_service(service) for service in services]
    by_service = {"kms:ViaService": values if len(values) > 1 else values[0]}
    is_first = services[0] in _SERVICE_FIRST
    equals = {**by_service, **OWN_ACCOUNT} if is_first else {**OWN_ACCOUNT, **by_service}
    return allow(sid, ANYBODY, actions, {"StringEquals": equals})


def allow_via_service_in_any_region(sid: str, service: str, actions: Sequence[str]) -> Element:
    """Allow all principals of the account to use the key through a service in any Region."""
    like = {"kms:ViaService": f"{service}.*.amazonaws.com"}
    return allow(sid, ANYBODY, actions, {"StringEquals": OWN_ACCOUNT, "StringLike": like})


def via_service_sid(
    service_text: str, authorized: str | None = None, access: str = "through"
) -> str:
    """Return the Sid of a statement that allows use through a service.

    service_text: the name of the service. authorized: its name at the end of the Sid, if another.
    """
    return (
        f"Allow access {access} {service_text} for all principals in the account that are "
        f"authorized to use {authorized or service_text}"
    )


def allow_account_access(actions: Sequence[str]) -> Element:
    """Allow the account actions on the key itself, so that identity policies decide."""
    root = {"AWS": root_arn(_PARTITION, ACCOUNT)}
    return allow("Allow direct access to key metadata to the account", root, actions)


def allow_metadata_access(actions: Sequence[str]) -> Element:
    """Allow the account to describe a key that services use with these actions.

    Where services create grants, the account may also revoke grants.
    """
    return allow_account_access(
        (*READ, "kms:RevokeGrant") if "kms:CreateGrant" in actions else READ
    )


def allow_service_to_describe(sid: str, service: str) -> Element:
    """Allow a service principal to describe the key."""
    return allow(sid, {"Service": f"{service}.amazonaws.com"}, READ)


# --- policies with other statements -----------------------------------------------------------


def _acm_granting(sid: str, operations: str | list[str]) -> Element:
    conditions = {
        "StringEquals": {**OWN_ACCOUNT, "kms:ViaService": via_service("acm")},
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
    allow_via_service("Allow decrypt", ["acm"], ["kms:Decrypt"]),
)

APPFLOW: Policy = (
    allow_via_service(via_service_sid("Amazon AppFlow"), ["appflow"], USE_BY_GRANT),
    allow_metadata_access(USE_BY_GRANT),
    allow_service_to_describe(
        "Allow AppFlow Service with service principal name appflow.amazonaws.com to describe the "
        "key directly",
        "appflow",
    ),
    allow_via_service(via_service_sid("S3"), ["s3"], ["kms:Decrypt"]),
    allow(
        via_service_sid("SecretManager"),
        ANYBODY,
        USE_BY_GRANT,
        {"StringEquals": {**OWN_ACCOUNT, "kms:ViaService": via_service("secretsmanager")}},
    ),
)

_BACKUP_USE = ("kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey*")
BACKUP: Policy = (
    allow_via_service(via_service_sid("Backup", "Backup Storage"), ["backup"], _BACKUP_USE),
    allow_metadata_access(_BACKUP_USE),
)

_ENCRYPTING = ("kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
CONNECT: Policy = (
    allow_via_service(via_service_sid("Connect"), ["connect"], ["kms:CreateGrant", *READ]),
    allow_service_to_describe("Allow Connect to directly describe the key", "connect"),
    allow_metadata_access(USE_BY_GRANT),
    deny("Restrict direct usage", _ENCRYPTING, {"Null": {"kms:ViaService": "true"}}),
    deny(
        "Restrict usage to Connect data",
        _ENCRYPTING,
        {"Null": {"kms:EncryptionContext:aws:connect:OrganizationId": "true"}},
    ),
    allow_via_service(via_service_sid("S3"), ["s3"], ["kms:Decrypt"]),
    allow_via_service(via_service_sid("KVS"), ["kinesisvideo"], ["kms:Decrypt"]),
)

DYNAMODB: Policy = (
    allow_via_service_in_any_region(via_service_sid("Amazon DynamoDB"), "dynamodb", USE_BY_GRANT),
    allow_metadata_access(USE_BY_GRANT),
    allow_service_to_describe("Allow DynamoDB to directly describe the key", "dynamodb"),
)

ELASTIC_FILE_SYSTEM: Policy = (
    allow_via_service(via_service_sid("EFS", access="to"), ["elasticfilesystem"], USE_BY_GRANT),
    allow_metadata_access(USE_BY_GRANT),
)

LAMBDA: Policy = (
    allow_via_service(via_service_sid("AWS Lambda"), ["lambda"], USE_BY_GRANT),
    allow_metadata_access(USE_BY_GRANT),
)

_MQ_USE = (
    *("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*"),
    *("kms:Encrypt", "kms:ReEncrypt*"),
)
MQ: Policy = (
    allow_via_service(
        via_service_sid("Amazon MQ", access="to"), ["mq", "elasticfilesystem"], _MQ_USE
    ),
    allow_metadata_access(_MQ_USE),
)

REDSHIFT: Policy = (
    allow_via_service(via_service_sid("RedShift"), ["redshift"], USE_BY_GRANT),
    allow_via_service(
        via_service_sid("RedShift-Serverless"), ["redshift-serverless"], USE_BY_GRANT
    ),
    allow_metadata_access(USE_BY_GRANT),
)

SECRETS_MANAGER: Policy = (
    allow_via_service(
        via_service_sid("AWS Secrets Manager"),
        ["secretsmanager"],
        ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:CreateGrant", "kms:DescribeKey"],
    ),
    allow_via_service_in_any_region(
        via_service_sid("AWS Secrets Manager"), "secretsmanager", ["kms:GenerateDataKey*"]
    ),
    allow_metadata_access(USE_BY_GRANT),
)

_SES_SERVICE = {"Service": via_service("ses")}
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
        **allow_account_access([*READ, "kms:Decrypt", "kms:ReEncryptFrom"]),
        "Sid": "Allow direct access to key metadata & decryption to the account",
    },
)

_SNS_USE = (
    *("kms:Decrypt", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:ListGrants"),
    "kms:DescribeKey",
)
SNS: Policy = (
    allow_via_service(via_service_sid("SNS"), ["sns"], _SNS_USE),
    allow_metadata_access(_SNS_USE),
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
    allow_via_service(via_service_sid("Simple Queue Service (SQS)", "SQS"), ["sqs"], USE_BY_GRANT),
    allow_metadata_access(USE_BY_GRANT),
)

WORKSPACES: Policy = (
    allow_via_service(via_service_sid("Workspaces"), ["workspaces"], USE_BY_LISTED_GRANT),
    allow_account_access(["kms:Describe*", "kms:RevokeGrant", "kms:List*", "kms:Get*"]),
)
