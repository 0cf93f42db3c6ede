"""What Secrets Manager does with KMS for the data keys of secrets, as the caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kmsmock.aws.errors import ServiceError
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates, translate_error
from kmsmock.services.registry import ServiceCall
from kmsmock.services.secretsmanager.state import (
    CURRENT,
    MANAGED_KEY,
    PENDING,
    PREVIOUS,
    EncryptedDataKey,
    Secret,
)

_VALIDATION = "RequestToValidateKeyAccess"
#: What the answers show in place of the AWS managed key.
_SHOWN_MANAGED_KEY = "DefaultEncryptionKey"

_DENIED = ErrorTemplate("AccessDeniedException", "Access to KMS is not allowed")
_THROTTLED = ErrorTemplate("ThrottlingException", "Rate exceeded")
ERRORS: ErrorTemplates = {
    "AccessDeniedException": _DENIED,
    "DisabledException": ErrorTemplate(
        "InvalidParameterException",
        "The operation failed because the specified KMS key is disabled.",
    ),
    "ThrottlingException": _THROTTLED,
    "*": ErrorTemplate(
        "InvalidParameterException",
        "The operation failed because of an invalid KMS key: {sdk_text}",
    ),
}
_ERRORS_OF_WRITES: ErrorTemplates = {
    "AccessDeniedException": _DENIED,
    "ThrottlingException": _THROTTLED,
    "*": ErrorTemplate(
        "EncryptionFailure", "Secrets Manager can't encrypt the secret value: {sdk_text}"
    ),
}
_ERRORS_OF_READS: ErrorTemplates = {
    "AccessDeniedException": _DENIED,
    "ThrottlingException": _THROTTLED,
    "*": ErrorTemplate(
        "DecryptionFailure", "Secrets Manager can't decrypt the secret value: {sdk_text}"
    ),
}
#: `KmsCaller.call`, or another of its methods that makes a call.
_Method = Callable[..., Any]


def require_usable_key(call: ServiceCall, secret: Secret) -> None:
    """Require that the caller may use the key of a secret, before the secret has it."""
    context = _context(secret.arn, _VALIDATION)
    answer = _generate(call, secret, context, ERRORS)
    ciphertext = answer["CiphertextBlob"]
    _call_kms(call, ERRORS, "Decrypt", CiphertextBlob=ciphertext, EncryptionContext=context)


def dry_run_data_key(call: ServiceCall, secret: Secret, version: str) -> None:
    """Require that a data key can be generated. Raises what generating it would."""
    _generate(call, secret, _context(secret.arn, version), _ERRORS_OF_WRITES, KmsCaller.dry_run)


def generate_data_key_after_dry_run(
    call: ServiceCall, secret: Secret, version: str
) -> EncryptedDataKey:
    """Generate the data key of a version as it was rehearsed."""
    return _generate_for(call, secret, version, KmsCaller.call_after_dry_run)


def generate_data_key(call: ServiceCall, secret: Secret, version: str) -> EncryptedDataKey:
    """Generate the data key of a version."""
    return _generate_for(call, secret, version, KmsCaller.call)


def decrypt_data_key(call: ServiceCall, secret: Secret, version: str) -> bytes:
    """Decrypt the data key of a version with the newest of its keys that the caller may use."""
    first: ServiceError | None = None
    for data_key in reversed(secret.versions[version]):
        try:
            answer = _call_kms(
                call,
                _ERRORS_OF_READS,
                "Decrypt",
                secret.region,
                CiphertextBlob=data_key.ciphertext,
                EncryptionContext=_context(secret.arn, version),
            )
        except ServiceError as error:  # noqa: PERF203 - the next key may do
            first = first or error
        else:
            plaintext: bytes = answer["Plaintext"]
            return plaintext
    assert first is not None
    raise first


def encrypt_data_key(
    call: ServiceCall, secret: Secret, version: str, data_key: bytes
) -> EncryptedDataKey:
    """Encrypt a data key with the key of a secret."""
    answer = _call_kms(
        call,
        _ERRORS_OF_WRITES,
        "Encrypt",
        secret.region,
        KeyId=secret.key_id or MANAGED_KEY,
        Plaintext=data_key,
        EncryptionContext=_context(secret.arn, version),
    )
    return _encrypted_data_key(secret, answer)


def add_new_key(call: ServiceCall, secret: Secret) -> None:
    """Encrypt the data keys of versions with AWS's labels with the new key too.

    What the caller may not do is left: those versions stay under their old key alone.
    """
    for version in secret.labelled((CURRENT, PREVIOUS, PENDING)):
        try:
            again = encrypt_data_key(call, secret, version, decrypt_data_key(call, secret, version))
        except ServiceError:
            continue
        secret.versions[version].append(again)


def _generate_for(
    call: ServiceCall, secret: Secret, version: str, method: _Method
) -> EncryptedDataKey:
    answer = _generate(call, secret, _context(secret.arn, version), _ERRORS_OF_WRITES, method)
    return _encrypted_data_key(secret, answer)


def _generate(
    call: ServiceCall,
    secret: Secret,
    context: Mapping[str, str],
    templates: ErrorTemplates,
    method: _Method = KmsCaller.call,
) -> Any:
    return _call_kms(
        call,
        templates,
        "GenerateDataKey",
        secret.region,
        method,
        KeyId=secret.key_id or MANAGED_KEY,
        KeySpec="AES_256",
        EncryptionContext=context,
    )


def _call_kms(
    call: ServiceCall,
    templates: ErrorTemplates,
    operation: str,
    region: str | None = None,
    method: _Method = KmsCaller.call,
    **parameters: Any,
) -> Any:
    """Call KMS for the caller. Raises what the service makes of KMS's errors here."""
    kms = KmsCaller.forwarded(call, "secretsmanager", region or call.region)
    try:
        return method(kms, operation, **parameters)
    except ServiceError as error:
        raise translate_error(error, call, templates) from None


def _encrypted_data_key(secret: Secret, answer: Mapping[str, Any]) -> EncryptedDataKey:
    key_arn: str = answer["KeyId"]
    return EncryptedDataKey(
        _SHOWN_MANAGED_KEY if secret.key_id is None else key_arn, answer["CiphertextBlob"]
    )


def _context(arn: str, version: str) -> dict[str, str]:
    return {"SecretARN": arn, "SecretVersionId": version}
