"""Tables of Amazon DynamoDB under keys of KMS.

Source: Amazon DynamoDB Developer Guide, "DynamoDB encryption at rest: How it works" and "DynamoDB
encryption at rest usage notes".
"""

from __future__ import annotations

from kmsmock.overlays.dynamodb import backups, items, tables
from kmsmock.overlays.registry import Overlay, Refusal

_MODEL = "com.amazonaws.services.kms.model"
OVERLAY = Overlay(
    {**tables.OPERATIONS, **items.OPERATIONS, **backups.OPERATIONS},
    {
        "DisabledException": Refusal(
            "ValidationException", f"KMS key disabled error: {_MODEL}.DisabledException: {{told}}"
        ),
        "AccessDeniedException": Refusal(
            "AccessDeniedException",
            f"KMS key access denied error: {_MODEL}.AWSKMSException: {{told}}",
        ),
        "ValidationException": Refusal(
            "InternalServerError",
            f"KMS internal error: {_MODEL}.AWSKMSException: {{told}}",
            status=500,
        ),
        "ThrottlingException": Refusal("ThrottlingException"),
        "*": Refusal("ValidationException", f"KMS validation error: {_MODEL}.{{code}}: {{told}}"),
    },
)
