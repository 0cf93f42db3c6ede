"""IAM policies that AWS manages, by name.

Source: AWS Managed Policy Reference Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FULL_ACCESS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
#: Name -> statements of policies that AWS manages; of ReadOnlyAccess what is about KMS.
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
}


def managed_policy(arn: str) -> Mapping[str, Any] | None:
    """Give a policy that AWS manages, by its ARN; None for one that is not known here."""
    prefix, _, name = arn.rpartition("/")
    if not prefix.endswith(":iam::aws:policy") or name not in _MANAGED:
        return None
    return {"Version": "2012-10-17", "Statement": _MANAGED[name]}
