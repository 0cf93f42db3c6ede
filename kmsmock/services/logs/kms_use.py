"""What CloudWatch Logs does with KMS, in its own name.

Source: Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key
Management Service".
"""

from __future__ import annotations

from kmsmock.aws.arns import Arn
from kmsmock.aws.errors import ServiceError
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import CodedError, ErrorTemplate, ErrorTemplates
from kmsmock.services.registry import ServiceCall

_UNUSABLE = ErrorTemplate(
    "InvalidParameterException",
    "The specified KMS key does not exist or is not allowed to be used {text}",
)
ERRORS: ErrorTemplates = {"*": _UNUSABLE}


def require_usable_key(call: ServiceCall, arn: str, key_arn: str) -> None:
    """Require that the service may use a key for a log group. arn: of the log group."""
    key = Arn.parse(key_arn)
    if key is None or key.resource_type != "key":
        raise _unusable(arn, "kmsKeyId must be the ARN of a key: neither an id nor an alias.")
    try:
        generate_data_key(call, arn, key_arn)
    except ServiceError as error:
        raise _unusable(arn, f"{error}\n{error.explanation or ''}".strip()) from None


def generate_data_key(call: ServiceCall, arn: str, key_arn: str) -> bytes:
    """Generate a data key for events of a log group; return its ciphertext.

    Raises the errors of KMS.
    """
    answer = _kms(call, arn).call(
        "GenerateDataKey", KeyId=key_arn, KeySpec="AES_256", EncryptionContext=_context(arn)
    )
    ciphertext: bytes = answer["CiphertextBlob"]
    return ciphertext


def decrypt_data_key(call: ServiceCall, arn: str, ciphertext: bytes) -> None:
    """Decrypt the data key of events of a log group. Raises the errors of KMS."""
    _kms(call, arn).call("Decrypt", CiphertextBlob=ciphertext, EncryptionContext=_context(arn))


def _unusable(arn: str, explanation: str) -> CodedError:
    text = _UNUSABLE.text.format(text=f"with Arn '{arn}'")
    return CodedError(_UNUSABLE.code, text, explanation=explanation)


def _context(arn: str) -> dict[str, str]:
    return {"aws:logs:arn": arn}


def _kms(call: ServiceCall, arn: str) -> KmsCaller:
    name = f"logs.{call.region}.amazonaws.com"
    return KmsCaller.as_service(call.backend, name, call.region, source_arn=arn)
