"""Operations that read secrets: KMS must decrypt the data key before a value is returned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.errors import ServiceError
from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.registry import ServiceCall
from kmsmock.services.secretsmanager.beside.replicas import set_replica_members
from kmsmock.services.secretsmanager.kms_use import decrypt_data_key, require_shared_key
from kmsmock.services.secretsmanager.state import Secret, get_secret, secrets_of
from kmsmock.services.unknown_keys import warn_unknown_key


def _get_secret_value(call: ServiceCall) -> Steps:
    answer = yield
    _decrypt_value(call, answer)


def _batch_get_secret_value(call: ServiceCall) -> Steps:
    answer = yield
    values, errors = [], list(answer.get("Errors", ()))
    for value in answer.get("SecretValues", ()):
        try:
            _decrypt_value(call, value)
        except ServiceError as error:  # noqa: PERF203 - the other secrets are returned
            errors.append(
                {"SecretId": value["Name"], "ErrorCode": error.code, "Message": error.message}
            )
        else:
            values.append(value)
    answer.update({"SecretValues": values, "Errors": errors})


def _list_secret_version_ids(call: ServiceCall) -> Steps:
    answer = yield
    secret = get_secret(call)
    if secret is not None:
        for version in answer["Versions"]:
            data_keys = secret.versions.get(version["VersionId"], ())
            version["KmsKeyIds"] = [data_key.kms_key_id for data_key in data_keys]


def _describe_secret(call: ServiceCall) -> Steps:
    answer = yield
    _set_key(call, answer)


def _list_secrets(call: ServiceCall) -> Steps:
    answer = yield
    for description in answer["SecretList"]:
        _set_key(call, description)


def _decrypt_value(call: ServiceCall, answer: Mapping[str, Any]) -> None:
    secret, version = secrets_of(call).secrets.get(answer["ARN"]), answer["VersionId"]
    if secret is None:
        warn_unknown_key(answer["ARN"])
    elif version in secret.versions:
        require_shared_key(call, secret)
        decrypt_data_key(call, secret, version)
    elif secret.primary is not None:
        _require_replicated(call, secret, version)


def _require_replicated(call: ServiceCall, replica: Secret, version: str) -> None:
    primary = secrets_of(call).secrets.get(replica.primary or "")
    if primary is not None and version in primary.versions:
        raise CodedError(
            "ResourceNotFoundException",
            f"Secrets Manager can't find the specified secret value for VersionId: {version}",
            explanation=f"This version was not replicated to {replica.region}. "
            f"{replica.failure or ''}".rstrip(),
        )


def _set_key(call: ServiceCall, description: dict[str, Any]) -> None:
    """Set the key in a description of a secret, and the keys and statuses of its replicas."""
    secret = secrets_of(call).secrets.get(description["ARN"])
    if secret is not None:
        description.pop("KmsKeyId", None)
        if secret.key_id is not None:
            description["KmsKeyId"] = secret.key_id
        set_replica_members(secret, description)


OPERATIONS: Mapping[str, BesideHandler] = {
    "GetSecretValue": _get_secret_value,
    "BatchGetSecretValue": _batch_get_secret_value,
    "ListSecretVersionIds": _list_secret_version_ids,
    "DescribeSecret": _describe_secret,
    "ListSecrets": _list_secrets,
}
