"""Key policies as text: the default one, those of AWS managed keys, and the size limit."""

from __future__ import annotations

import json
from typing import Any

from kmsmock.aws.arns import partition_of, root_arn

#: Source: AWS KMS Developer Guide, "Resource quotas": 32 KB a key policy document.
LARGEST_POLICY_BYTES = 32_768


def default_policy(account: str, region: str) -> str:
    """Give the policy of keys that are created without one, to the letter.

    Source: AWS KMS Developer Guide, "Default key policy".
    """
    root = root_arn(partition_of(region), account)
    return pretty(
        {
            "Version": "2012-10-17",
            "Id": "key-default-1",
            "Statement": [
                {
                    "Sid": "Enable IAM User Permissions",
                    "Effect": "Allow",
                    "Principal": {"AWS": root},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        }
    )


def pretty(value: Any, depth: int = 1) -> str:
    """Print JSON as KMS prints the policies it makes: objects indented, lists in line."""
    if isinstance(value, dict):
        indent = "  " * depth
        members = (f"{indent}{json.dumps(k)} : {pretty(v, depth + 1)}" for k, v in value.items())
        return "{\n" + ",\n".join(members) + "\n" + "  " * (depth - 1) + "}"
    if isinstance(value, list):
        return f"[ {', '.join(pretty(item, depth) for item in value)} ]"
    return json.dumps(value)
