"""What Secrets Manager does with KMS for the data keys of secrets, with the caller's identity.

Source: AWS Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.secret_values import SecretBytes
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates, translate_error
from kmsmock.services.registry import ServiceCall
from kmsmock.services.secretsmanager.state import (
    CURRENT,
    MANAGED_KEY,
    MANAGED_KEY_IN_ANSWERS,
    PENDING,
    PREVIOUS,
    EncryptedDataKey,
    Secret,
    context_of,
    secrets_of,
)
from kmsmock.services.secretsmanager.store import get_secret
from kmsmock.services.store_reader import owner_of
from kmsmock.services.unknown_keys import warn_unknown_key

_VALIDATION = "RequestToValidateKeyAccess"

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


def require_shared_key(call: ServiceCall, secret: Secret) -> None:
    """Require that the key of a secret can be used by the account of the caller.

    Raises InvalidRequestException for the AWS managed key of another account.
    Source: AWS Secrets Manager User Guide, "Access AWS Secrets Manager secrets from a different
    account"; the message is one that AWS has answered GetSecretValue and PutSecretValue with.
    """
    if secret.key_id is None and call.account != owner_of(call, secret.arn):
        raise CodedError(
            "InvalidRequestException",
            "You can't access a secret from a different AWS account if you encrypt the secret with "
            "the default KMS service key.",
            explanation=f"{secret.arn} is encrypted with {MANAGED_KEY}: give it a customer managed "
            "key, by its ARN.",
        )


def require_usable_key(call: ServiceCall, secret: Secret) -> None:
    """Require that the caller may use the key of a secret that is to be created or changed.

    Raises the errors of `ERRORS`.
    """
    context = context_of(secret.arn, _VALIDATION)
    answer = _generate(call, secret, context, ERRORS)
    ciphertext = answer["CiphertextBlob"]
    _call_kms(call, ERRORS, "Decrypt", CiphertextBlob=ciphertext, EncryptionContext=context)


def dry_run_data_key(call: ServiceCall, secret: Secret, version: str) -> None:
    """Require that a data key can be generated, with a dry run.

    Raises what generating it would raise.
    """
    _generate(call, secret, context_of(secret.arn, version), _ERRORS_OF_WRITES, KmsCaller.dry_run)


def generate_data_key_after_dry_run(
    call: ServiceCall, secret: Secret, version: str
) -> EncryptedDataKey:
    """Generate the data key of a version that `dry_run_data_key` has checked."""
    return _generate_for(call, secret, version, KmsCaller.call_after_dry_run)


def generate_data_key(call: ServiceCall, secret: Secret, version: str) -> EncryptedDataKey:
    """Generate the data key of a version. Raises EncryptionFailure, AccessDeniedException."""
    return _generate_for(call, secret, version, KmsCaller.call)


def decrypt_data_key(call: ServiceCall, secret: Secret, version: str) -> bytes:
    """Decrypt the data key of a version; return its plaintext.

    Of the KMS keys that it is encrypted with, use the newest that the caller may use. Raises the
    error for the newest one: DecryptionFailure, AccessDeniedException.
    """
    first: ServiceError | None = None
    for data_key in reversed(secret.versions[version]):
        try:
            answer = _call_kms(
                call,
                _ERRORS_OF_READS,
                "Decrypt",
                secret.region,
                CiphertextBlob=data_key.ciphertext,
                EncryptionContext=context_of(secret.arn, version),
            )
        except ServiceError as error:  # noqa: PERF203 - the next key may be usable
            first = first or error
        else:
            plaintext: SecretBytes = answer["Plaintext"]
            return plaintext
    assert first is not None
    raise first


def decrypt_value(call: ServiceCall, arn: str, version: str) -> None:
    """Decrypt the data key of a secret value that is read.

    arn: of the secret. Raises the errors with which Secrets Manager refuses to return the value.
    """
    secret = get_secret(call, arn)
    if secret is None:
        warn_unknown_key(arn)
    elif version in secret.versions:
        require_shared_key(call, secret)
        decrypt_data_key(call, secret, version)
    elif secret.primary is None or not _require_replicated(call, secret, version):
        warn_unknown_key(arn)


def _require_replicated(call: ServiceCall, replica: Secret, version: str) -> bool:
    """Refuse a version that was not replicated; return whether the primary secret is known."""
    primary = secrets_of(call).secrets.get(replica.primary or "")
    if primary is not None and version in primary.versions:
        raise CodedError(
            "ResourceNotFoundException",
            f"Secrets Manager can't find the specified secret value for VersionId: {version}",
            explanation=f"This version was not replicated to {replica.region}. "
            f"{replica.failure or ''}".rstrip(),
        )
    return primary is not None


def encrypt_data_key(
    call: ServiceCall, secret: Secret, version: str, data_key: bytes
) -> EncryptedDataKey:
    """Encrypt a data key with the KMS key of a secret.

    data_key: in plaintext. Raises EncryptionFailure, AccessDeniedException.
    """
    answer = _call_kms(
        call,
        _ERRORS_OF_WRITES,
        "Encrypt",
        secret.region,
        KeyId=secret.key_id or MANAGED_KEY,
        Plaintext=data_key,
        EncryptionContext=context_of(secret.arn, version),
    )
    return _encrypted_data_key(secret, answer)


def encrypt_with_new_key(call: ServiceCall, secret: Secret) -> None:
    """Encrypt the data keys of the versions with AWS's staging labels with the new KMS key too.

    Versions for which the caller lacks a permission stay encrypted with their old key only.
    """
    for version in secret.labelled((CURRENT, PREVIOUS, PENDING)):
        try:
            data_key = decrypt_data_key(call, secret, version)
            encrypted = encrypt_data_key(call, secret, version, data_key)
        except ServiceError:
            continue
        secret.versions[version].append(encrypted)


def _generate_for(
    call: ServiceCall, secret: Secret, version: str, method: _Method
) -> EncryptedDataKey:
    answer = _generate(call, secret, context_of(secret.arn, version), _ERRORS_OF_WRITES, method)
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
    """Call KMS with the identity of the caller. Raises KMS's errors, translated with `templates`.

    region: that of the call when None. method: of `KmsCaller`.
    """
    kms = KmsCaller.forwarded(call, "secretsmanager", region or call.region)
    try:
        return method(kms, operation, **parameters)
    except ServiceError as error:
        raise translate_error(error, call, templates) from None


def _encrypted_data_key(secret: Secret, answer: Mapping[str, Any]) -> EncryptedDataKey:
    key_arn: str = answer["KeyId"]
    return EncryptedDataKey(
        MANAGED_KEY_IN_ANSWERS if secret.key_id is None else key_arn, answer["CiphertextBlob"]
    )
