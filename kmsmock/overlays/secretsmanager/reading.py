"""Reading secrets: a value is given when KMS opens its data key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.errors import ServiceError
from kmsmock.overlays.secretsmanager.data_keys import open_
from kmsmock.overlays.secretsmanager.replicas import show_replicas
from kmsmock.overlays.secretsmanager.stored import Secret, found, secrets_of
from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.kms_errors import CodedError
from kmsmock.services.registry import ServiceCall
from kmsmock.services.stored_before import warn_stored_before


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
    secret = found(call)
    if secret is not None:
        for shown in answer["Versions"]:
            wrapped = secret.versions.get(shown["VersionId"], ())
            shown["KmsKeyIds"] = [one.shown_key for one in wrapped]


def _describe(call: ServiceCall) -> Steps:
    answer = yield
    _show(call, answer)


def _list(call: ServiceCall) -> Steps:
    answer = yield
    for shown in answer["SecretList"]:
        _show(call, shown)


def _read(call: ServiceCall, answer: Mapping[str, Any]) -> None:
    secret, version = secrets_of(call).secrets.get(answer["ARN"]), answer["VersionId"]
    if secret is None:
        warn_stored_before(answer["ARN"])
    elif version in secret.versions:
        open_(call, secret, version)
    elif secret.primary is not None:
        _require_replicated(call, secret, version)


def _require_replicated(call: ServiceCall, replica: Secret, version: str) -> None:
    primary = secrets_of(call).secrets.get(replica.primary or "")
    if primary is not None and version in primary.versions:
        raise CodedError(
            "ResourceNotFoundException",
            f"Secrets Manager can't find the specified secret value for VersionId: {version}",
            explanation=f"This version did not get into {replica.region}. {replica.failure or ''}",
        )


def _show(call: ServiceCall, shown: dict[str, Any]) -> None:
    secret = secrets_of(call).secrets.get(shown["ARN"])
    if secret is not None:
        shown.pop("KmsKeyId", None)
        if secret.key_id is not None:
            shown["KmsKeyId"] = secret.key_id
        show_replicas(secret, shown)


OPERATIONS: Mapping[str, BesideHandler] = {
    "GetSecretValue": _get,
    "BatchGetSecretValue": _get_batch,
    "ListSecretVersionIds": _versions,
    "DescribeSecret": _describe,
    "ListSecrets": _list,
}
