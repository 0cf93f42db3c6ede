"""Key policies as text: the default key policy, KMS's JSON format, and the size limit."""

from __future__ import annotations

import json
from typing import Any

from kmsmock.aws.arns import root_arn
from kmsmock.aws.regions import partition_of

#: Source: AWS KMS Developer Guide, "Resource quotas": 32 KB a key policy document.
LARGEST_POLICY_BYTES = 32_768


def default_policy(account: str, region: str) -> str:
    """Return the default key policy of keys that are created without one, as JSON text.

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
    """Format JSON as KMS formats its own policies: objects indented, lists on one line."""
    if isinstance(value, dict):
        indent = "  " * depth
        members = (f"{indent}{json.dumps(k)} : {pretty(v, depth + 1)}" for k, v in value.items())
        return "{\n" + ",\n".join(members) + "\n" + "  " * (depth - 1) + "}"
    if isinstance(value, list):
        return f"[ {', '.join(pretty(item, depth) for item in value)} ]"
    return json.dumps(value)
