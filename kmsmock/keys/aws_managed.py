"""AWS managed keys: the predefined aliases, with description and key policy of each service.

Source: AWS KMS Developer Guide, "AWS managed keys"; policies as seen in us-east-1 (2025-05).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kmsmock.arns import AWS_ALIAS_PREFIX, partition_of
from kmsmock.keys.policies import pretty

_SYMMETRIC = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*")
_WITHOUT_GRANTS = (*_SYMMETRIC, "kms:DescribeKey")
_WITH_GRANTS = (*_SYMMETRIC, "kms:CreateGrant", "kms:DescribeKey")
_LISTING_GRANTS = (*_SYMMETRIC, "kms:CreateGrant", "kms:ListGrants", "kms:DescribeKey")


@dataclass(frozen=True, slots=True)
class ManagedKey:
    """One kind of AWS managed key.

    protects: the words of the description. principal_words: whose access the policy names.
    service: the first label of the ``kms:ViaService`` value.
    """

    service: str
    protects: str
    policy_id: str
    principal_words: str
    actions: tuple[str, ...] = _WITH_GRANTS

    @property
    def alias(self) -> str:
        """The predefined alias name."""
        return AWS_ALIAS_PREFIX + _ALIAS_OF.get(self.service, self.service)

    @property
    def description(self) -> str:
        """The description that the key carries."""
        return f"Default key that protects my {self.protects} when no other key is defined"

    def policy(self, account: str, region: str) -> str:
        """Give the key policy, as KMS prints it."""
        words = self.principal_words
        metadata_actions = ["kms:Describe*", "kms:Get*", "kms:List*"]
        if "kms:CreateGrant" in self.actions:
            metadata_actions.append("kms:RevokeGrant")
        statements: list[dict[str, Any]] = [
            {
                "Sid": f"Allow access through {words} for all principals in the account that are "
                f"authorized to use {_AUTHORIZED_WORDS.get(words, words)}",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": list(self.actions),
                "Resource": "*",
                "Condition": {
                    "StringEquals": {
                        "kms:CallerAccount": account,
                        "kms:ViaService": f"{self.service}.{region}.amazonaws.com",
                    }
                },
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{partition_of(region)}:iam::{account}:root"},
                "Action": metadata_actions,
                "Resource": "*",
            },
        ]
        return pretty({"Version": "2012-10-17", "Id": self.policy_id, "Statement": statements})


_ALIAS_OF = {"ec2": "ebs"}
_AUTHORIZED_WORDS = {"Simple Queue Service (SQS)": "SQS"}

MANAGED_KEYS: dict[str, ManagedKey] = {
    managed.alias: managed
    for managed in (
        ManagedKey("ec2", "EBS volumes", "auto-ebs-2", "EBS"),
        ManagedKey("rds", "RDS database volumes", "auto-rds-2", "RDS", _LISTING_GRANTS),
        ManagedKey("s3", "S3 objects", "auto-s3-2", "S3", _WITHOUT_GRANTS),
        ManagedKey("ssm", "SSM parameters", "auto-ssm-1", "SSM", _WITHOUT_GRANTS),
        ManagedKey("sqs", "SQS messages", "auto-sqs-1", "Simple Queue Service (SQS)"),
        ManagedKey(
            "sns",
            "SNS data",
            "auto-sns-1",
            "SNS",
            (
                *("kms:Decrypt", "kms:GenerateDataKey*", "kms:CreateGrant"),
                *("kms:ListGrants", "kms:DescribeKey"),
            ),
        ),
        ManagedKey("dynamodb", "DynamoDB data", "auto-dynamodb-3", "Amazon DynamoDB"),
        ManagedKey(
            "secretsmanager",
            "Secrets Manager data",
            "auto-secretsmanager-2",
            "AWS Secrets Manager",
        ),
        ManagedKey("lambda", "Lambda functions", "auto-awslambda", "AWS Lambda"),
        ManagedKey("kinesis", "Kinesis data", "auto-kinesis-1", "Amazon Kinesis", _WITHOUT_GRANTS),
    )
}

#: What a principal of the account may do with an AWS managed key directly.
DIRECT_ACTIONS = ("kms:Describe", "kms:Get", "kms:List", "kms:RevokeGrant")
