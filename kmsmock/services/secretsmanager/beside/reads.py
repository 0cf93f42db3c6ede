"""Operations that read secrets: KMS must decrypt the data key before a value is returned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.aws.errors import ServiceError
from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.registry import ServiceCall
from kmsmock.services.secretsmanager.beside.replicas import set_replica_members
from kmsmock.services.secretsmanager.kms_use import decrypt_value
from kmsmock.services.secretsmanager.store import get_secret


def _get_secret_value(call: ServiceCall) -> Steps:
    answer = yield
    decrypt_value(call, answer["ARN"], answer["VersionId"])


def _batch_get_secret_value(call: ServiceCall) -> Steps:
    answer = yield
    values, errors = [], list(answer.get("Errors", ()))
    for value in answer.get("SecretValues", ()):
        try:
            decrypt_value(call, value["ARN"], value["VersionId"])
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


def _set_key(call: ServiceCall, description: dict[str, Any]) -> None:
    """Set the key in a description of a secret, and the keys and statuses of its replicas."""
    secret = get_secret(call, description["ARN"])
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
