"""What CloudWatch Logs does with KMS, with its own identity.

Source: Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key
Management Service".
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from kmsmock.aws.arns import Arn
from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.errors import ServiceError
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates
from kmsmock.services.logs.state import log_groups_of
from kmsmock.services.registry import ServiceCall

#: How long the service reuses a data key before it calls KMS again.
_DATA_KEY_LIFETIME = timedelta(minutes=5)
#: The only requester in the cache: the service calls KMS with its own identity.
_REQUESTER = "logs"
_UNUSABLE = ErrorTemplate(
    "InvalidParameterException",
    "The specified KMS key does not exist or is not allowed to be used {text}",
)
ERRORS: ErrorTemplates = {"*": _UNUSABLE}


def require_usable_key(call: ServiceCall, arn: str, key_arn: str) -> None:
    """Require that the service may use a key for a log group.

    arn: of the log group. key_arn: as in the request. Raises InvalidParameterException.
    """
    key = Arn.parse(key_arn)
    if key is None or key.resource_type != "key":
        raise _unusable(arn, "kmsKeyId must be the ARN of a key: neither an id nor an alias.")
    try:
        _generate_data_key(call, arn, key_arn)
    except ServiceError as error:
        raise _unusable(arn, f"{error}\n{error.explanation or ''}".strip()) from None


def data_key_for_events(call: ServiceCall, arn: str, key_arn: str) -> bytes:
    """Return the ciphertext of a data key for log events: one within its lifetime, or a new one.

    arn: of the log group. Raises the errors of KMS.
    """
    generate = partial(_generate_data_key, call, arn, key_arn)
    cache = log_groups_of(call).cache
    return cache.get(_REQUESTER, arn, key_arn, call.now, _DATA_KEY_LIFETIME, generate)


def decrypt_data_key(call: ServiceCall, arn: str, ciphertext: bytes) -> None:
    """Decrypt a data key of a log group, unless it is cached.

    arn: of the log group. Raises the errors of KMS.
    """
    decrypt = partial(
        _kms(call, arn).call,
        "Decrypt",
        CiphertextBlob=ciphertext,
        EncryptionContext=_context(arn),
    )
    cache = log_groups_of(call).cache
    cache.get(_REQUESTER, arn, ciphertext, call.now, _DATA_KEY_LIFETIME, decrypt)


def _generate_data_key(call: ServiceCall, arn: str, key_arn: str) -> bytes:
    answer = _kms(call, arn).call(
        "GenerateDataKey", KeyId=key_arn, KeySpec="AES_256", EncryptionContext=_context(arn)
    )
    ciphertext: bytes = answer["CiphertextBlob"]
    return ciphertext


def _unusable(arn: str, explanation: str) -> CodedError:
    text = _UNUSABLE.text.format(text=f"with Arn '{arn}'")
    return CodedError(_UNUSABLE.code, text, explanation=explanation)


def _context(arn: str) -> dict[str, str]:
    return {"aws:logs:arn": arn}


def _kms(call: ServiceCall, arn: str) -> KmsCaller:
    name = f"logs.{call.region}.amazonaws.com"
    return KmsCaller.as_service(call.backend, name, call.region, source_arn=arn)
