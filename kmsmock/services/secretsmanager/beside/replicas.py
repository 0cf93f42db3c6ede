"""Replicas of secrets: their data keys are encrypted with KMS keys of their own Regions.

Source: AWS Secrets Manager User Guide, "Replicate AWS Secrets Manager secrets across Regions" and
"Troubleshoot AWS Secrets Manager replication", by which the status reports a refusal of KMS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.aws.errors import ServiceError
from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.registry import ServiceCall
from kmsmock.services.secretsmanager.kms_use import (
    decrypt_data_key,
    encrypt_data_key,
    generate_data_key,
)
from kmsmock.services.secretsmanager.state import (
    MANAGED_KEY,
    Secret,
    requested_key,
    secrets_of,
)
from kmsmock.services.secretsmanager.store import get_secret


def _replicate_secret(call: ServiceCall) -> Steps:
    secret = get_secret(call)
    answer = yield
    if secret is not None:
        replicate(call, secret, call.parameters["AddReplicaRegions"], answer)
        set_replica_members(secret, answer)


def _remove_regions(call: ServiceCall) -> Steps:
    secret = get_secret(call)
    answer = yield
    if secret is not None:
        for region in call.parameters["RemoveReplicaRegions"]:
            removed = secret.replicas.pop(region, None)
            if removed is not None:
                secrets_of(call).secrets.pop(removed.arn, None)
        set_replica_members(secret, answer)


def replicate(
    call: ServiceCall,
    secret: Secret,
    requested: Iterable[Mapping[str, str]],
    answer: Mapping[str, Any],
) -> None:
    """Create the requested replicas of a secret.

    requested: members ``AddReplicaRegions`` of the request. answer: of the store, with the status
    of those that it did not create.
    """
    failed = {status["Region"] for status in _statuses(answer) if status["Status"] == "Failed"}
    for replica_region in requested:
        region = replica_region["Region"]
        if region in failed:
            continue
        arn = str(Arn.of(secret.arn)._replace(region=region))
        key_id = requested_key(replica_region.get("KmsKeyId"))
        replica = Secret(arn, key_id, primary=secret.arn)
        secret.replicas[region] = replica
        secrets_of(call).add(replica)
    sync_replicas(call, secret)


def sync_replicas(call: ServiceCall, secret: Secret) -> None:
    """Encrypt the data keys of labelled versions for the replicas that do not have them.

    When KMS refuses, the replica does not get the version, and its status says why.
    """
    for replica in secret.replicas.values():
        replica.stages = dict(secret.stages)
        for version in secret.labelled(secret.stages):
            if version in replica.versions:
                continue
            try:
                data_key = decrypt_data_key(call, secret, version)
                generate_data_key(call, replica, version)
                replica.versions[version] = [encrypt_data_key(call, replica, version, data_key)]
            except ServiceError as error:
                replica.failure = f"Replication failed: {error.message}"
                break
        else:
            replica.failure = None


def set_replica_members(secret: Secret, answer: Mapping[str, Any]) -> None:
    """Set the keys of replicas in an answer, and the status of those that KMS has refused."""
    for status in _statuses(answer):
        replica = secret.replicas.get(status["Region"])
        if replica is None:
            continue
        status["KmsKeyId"] = replica.key_id or MANAGED_KEY
        if replica.failure is not None:
            status.update(Status="Failed", StatusMessage=replica.failure)


def _statuses(answer: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    statuses: Iterable[dict[str, Any]] = answer.get("ReplicationStatus", ())
    return statuses


OPERATIONS: Mapping[str, BesideHandler] = {
    "ReplicateSecretToRegions": _replicate_secret,
    "RemoveRegionsFromReplication": _remove_regions,
}
