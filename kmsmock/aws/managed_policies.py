"""AWS managed policies.

Source: AWS Managed Policy Reference Guide.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from kmsmock.aws.arns import Arn, aws_managed_policy_arn

FULL_ACCESS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
#: The document of RCPFullAWSAccess, which is attached to all that can have such policies.
RESOURCE_FULL_ACCESS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}
#: Path and name -> statements of AWS managed policies; of ReadOnlyAccess those about KMS.
_MANAGED: dict[str, Any] = {
    "AdministratorAccess": FULL_ACCESS["Statement"],
    "PowerUserAccess": [
        {
            "Effect": "Allow",
            "NotAction": ["iam:*", "organizations:*", "account:*"],
            "Resource": "*",
        }
    ],
    "ReadOnlyAccess": [
        {"Effect": "Allow", "Action": ["kms:Describe*", "kms:Get*", "kms:List*"], "Resource": "*"}
    ],
    "AWSKeyManagementServicePowerUser": [
        {
            "Effect": "Allow",
            "Action": [
                *("kms:CreateAlias", "kms:CreateKey", "kms:DeleteAlias", "kms:Describe*"),
                *("kms:GenerateRandom", "kms:Get*", "kms:List*", "kms:TagResource"),
                *("kms:UntagResource", "iam:ListGroups", "iam:ListRoles", "iam:ListUsers"),
            ],
            "Resource": "*",
        }
    ],
    "aws-service-role/AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy": [
        {
            "Sid": "KMSSynchronizeMultiRegionKey",
            "Effect": "Allow",
            "Action": ["kms:SynchronizeMultiRegionKey"],
            "Resource": "*",
        }
    ],
}


@functools.lru_cache(maxsize=64)
def get_managed_policy(arn: str) -> str | None:
    """Return the AWS managed policy with an ARN, as JSON text; None if it is not emulated.

    Cached, since each mock starts with that of its administrator.
    """
    parsed = Arn.parse(arn)
    if parsed is None or arn != aws_managed_policy_arn(parsed.partition, parsed.resource_id):
        return None
    statement = _MANAGED.get(parsed.resource_id)
    if statement is None:
        return None
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def list_managed_policies() -> list[str]:
    """Return the ARNs of the AWS managed policies that are emulated, in the partition ``aws``."""
    return [aws_managed_policy_arn("aws", name) for name in _MANAGED]
