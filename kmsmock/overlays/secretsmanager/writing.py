"""Writing secrets: nothing is stored when KMS refuses.

Source: AWS Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager".
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from kmsmock.overlays.secretsmanager.data_keys import (
    make_new,
    make_rehearsed,
    open_,
    rehearse_new,
    validate,
    wrap_again,
)
from kmsmock.overlays.secretsmanager.replicas import bring_in_sync, replicate, show_replicas
from kmsmock.overlays.secretsmanager.stored import CURRENT, Secret, found, kept_key, secrets_of
from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.registry import ServiceCall


def _create(call: ServiceCall) -> Steps:
    parameters = call.parameters
    key_id = kept_key(parameters.get("KmsKeyId"))
    future = Secret(_future_arn(call, parameters["Name"]), key_id)
    if parameters.get("KmsKeyId"):
        validate(call, future)
    if _has_value(parameters):
        rehearse_new(call, future, parameters["ClientRequestToken"])
    answer = yield
    held = secrets_of(call)
    if answer["ARN"] in held.secrets:
        return  # asked for once more, which stores nothing
    secret = Secret(answer["ARN"], key_id)
    held.keep(secret)
    if _has_value(parameters):
        # Only now is the ARN known, which the data key is bound to.
        version = answer["VersionId"]
        secret.versions[version] = [make_rehearsed(call, secret, version)]
        secret.move(CURRENT, version)
    replicate(call, secret, parameters.get("AddReplicaRegions", ()), answer)
    show_replicas(secret, answer)


def _put(call: ServiceCall) -> Steps:
    secret = found(call)
    if secret is None:
        yield
        return
    version = call.parameters["ClientRequestToken"]
    wrapped = make_new(call, secret, version)
    if version in secret.versions:
        open_(call, secret, version)  # to see whether it is the same value
    yield
    secret.versions.setdefault(version, [wrapped])
    for stage in call.parameters.get("VersionStages", [CURRENT]):
        secret.move(stage, version)
    bring_in_sync(call, secret)


def _update(call: ServiceCall) -> Steps:
    parameters, secret = call.parameters, found(call)
    if secret is None:
        yield
        return
    before = secret.key_id
    key_id = kept_key(parameters["KmsKeyId"]) if "KmsKeyId" in parameters else before
    changed = Secret(secret.arn, key_id)
    if "KmsKeyId" in parameters:
        validate(call, changed)
    version, wrapped = parameters["ClientRequestToken"], None
    if _has_value(parameters):
        wrapped = make_new(call, changed, version)
    yield
    secret.key_id = key_id
    if key_id != before:
        wrap_again(call, secret)
    if wrapped is not None:
        secret.versions.setdefault(version, [wrapped])
        secret.move(CURRENT, version)
        bring_in_sync(call, secret)


def _move_stage(call: ServiceCall) -> Steps:
    secret = found(call)
    yield
    if secret is None:
        return
    stage = call.parameters["VersionStage"]
    version = call.parameters.get("MoveToVersionId")
    if version is not None:
        secret.move(stage, version)
        bring_in_sync(call, secret)
    else:
        secret.stages.pop(stage, None)


def _has_value(parameters: Mapping[str, Any]) -> bool:
    return "SecretString" in parameters or "SecretBinary" in parameters


def _future_arn(call: ServiceCall, name: str) -> str:
    """Make an ARN as the secret will have one; what stores it will make its own ending."""
    letters = string.ascii_letters
    ending = "".join(letters[byte % len(letters)] for byte in call.backend.entropy(6))
    return (
        f"arn:{call.partition}:secretsmanager:{call.region}:{call.account}:secret:{name}-{ending}"
    )


OPERATIONS: Mapping[str, BesideHandler] = {
    "CreateSecret": _create,
    "PutSecretValue": _put,
    "UpdateSecret": _update,
    "UpdateSecretVersionStage": _move_stage,
}
