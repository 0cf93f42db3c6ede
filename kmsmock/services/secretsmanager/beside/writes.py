"""Operations that write secrets: nothing is stored when KMS refuses.

Source: AWS Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager".
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.registry import ServiceCall
from kmsmock.services.secretsmanager.beside.replicas import (
    replicate,
    set_replica_members,
    sync_replicas,
)
from kmsmock.services.secretsmanager.kms_use import (
    decrypt_data_key,
    dry_run_data_key,
    encrypt_with_new_key,
    generate_data_key,
    generate_data_key_after_dry_run,
    require_shared_key,
    require_usable_key,
)
from kmsmock.services.secretsmanager.state import (
    CURRENT,
    Secret,
    requested_key,
    secrets_of,
)
from kmsmock.services.secretsmanager.store import get_secret


def _create_secret(call: ServiceCall) -> Steps:
    parameters = call.parameters
    key_id = requested_key(parameters.get("KmsKeyId"))
    future = Secret(_future_arn(call, parameters["Name"]), key_id)
    if parameters.get("KmsKeyId"):
        require_usable_key(call, future)
    if _has_value(parameters):
        dry_run_data_key(call, future, parameters["ClientRequestToken"])
    answer = yield
    state = secrets_of(call)
    if answer["ARN"] in state.secrets:
        return  # The request was repeated with the same token, which stores nothing.
    secret = Secret(answer["ARN"], key_id)
    state.add(secret)
    if _has_value(parameters):
        # The encryption context of the data key has the ARN, which is known only now.
        version = answer["VersionId"]
        secret.versions[version] = [generate_data_key_after_dry_run(call, secret, version)]
        secret.move_stage(CURRENT, version)
    replicate(call, secret, parameters.get("AddReplicaRegions", ()), answer)
    set_replica_members(secret, answer)


def _put_secret_value(call: ServiceCall) -> Steps:
    secret = get_secret(call)
    if secret is None:
        yield
        return
    require_shared_key(call, secret)
    version = call.parameters["ClientRequestToken"]
    data_key = generate_data_key(call, secret, version)
    if version in secret.versions:
        decrypt_data_key(call, secret, version)  # as AWS does, to compare the values
    yield
    secret.versions.setdefault(version, [data_key])
    for stage in call.parameters.get("VersionStages", [CURRENT]):
        secret.move_stage(stage, version)
    sync_replicas(call, secret)


def _update_secret(call: ServiceCall) -> Steps:
    parameters, secret = call.parameters, get_secret(call)
    if secret is None:
        yield
        return
    old_key = secret.key_id
    key_id = requested_key(parameters["KmsKeyId"]) if "KmsKeyId" in parameters else old_key
    changed = Secret(secret.arn, key_id)
    require_shared_key(call, changed)
    if "KmsKeyId" in parameters:
        require_usable_key(call, changed)
    version, data_key = parameters["ClientRequestToken"], None
    if _has_value(parameters):
        data_key = generate_data_key(call, changed, version)
    yield
    secret.key_id = key_id
    if key_id != old_key:
        encrypt_with_new_key(call, secret)
    if data_key is not None:
        secret.versions.setdefault(version, [data_key])
        secret.move_stage(CURRENT, version)
        sync_replicas(call, secret)


def _update_secret_version_stage(call: ServiceCall) -> Steps:
    secret = get_secret(call)
    yield
    if secret is None:
        return
    stage = call.parameters["VersionStage"]
    version = call.parameters.get("MoveToVersionId")
    if version is not None:
        secret.move_stage(stage, version)
        sync_replicas(call, secret)
    else:
        secret.stages.pop(stage, None)


def _has_value(parameters: Mapping[str, Any]) -> bool:
    return "SecretString" in parameters or "SecretBinary" in parameters


def _future_arn(call: ServiceCall, name: str) -> str:
    """Return an ARN like that of a new secret, for which the store will choose another suffix."""
    letters = string.ascii_letters
    suffix = "".join(letters[byte % len(letters)] for byte in call.backend.entropy(6))
    return call.arn("secretsmanager", f"secret:{name}-{suffix}")


OPERATIONS: Mapping[str, BesideHandler] = {
    "CreateSecret": _create_secret,
    "PutSecretValue": _put_secret_value,
    "UpdateSecret": _update_secret,
    "UpdateSecretVersionStage": _update_secret_version_stage,
}
