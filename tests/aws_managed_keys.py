"""The policies of AWS managed keys as KMS shows them, in short.

Seen in us-east-1 with GetKeyPolicy (2025-05). A statement is written as its Sid and one line:
effect, principal, actions without ``kms:``, and behind ``if`` the conditions. A stands for the
account, R for the Region; ``root`` is the account.
"""

from __future__ import annotations

from typing import Any

_USE = "Encrypt Decrypt ReEncrypt* GenerateDataKey* DescribeKey"
_GRANT = "Encrypt Decrypt ReEncrypt* GenerateDataKey* CreateGrant DescribeKey"
_LISTED = "Encrypt Decrypt ReEncrypt* GenerateDataKey* CreateGrant ListGrants DescribeKey"
_READ = (
    "Allow direct access to key metadata to the account",
    "Allow root Describe* Get* List*",
)
_READ_AND_REVOKE = (
    "Allow direct access to key metadata to the account",
    "Allow root Describe* Get* List* RevokeGrant",
)
_OWN = "StringEquals CallerAccount=A"


def _through(words: str, via: str, actions: str, authorized: str | None = None) -> tuple[str, str]:
    return (
        f"Allow access through {words} for all principals in the account that are authorized to "
        f"use {authorized or words}",
        f"Allow * {actions} if {_OWN} ViaService={via}.R",
    )


def _describes(sid: str, service: str) -> tuple[str, str]:
    return sid, f"Allow {service}.amazonaws.com Describe* Get* List*"


#: Name -> policy Id, what the description says is protected (None: not seen), statements.
SHOWN: dict[str, tuple[str, str | None, list[tuple[str, str]]]] = {
    "acm": (
        "auto-acm-4",
        "ACM private keys",
        [
            (
                "Allow creation of decryption grants",
                f"Allow * CreateGrant if {_OWN} ViaService=acm.R ForAllValues:StringEquals "
                "GrantOperations=Decrypt Bool GrantIsForAWSResource=true",
            ),
            (
                "Allow creation of encryption grant",
                f"Allow * CreateGrant if {_OWN} ViaService=acm.R ForAllValues:StringEquals "
                "GrantOperations=Encrypt|ReEncryptFrom|ReEncryptTo Bool GrantIsForAWSResource=true",
            ),
            (
                "Allowed operations for the key owner",
                f"Allow * DescribeKey ListGrants RevokeGrant GetKeyPolicy if {_OWN}",
            ),
            (
                "Deny re-encryption to any other key",
                "Deny * ReEncrypt* if Bool ReEncryptOnSameKey=false",
            ),
            ("Allow decrypt", f"Allow * Decrypt if {_OWN} ViaService=acm.R"),
        ],
    ),
    "appflow": (
        "auto-appflow-2",
        None,
        [
            _through("Amazon AppFlow", "appflow", _GRANT),
            _READ_AND_REVOKE,
            _describes(
                "Allow AppFlow Service with service principal name appflow.amazonaws.com to "
                "describe the key directly",
                "appflow",
            ),
            _through("S3", "s3", "Decrypt"),
            _through("SecretManager", "secretsmanager", _GRANT),
        ],
    ),
    "backup": (
        "auto-backup-1",
        "Backup data",
        [
            _through("Backup", "backup", "CreateGrant Decrypt GenerateDataKey*", "Backup Storage"),
            _READ_AND_REVOKE,
        ],
    ),
    "cloud9": ("auto-cloud9-1", None, [_through("Cloud9", "cloud9", _USE), _READ]),
    "codeartifact": (
        "auto-codeartifact-1",
        None,
        [
            _through("Amazon CodeArtifact", "codeartifact", _GRANT),
            _READ_AND_REVOKE,
            _describes(
                "Allow CodeArtifact Service with service principal name "
                "codeartifact.amazonaws.com to describe the key directly",
                "codeartifact",
            ),
        ],
    ),
    "codecommit": (
        "auto-codecommit-2",
        "CodeCommit repositories",
        [_through("CodeCommit", "codecommit", _USE), _READ],
    ),
    "connect": (
        "auto-connect-3",
        None,
        [
            _through("Connect", "connect", "CreateGrant Describe* Get* List*"),
            _describes("Allow Connect to directly describe the key", "connect"),
            _READ_AND_REVOKE,
            (
                "Restrict direct usage",
                "Deny * Encrypt GenerateDataKey* ReEncrypt* if Null ViaService=true",
            ),
            (
                "Restrict usage to Connect data",
                "Deny * Encrypt GenerateDataKey* ReEncrypt* if Null "
                "EncryptionContext:aws:connect:OrganizationId=true",
            ),
            _through("S3", "s3", "Decrypt"),
            _through("KVS", "kinesisvideo", "Decrypt"),
        ],
    ),
    "dax": ("auto-dax-1", None, [_through("DAX", "dax", _LISTED), _READ_AND_REVOKE]),
    "dms": (
        "auto-dms-1",
        "DMS replication instance volumes",
        [_through("DMS", "dms", _LISTED), _READ_AND_REVOKE],
    ),
    "dynamodb": (
        "auto-dynamodb-3",
        "DynamoDB data",
        [
            (
                "Allow access through Amazon DynamoDB for all principals in the account that are "
                "authorized to use Amazon DynamoDB",
                f"Allow * {_GRANT} if {_OWN} StringLike ViaService=dynamodb.*",
            ),
            _READ_AND_REVOKE,
            _describes("Allow DynamoDB to directly describe the key", "dynamodb"),
        ],
    ),
    "ebs": ("auto-ebs-2", "EBS volumes", [_through("EBS", "ec2", _GRANT), _READ_AND_REVOKE]),
    "ecr": (
        "auto-ecr-1",
        "ECR data",
        [_through("Amazon ECR", "ecr", f"{_GRANT} RetireGrant"), _READ_AND_REVOKE],
    ),
    "eks": (
        "auto-eks-1",
        None,
        [
            _through("Amazon EKS", "eks", _GRANT),
            _READ_AND_REVOKE,
            _describes("Allow the EKS Service to describe the key directly", "eks"),
        ],
    ),
    "elasticache": (
        "auto-elasticache-1",
        None,
        [
            _through("ElastiCache Service", "elasticache", _LISTED),
            _READ_AND_REVOKE,
            _describes(
                "Allow ElastiCache service principals to describe the key directly", "elasticache"
            ),
        ],
    ),
    "elasticfilesystem": (
        "auto-elasticfilesystem-1",
        "EFS filesystems",
        [
            (
                "Allow access to EFS for all principals in the account that are authorized to use "
                "EFS",
                f"Allow * {_GRANT} if {_OWN} ViaService=elasticfilesystem.R",
            ),
            _READ_AND_REVOKE,
        ],
    ),
    "es": (
        "auto-es-2",
        "Amazon OpenSearch Service (successor to Amazon Elasticsearch Service) data",
        [
            _through("OpenSearch Service", "es", _GRANT),
            _READ_AND_REVOKE,
            _describes("Allow OpenSearch service principals to describe the key directly", "es"),
        ],
    ),
    "fsx": ("auto-fsx-1", None, [_through("FSx", "fsx", _LISTED), _READ_AND_REVOKE]),
    "glue": ("auto-glue-1", "Glue data", [_through("Glue", "glue", _GRANT), _READ_AND_REVOKE]),
    "imagebuilder": (
        "auto-imagebuilder-1",
        None,
        [
            _through("Amazon EC2 Image Builder", "imagebuilder", _GRANT),
            _READ_AND_REVOKE,
            _describes(
                "Allow the EC2 Image Builder Service to describe the key directly", "imagebuilder"
            ),
        ],
    ),
    "kafka": (
        "auto-kafka-1",
        "Kafka data",
        [_through("Kafka", "kafka", _LISTED), _READ_AND_REVOKE],
    ),
    "kendra": (
        "auto-kendra-1",
        None,
        [
            _through("Amazon Kendra", "kendra", _GRANT),
            _READ_AND_REVOKE,
            _describes("Allow Kendra Service to describe the key directly", "kendra"),
        ],
    ),
    "kinesis": ("auto-kinesis-1", None, [_through("Amazon Kinesis", "kinesis", _USE), _READ]),
    "kinesisvideo": (
        "auto-kinesisvideo-1",
        "kinesis video data",
        [_through("Kinesis Video Streams", "kinesisvideo", _GRANT), _READ_AND_REVOKE],
    ),
    "lambda": (
        "auto-awslambda",
        "Lambda functions",
        [_through("AWS Lambda", "lambda", _GRANT), _READ_AND_REVOKE],
    ),
    "lex": ("auto-lex-1", None, [_through("lex", "lex", _GRANT), _READ_AND_REVOKE]),
    "lightsail": (
        "auto-lightsail-1",
        "Lightsail signing keys",
        [
            _through("Lightsail", "lightsail", _USE),
            _READ,
            _describes(
                "Allow Lightsail with service principal name lightsail.amazonaws.com to describe "
                "the key directly",
                "lightsail",
            ),
        ],
    ),
    "mq": (
        "auto-mq-1",
        None,
        [
            (
                "Allow access to Amazon MQ for all principals in the account that are authorized "
                "to use Amazon MQ",
                "Allow * CreateGrant Decrypt DescribeKey GenerateDataKey* Encrypt ReEncrypt* if "
                f"{_OWN} ViaService=mq.R|elasticfilesystem.R",
            ),
            _READ_AND_REVOKE,
        ],
    ),
    "rds": (
        "auto-rds-2",
        "RDS database volumes",
        [_through("RDS", "rds", _LISTED), _READ_AND_REVOKE],
    ),
    "redshift": (
        "auto-redshift-3",
        None,
        [
            _through("RedShift", "redshift", _GRANT),
            _through("RedShift-Serverless", "redshift-serverless", _GRANT),
            _READ_AND_REVOKE,
        ],
    ),
    "s3": ("auto-s3-2", "S3 objects", [_through("S3", "s3", _USE), _READ]),
    "secretsmanager": (
        "auto-secretsmanager-2",
        "Secrets Manager data",
        [
            _through(
                "AWS Secrets Manager",
                "secretsmanager",
                "Encrypt Decrypt ReEncrypt* CreateGrant DescribeKey",
            ),
            (
                "Allow access through AWS Secrets Manager for all principals in the account that "
                "are authorized to use AWS Secrets Manager",
                f"Allow * GenerateDataKey* if {_OWN} StringLike ViaService=secretsmanager.*",
            ),
            _READ_AND_REVOKE,
        ],
    ),
    "ses": (
        "auto-ses-2",
        None,
        [
            (
                "Allow SES to encrypt messages belonging to this account",
                "Allow ses.R.amazonaws.com Encrypt GenerateDataKey* if StringEquals "
                "EncryptionContext:aws:ses:source-account=A Null "
                "EncryptionContext:aws:ses:message-id=false "
                "EncryptionContext:aws:ses:rule-name=false",
            ),
            ("Allow SES to describe this key", "Allow ses.R.amazonaws.com DescribeKey"),
            (
                "Allow direct access to key metadata & decryption to the account",
                "Allow root Describe* Get* List* Decrypt ReEncryptFrom",
            ),
        ],
    ),
    "sns": (
        "auto-sns-2",
        "SNS data",
        [
            _through("SNS", "sns", "Decrypt GenerateDataKey* CreateGrant ListGrants DescribeKey"),
            _READ_AND_REVOKE,
            (
                "Allow SNS to decrypt archived messages",
                "Allow sns.amazonaws.com Decrypt if StringEquals SourceAccount=A ArnLike "
                "SourceArn=arn:*:sns:R:A:*",
            ),
        ],
    ),
    "sqs": (
        "auto-sqs-1",
        "SQS messages",
        [_through("Simple Queue Service (SQS)", "sqs", _GRANT, "SQS"), _READ_AND_REVOKE],
    ),
    "ssm": ("auto-ssm-1", "SSM parameters", [_through("SSM", "ssm", _USE), _READ]),
    "timestream": (
        "auto-timestream-1",
        None,
        [
            _through("Amazon Timestream", "timestream", _GRANT),
            _READ_AND_REVOKE,
            _describes("Allow the Timestream Service to describe the key directly", "timestream"),
        ],
    ),
    "translate": (
        "auto-translate-1",
        None,
        [
            _through("Amazon Translate", "translate", _GRANT),
            _READ_AND_REVOKE,
            _describes(
                "Allow Translate Service with service principal name translate.amazonaws.com to "
                "describe the key directly",
                "translate",
            ),
        ],
    ),
    "workspaces": (
        "auto-workspaces-1",
        None,
        [
            _through("Workspaces", "workspaces", _LISTED),
            (
                "Allow direct access to key metadata to the account",
                "Allow root Describe* RevokeGrant List* Get*",
            ),
        ],
    ),
    "xray": (
        "auto-xray-1",
        "X-Ray data",
        [
            _through("X-Ray", "xray", _GRANT),
            _READ_AND_REVOKE,
            _describes(
                "Allow X-Ray Service with service principal name xray.amazonaws.com to describe "
                "the key directly",
                "xray",
            ),
        ],
    ),
}


def in_short(statement: dict[str, Any], account: str, region: str, partition: str) -> str:
    """Write a statement in the form of the table above."""
    ((kind, who),) = statement["Principal"].items()
    if who == f"arn:{partition}:iam::{account}:root":
        who = "root"
    assert kind == ("Service" if who.endswith("amazonaws.com") else "AWS")
    assert statement["Resource"] == "*"
    words = [statement["Effect"], who, *_names(statement["Action"])]
    conditions = statement.get("Condition", {})
    for number, (operator, tests) in enumerate(conditions.items()):
        words += ["if"] if number == 0 else []
        words.append(operator)
        for key, value in sorted(tests.items()):
            wanted = "|".join(value) if isinstance(value, list) else value
            name = key.removeprefix("kms:").removeprefix("aws:")
            words.append(f"{name}={wanted.replace('.amazonaws.com', '')}")
    return " ".join(words).replace(account, "A").replace(region, "R")


def _names(actions: str | list[str]) -> list[str]:
    listed = [actions] if isinstance(actions, str) else actions
    assert all(name.startswith("kms:") for name in listed)
    return [name.removeprefix("kms:") for name in listed]
