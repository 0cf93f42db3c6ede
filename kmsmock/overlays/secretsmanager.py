"""Secrets of AWS Secrets Manager under keys of KMS.

Source: AWS Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager".
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kmsmock.errors import ServiceError
from kmsmock.overlays.registry import Overlay, Refusal, Refusals, Steps, refused
from kmsmock.overlays.unseen import warn_unseen
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall

_MANAGED_KEY = "alias/aws/secretsmanager"
_CURRENT, _PREVIOUS, _PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
_VALIDATION = "RequestToValidateKeyAccess"
#: What the answers show in place of the AWS managed key.
_SHOWN_MANAGED_KEY = "DefaultEncryptionKey"

_DENIED = Refusal("AccessDeniedException", "Access to KMS is not allowed")
_INVALID = Refusal(
    "InvalidParameterException", "The operation failed because of an invalid KMS key: {told}"
)
_THROTTLED = Refusal("ThrottlingException", "Rate exceeded")
_WHEN_SET: Refusals = {
    "AccessDeniedException": _DENIED,
    "DisabledException": Refusal(
        "InvalidParameterException",
        "The operation failed because the specified KMS key is disabled.",
    ),
    "ThrottlingException": _THROTTLED,
    "*": _INVALID,
}
_WHEN_WRITTEN: Refusals = {
    "AccessDeniedException": _DENIED,
    "ThrottlingException": _THROTTLED,
    "*": Refusal("EncryptionFailure", "Secrets Manager can't encrypt the secret value: {told}"),
}
_WHEN_READ: Refusals = {
    "AccessDeniedException": _DENIED,
    "ThrottlingException": _THROTTLED,
    "*": Refusal("DecryptionFailure", "Secrets Manager can't decrypt the secret value: {told}"),
}


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key under a key of KMS. shown_key: as ListSecretVersionIds has it."""

    shown_key: str
    ciphertext: bytes


@dataclass(slots=True)
class Secret:
    """A secret. key_id: as it was given; None for the managed key. stages: label -> version.

    versions: the data key of each, under each key that it was wrapped with, the newest last.
    """

    arn: str
    key_id: str | None
    versions: dict[str, list[Wrapped]] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)

    def move(self, stage: str, version: str) -> None:
        """Let a label mean another version."""
        if stage == _CURRENT and _CURRENT in self.stages:
            self.stages[_PREVIOUS] = self.stages[_CURRENT]
        self.stages[stage] = version


@dataclass(slots=True)
class Secrets:
    """Secrets by ARN, and the ARNs of names: (account, Region, name)."""

    secrets: dict[str, Secret] = field(default_factory=dict)
    arns: dict[tuple[str, str, str], str] = field(default_factory=dict)


# --- writing ------------------------------------------------------------------------------------


def _create(call: ServiceCall) -> Steps:
    parameters = call.parameters
    name, key_id = parameters["Name"], parameters.get("KmsKeyId") or None
    if key_id is not None:
        _validate(call, _future_arn(call, name), key_id)
    answer = yield
    secret = Secret(answer["ARN"], key_id)
    held = _secrets(call)
    held.secrets[secret.arn] = secret
    held.arns[call.account, call.region, name] = secret.arn
    if _has_value(parameters):
        # Only now is the ARN known, which the data key is bound to.
        version = answer["VersionId"]
        secret.versions[version] = [_wrap_new(call, secret, version, _WHEN_WRITTEN)]
        secret.move(_CURRENT, version)
    for replica in parameters.get("AddReplicaRegions", ()):
        _replicate(call, secret, replica)


def _put(call: ServiceCall) -> Steps:
    secret = _found(call)
    if secret is None:
        yield
        return
    version = call.parameters["ClientRequestToken"]
    wrapped = _wrap_new(call, secret, version, _WHEN_WRITTEN)
    if version in secret.versions:
        _open(call, secret, version)  # to see whether it is the same value
    yield
    secret.versions.setdefault(version, [wrapped])
    for stage in call.parameters.get("VersionStages", [_CURRENT]):
        secret.move(stage, version)


def _update(call: ServiceCall) -> Steps:
    parameters, secret = call.parameters, _found(call)
    if secret is None:
        yield
        return
    before = secret.key_id
    key_id = (parameters["KmsKeyId"] or None) if "KmsKeyId" in parameters else before
    if "KmsKeyId" in parameters:
        _validate(call, secret.arn, key_id or _MANAGED_KEY)
    changed = Secret(secret.arn, key_id)
    version, wrapped = parameters["ClientRequestToken"], None
    if _has_value(parameters):
        wrapped = _wrap_new(call, changed, version, _WHEN_WRITTEN)
    yield
    secret.key_id = key_id
    if key_id != before:
        _wrap_again(call, secret)
    if wrapped is not None:
        secret.versions.setdefault(version, [wrapped])
        secret.move(_CURRENT, version)


def _move_stage(call: ServiceCall) -> Steps:
    secret = _found(call)
    yield
    if secret is None:
        return
    stage = call.parameters["VersionStage"]
    version = call.parameters.get("MoveToVersionId")
    if version is not None:
        secret.move(stage, version)
    else:
        secret.stages.pop(stage, None)


def _replicate_again(call: ServiceCall) -> Steps:
    secret = _found(call)
    if secret is not None:
        for replica in call.parameters["AddReplicaRegions"]:
            _replicate(call, secret, replica)
    yield


# --- reading ------------------------------------------------------------------------------------


def _get(call: ServiceCall) -> Steps:
    answer = yield
    _read(call, answer)


def _get_batch(call: ServiceCall) -> Steps:
    answer = yield
    given, errors = [], list(answer.get("Errors", ()))
    for value in answer.get("SecretValues", ()):
        try:
            _read(call, value)
        except ServiceError as error:
            errors.append(
                {"SecretId": value["Name"], "ErrorCode": error.code, "Message": error.message}
            )
        else:
            given.append(value)
    answer.update({"SecretValues": given, "Errors": errors})


def _versions(call: ServiceCall) -> Steps:
    answer = yield
    secret = _found(call)
    if secret is not None:
        for shown in answer["Versions"]:
            wrapped = secret.versions.get(shown["VersionId"], ())
            shown["KmsKeyIds"] = [one.shown_key for one in wrapped]


def _describe(call: ServiceCall) -> Steps:
    answer = yield
    _show_key(call, answer)


def _list(call: ServiceCall) -> Steps:
    answer = yield
    for shown in answer["SecretList"]:
        _show_key(call, shown)


def _read(call: ServiceCall, answer: Mapping[str, Any]) -> None:
    secret = _secrets(call).secrets.get(answer["ARN"])
    if secret is None:
        warn_unseen(answer["ARN"])
    elif answer["VersionId"] in secret.versions:
        _open(call, secret, answer["VersionId"])


def _show_key(call: ServiceCall, shown: dict[str, Any]) -> None:
    secret = _secrets(call).secrets.get(shown["ARN"])
    if secret is not None:
        shown.pop("KmsKeyId", None)
        if secret.key_id is not None:
            shown["KmsKeyId"] = secret.key_id


# --- KMS ----------------------------------------------------------------------------------------


def _ask(
    call: ServiceCall,
    refusals: Refusals,
    operation: str,
    region: str | None = None,
    **parameters: Any,
) -> Any:
    """Call KMS for the caller. Raises what the service makes of KMS's errors here."""
    kms = KmsCaller.forwarded(
        call, "secretsmanager", "secretsmanager.amazonaws.com", region or call.region
    )
    try:
        return kms.call(operation, **parameters)
    except ServiceError as error:
        raise refused(error, call, refusals) from None


def _validate(call: ServiceCall, arn: str, key_id: str) -> None:
    """See that the caller may use a key, before a secret is put under it."""
    context = _context(arn, _VALIDATION)
    made = _ask(
        call,
        _WHEN_SET,
        "GenerateDataKey",
        KeyId=key_id,
        KeySpec="AES_256",
        EncryptionContext=context,
    )
    ciphertext = made["CiphertextBlob"]
    _ask(call, _WHEN_SET, "Decrypt", CiphertextBlob=ciphertext, EncryptionContext=context)


def _wrap_new(call: ServiceCall, secret: Secret, version: str, refusals: Refusals) -> Wrapped:
    made = _ask(
        call,
        refusals,
        "GenerateDataKey",
        secret.arn.split(":")[3],
        KeyId=secret.key_id or _MANAGED_KEY,
        KeySpec="AES_256",
        EncryptionContext=_context(secret.arn, version),
    )
    return Wrapped(_shown_key(secret, made), made["CiphertextBlob"])


def _open(call: ServiceCall, secret: Secret, version: str) -> bytes:
    """Open the data key of a version by the newest of its keys that lets the caller."""
    first: ServiceError | None = None
    for wrapped in reversed(secret.versions[version]):
        try:
            opened = _ask(
                call,
                _WHEN_READ,
                "Decrypt",
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


def _wrap_again(call: ServiceCall, secret: Secret) -> None:
    """Put the data keys of the labelled versions under the new key too.

    What the caller may not do is left: those versions stay under their old key alone.
    """
    for version in _labelled(secret):
        try:
            data_key = _open(call, secret, version)
            again = _wrap(call, secret, version, data_key)
        except ServiceError:
            continue
        secret.versions[version].append(again)


def _labelled(secret: Secret) -> Iterator[str]:
    for stage in (_CURRENT, _PREVIOUS, _PENDING):
        version = secret.stages.get(stage)
        if version in secret.versions:
            yield version


def _wrap(call: ServiceCall, secret: Secret, version: str, data_key: bytes) -> Wrapped:
    made = _ask(
        call,
        _WHEN_WRITTEN,
        "Encrypt",
        secret.arn.split(":")[3],
        KeyId=secret.key_id or _MANAGED_KEY,
        Plaintext=data_key,
        EncryptionContext=_context(secret.arn, version),
    )
    return Wrapped(_shown_key(secret, made), made["CiphertextBlob"])


def _replicate(call: ServiceCall, secret: Secret, replica: Mapping[str, str]) -> None:
    """Open the current data key, and put it under the key of another Region."""
    parts = secret.arn.split(":")
    arn = ":".join([*parts[:3], replica["Region"], *parts[4:]])
    copy = Secret(arn, replica.get("KmsKeyId") or None, stages=dict(secret.stages))
    for version in _labelled(secret):
        data_key = _open(call, secret, version)
        _wrap_new(call, copy, version, _WHEN_SET)
        copy.versions[version] = [_wrap(call, copy, version, data_key)]
    held = _secrets(call)
    held.secrets[arn] = copy
    name = parts[6].rpartition("-")[0]
    held.arns[parts[4], replica["Region"], name] = arn


def _shown_key(secret: Secret, made: Mapping[str, Any]) -> str:
    key_arn: str = made["KeyId"]
    return _SHOWN_MANAGED_KEY if secret.key_id is None else key_arn


# --- names --------------------------------------------------------------------------------------


def _has_value(parameters: Mapping[str, Any]) -> bool:
    return "SecretString" in parameters or "SecretBinary" in parameters


def _found(call: ServiceCall) -> Secret | None:
    held, named = _secrets(call), call.parameters["SecretId"]
    if named in held.secrets:
        return held.secrets[named]
    name = named.split(":")[6] if named.startswith("arn:") else named
    arn = held.arns.get((call.account, call.region, name))
    return held.secrets.get(arn) if arn is not None else None


def _future_arn(call: ServiceCall, name: str) -> str:
    """Make an ARN as the secret will have one; what stores it will make its own ending."""
    letters = string.ascii_letters
    ending = "".join(letters[byte % len(letters)] for byte in call.backend.entropy(6))
    return (
        f"arn:{call.partition}:secretsmanager:{call.region}:{call.account}:secret:{name}-{ending}"
    )


def _context(arn: str, version: str) -> dict[str, str]:
    return {"SecretARN": arn, "SecretVersionId": version}


def _secrets(call: ServiceCall) -> Secrets:
    return call.backend.service_state(Secrets)


OVERLAY = Overlay(
    {
        "CreateSecret": _create,
        "PutSecretValue": _put,
        "UpdateSecret": _update,
        "UpdateSecretVersionStage": _move_stage,
        "ReplicateSecretToRegions": _replicate_again,
        "GetSecretValue": _get,
        "BatchGetSecretValue": _get_batch,
        "ListSecretVersionIds": _versions,
        "DescribeSecret": _describe,
        "ListSecrets": _list,
    },
    _WHEN_SET,
)
