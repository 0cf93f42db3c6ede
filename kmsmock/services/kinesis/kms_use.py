"""What Kinesis Data Streams does with KMS, with the identity of producers and consumers.

Source: Amazon Kinesis Data Streams Developer Guide, "What is server-side encryption for Kinesis
Data Streams?".
"""

from __future__ import annotations

import re

from kmsmock.aws.errors import DisabledException, InvalidKeyUsageException, KMSInvalidStateException
from kmsmock.services.data_key_cache import DataKey
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates
from kmsmock.services.registry import ServiceCall

ERRORS: ErrorTemplates = {
    "AccessDeniedException": ErrorTemplate("KMSAccessDeniedException"),
    "DisabledException": ErrorTemplate("KMSDisabledException"),
    "NotFoundException": ErrorTemplate("KMSNotFoundException"),
    "OptInRequired": ErrorTemplate("KMSOptInRequired"),
    "ThrottlingException": ErrorTemplate("KMSThrottlingException"),
    "*": ErrorTemplate("KMSInvalidStateException"),
}


def require_usable_key(call: ServiceCall, key_id: str) -> None:
    """Require an enabled symmetric encryption key. Raises the errors of KMS."""
    key = _kms(call).call("DescribeKey", KeyId=key_id)["KeyMetadata"]
    arn, state = key["Arn"], key["KeyState"]
    if key["KeySpec"] != "SYMMETRIC_DEFAULT":
        raise InvalidKeyUsageException(
            f"{arn} is not a symmetric encryption key.",
            explanation=f"Its key spec is {key['KeySpec']}; Kinesis takes SYMMETRIC_DEFAULT.",
        )
    if state != "Enabled":
        kind = DisabledException if state == "Disabled" else KMSInvalidStateException
        raise kind(f"{arn} is {re.sub('(?<=[a-z])(?=[A-Z])', ' ', state).lower()}.")


def generate_data_key(call: ServiceCall, arn: str, key_id: str) -> DataKey:
    """Generate a data key for records of a stream. Raises the errors of KMS."""
    answer = _kms(call).call(
        "GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext=_context(arn)
    )
    return DataKey(arn, answer["KeyId"], answer["CiphertextBlob"])


def decrypt_data_key(call: ServiceCall, data_key: DataKey) -> None:
    """Decrypt the data key of records. Raises the errors of KMS."""
    _kms(call).call(
        "Decrypt",
        CiphertextBlob=data_key.ciphertext,
        EncryptionContext=_context(data_key.resource_arn),
    )


def _context(arn: str) -> dict[str, str]:
    return {"aws:kinesis:arn": arn}


def _kms(call: ServiceCall) -> KmsCaller:
    return KmsCaller.forwarded(call, "kinesis")
