"""The data keys of secrets: made, opened and wrapped by KMS with the identity of the caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kmsmock.errors import ServiceError
from kmsmock.overlays.secretsmanager.stored import (
    CURRENT,
    MANAGED_KEY,
    PENDING,
    PREVIOUS,
    Secret,
    Wrapped,
)
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates, translate_error
from kmsmock.services.registry import ServiceCall

_VALIDATION = "RequestToValidateKeyAccess"
#: What the answers show in place of the AWS managed key.
_SHOWN_MANAGED_KEY = "DefaultEncryptionKey"

_DENIED = ErrorTemplate("AccessDeniedException", "Access to KMS is not allowed")
_THROTTLED = ErrorTemplate("ThrottlingException", "Rate exceeded")
WHEN_SET: ErrorTemplates = {
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
_WHEN_WRITTEN: ErrorTemplates = {
    "AccessDeniedException": _DENIED,
    "ThrottlingException": _THROTTLED,
    "*": ErrorTemplate(
        "EncryptionFailure", "Secrets Manager can't encrypt the secret value: {sdk_text}"
    ),
}
_WHEN_READ: ErrorTemplates = {
    "AccessDeniedException": _DENIED,
    "ThrottlingException": _THROTTLED,
    "*": ErrorTemplate(
        "DecryptionFailure", "Secrets Manager can't decrypt the secret value: {sdk_text}"
    ),
}
#: How `KmsCaller` is asked: `KmsCaller.call` or another of its methods.
_How = Callable[..., Any]


def validate(call: ServiceCall, secret: Secret) -> None:
    """See that the caller may use the key of a secret, before the secret is put under it."""
    context = _context(secret.arn, _VALIDATION)
    made = _generate(call, secret, context, WHEN_SET)
    ciphertext = made["CiphertextBlob"]
    _ask(call, WHEN_SET, "Decrypt", CiphertextBlob=ciphertext, EncryptionContext=context)


def rehearse_new(call: ServiceCall, secret: Secret, version: str) -> None:
    """See that a data key can be made. Raises what making it would."""
    _generate(call, secret, _context(secret.arn, version), _WHEN_WRITTEN, KmsCaller.rehearse)


def make_rehearsed(call: ServiceCall, secret: Secret, version: str) -> Wrapped:
    """Make the data key of a version as it was rehearsed."""
    return _made_new(call, secret, version, KmsCaller.call_rehearsed)


def make_new(call: ServiceCall, secret: Secret, version: str) -> Wrapped:
    """Make the data key of a version."""
    return _made_new(call, secret, version, KmsCaller.call)


def open_(call: ServiceCall, secret: Secret, version: str) -> bytes:
    """Open the data key of a version by the newest of its keys that lets the caller."""
    first: ServiceError | None = None
    for wrapped in reversed(secret.versions[version]):
        try:
            opened = _ask(
                call,
                _WHEN_READ,
                "Decrypt",
                secret.region,
                CiphertextBlob=wrapped.ciphertext,
                EncryptionContext=_context(secret.arn, version),
            )
        except ServiceError as error:
            first = first or error
        else:
            plaintext: bytes = opened["Plaintext"]
            return plaintext
    assert first is not None
    raise first


def wrap(call: ServiceCall, secret: Secret, version: str, data_key: bytes) -> Wrapped:
    """Put a data key under the key of a secret."""
    made = _ask(
        call,
        _WHEN_WRITTEN,
        "Encrypt",
        secret.region,
        KeyId=secret.key_id or MANAGED_KEY,
        Plaintext=data_key,
        EncryptionContext=_context(secret.arn, version),
    )
    return _wrapped(secret, made)


def wrap_again(call: ServiceCall, secret: Secret) -> None:
    """Put the data keys of AWS's labels under the new key too.

    What the caller may not do is left: those versions stay under their old key alone.
    """
    for version in secret.labelled((CURRENT, PREVIOUS, PENDING)):
        try:
            again = wrap(call, secret, version, open_(call, secret, version))
        except ServiceError:
            continue
        secret.versions[version].append(again)


def _made_new(call: ServiceCall, secret: Secret, version: str, how: _How) -> Wrapped:
    made = _generate(call, secret, _context(secret.arn, version), _WHEN_WRITTEN, how)
    return _wrapped(secret, made)


def _generate(
    call: ServiceCall,
    secret: Secret,
    context: Mapping[str, str],
    templates: ErrorTemplates,
    how: _How = KmsCaller.call,
) -> Any:
    return _ask(
        call,
        templates,
        "GenerateDataKey",
        secret.region,
        how,
        KeyId=secret.key_id or MANAGED_KEY,
        KeySpec="AES_256",
        EncryptionContext=context,
    )


def _ask(
    call: ServiceCall,
    templates: ErrorTemplates,
    operation: str,
    region: str | None = None,
    how: _How = KmsCaller.call,
    **parameters: Any,
) -> Any:
    """Call KMS for the caller. Raises what the service makes of KMS's errors here."""
    kms = KmsCaller.forwarded(call, "secretsmanager", region or call.region)
    try:
        return how(kms, operation, **parameters)
    except ServiceError as error:
        raise translate_error(error, call, templates) from None


def _wrapped(secret: Secret, made: Mapping[str, Any]) -> Wrapped:
    key_arn: str = made["KeyId"]
    return Wrapped(_SHOWN_MANAGED_KEY if secret.key_id is None else key_arn, made["CiphertextBlob"])


def _context(arn: str, version: str) -> dict[str, str]:
    return {"SecretARN": arn, "SecretVersionId": version}
