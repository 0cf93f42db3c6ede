"""Tables of Amazon DynamoDB under keys of KMS.

Source: Amazon DynamoDB Developer Guide, "DynamoDB encryption at rest: How it works" and "DynamoDB
encryption at rest usage notes".
"""

from __future__ import annotations

from kmsmock.overlays.dynamodb import backups, items, tables
from kmsmock.services.beside import BesideStore
from kmsmock.services.kms_errors import ErrorTemplate

_MODEL = "com.amazonaws.services.kms.model"
BESIDE = BesideStore(
    {**tables.OPERATIONS, **items.OPERATIONS, **backups.OPERATIONS},
    {
        "DisabledException": ErrorTemplate(
            "ValidationException",
            f"KMS key disabled error: {_MODEL}.DisabledException: {{sdk_text}}",
        ),
        "AccessDeniedException": ErrorTemplate(
            "AccessDeniedException",
            f"KMS key access denied error: {_MODEL}.AWSKMSException: {{sdk_text}}",
        ),
        "ValidationException": ErrorTemplate(
            "InternalServerError",
            f"KMS internal error: {_MODEL}.AWSKMSException: {{sdk_text}}",
            status=500,
        ),
        "ThrottlingException": ErrorTemplate("ThrottlingException"),
        "*": ErrorTemplate(
            "ValidationException", f"KMS validation error: {_MODEL}.{{code}}: {{sdk_text}}"
        ),
    },
)
