"""What CloudWatch Logs does with KMS, with its own identity.

Source: Amazon CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key
Management Service" and "Encrypt query results with AWS Key Management Service".
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import timedelta
from functools import partial
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.errors import NotFoundException, ServiceError
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates
from kmsmock.services.logs.state import log_groups_of
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import get_key

#: How long the service reuses a data key before it calls KMS again.
_DATA_KEY_LIFETIME = timedelta(minutes=5)
#: The only requester in the cache: the service calls KMS with its own identity.
_REQUESTER = "logs"
_INVALID = "InvalidParameterException"
#: What AWS answers if the key policy does not let the service use the key; ``{arn}`` is that of the
#: log group.
_NOT_ALLOWED = "The specified KMS key does not exist or is not allowed to be used with Arn '{arn}'"
#: The API reference has the code for keys that are missing or disabled. The text for missing ones
#: is from AWS; those for the states of a key are like it, and not recorded.
ERRORS: ErrorTemplates = {
    "AccessDeniedException": ErrorTemplate("AccessDeniedException", _NOT_ALLOWED),
    "NotFoundException": ErrorTemplate(_INVALID, "The specified KMS Key Id could not be found."),
    "DisabledException": ErrorTemplate(_INVALID, "The specified KMS Key Id is disabled."),
    "KMSInvalidStateException": ErrorTemplate(_INVALID, "The specified KMS Key Id is {state}."),
    "ThrottlingException": ErrorTemplate("ThrottlingException", "Rate exceeded"),
    "*": ErrorTemplate(_INVALID, _NOT_ALLOWED),
}


def require_usable_key(call: ServiceCall, arn: str, key_arn: str) -> None:
    """Require that the service may use a key for a log group, or for query results.

    arn: of the log group or the query results. key_arn: as in the request. Raises the errors of
    `ERRORS`.
    """
    key = Arn.parse(key_arn)
    if key is None or key.resource_type != "key":
        explanation = "kmsKeyId must be the ARN of a key: neither an id nor an alias."
        raise _translate(NotFoundException(explanation=explanation), arn)
    _generate_data_key(call, arn, key_arn)


def data_key_for_events(call: ServiceCall, arn: str, key_arn: str) -> bytes:
    """Return the ciphertext of a data key: one within its lifetime, or a new one.

    arn: of the log group or the query results. Raises the errors of `ERRORS`.
    """
    generate = partial(_generate_data_key, call, arn, key_arn)
    ciphertext: bytes = _reuse(call, arn, key_arn, generate)
    return ciphertext


def decrypt_data_key(call: ServiceCall, arn: str, ciphertext: bytes) -> None:
    """Decrypt a data key, unless it is cached.

    arn: of the log group or the query results. Raises the errors of `ERRORS`.
    """
    decrypt = partial(_call_kms, call, arn, "Decrypt", CiphertextBlob=ciphertext)
    _reuse(call, arn, ciphertext, decrypt)


def _reuse(call: ServiceCall, arn: str, purpose: Hashable, call_kms: Any) -> Any:
    cache = log_groups_of(call).cache
    return cache.get(_REQUESTER, arn, purpose, call.now, _DATA_KEY_LIFETIME, call_kms)


def _generate_data_key(call: ServiceCall, arn: str, key_arn: str) -> bytes:
    answer = _call_kms(call, arn, "GenerateDataKey", KeyId=key_arn, KeySpec="AES_256")
    ciphertext: bytes = answer["CiphertextBlob"]
    return ciphertext


def _call_kms(call: ServiceCall, arn: str, operation: str, **parameters: Any) -> Any:
    """Call KMS as the service, on behalf of a log group or of query results. arn: its ARN."""
    name = f"logs.{call.region}.amazonaws.com"
    kms = KmsCaller.as_service(call.backend, name, call.region, source_arn=arn)
    try:
        return kms.call(operation, EncryptionContext={"aws:logs:arn": arn}, **parameters)
    except ServiceError as refusal:
        error = refusal
        if _is_missing(call, parameters.get("KeyId")):
            # KMS does not tell that to a service, which is of no account.
            error = NotFoundException(f"Key '{parameters['KeyId']}' does not exist")
        raise _translate(error, arn) from None


def _is_missing(call: ServiceCall, key_arn: str | None) -> bool:
    """Return whether a key of the caller's own account is missing. key_arn: None for Decrypt."""
    return (
        key_arn is not None
        and Arn.of(key_arn).account == call.account
        and get_key(call.backend, key_arn) is None
    )


def _translate(error: ServiceError, arn: str) -> ServiceError:
    """Return the service's error for one of KMS, which the explanation has in KMS's own words."""
    template = ERRORS.get(error.code, ERRORS["*"])
    state = (error.message or "").rpartition(" is ")[2].removesuffix(".")
    return CodedError(
        template.code,
        template.text.format(arn=arn, state=state),
        explanation=f"{error}\n{error.explanation or ''}".strip(),
    )
