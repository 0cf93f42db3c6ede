"""Replicas of secrets: their data keys are under keys of their own Regions.

Source: AWS Secrets Manager User Guide, "Replicate AWS Secrets Manager secrets across Regions" and
"Troubleshoot AWS Secrets Manager replication", by which a refusal of KMS shows in the status.
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
    find_secret,
    requested_key,
    secrets_of,
)


def _replicate_secret(call: ServiceCall) -> Steps:
    secret = find_secret(call)
    answer = yield
    if secret is not None:
        replicate(call, secret, call.parameters["AddReplicaRegions"], answer)
        show_replicas(secret, answer)


def _remove_regions(call: ServiceCall) -> Steps:
    secret = find_secret(call)
    answer = yield
    if secret is not None:
        for region in call.parameters["RemoveReplicaRegions"]:
            gone = secret.replicas.pop(region, None)
            if gone is not None:
                secrets_of(call).secrets.pop(gone.arn, None)
        show_replicas(secret, answer)


def replicate(
    call: ServiceCall,
    secret: Secret,
    requested: Iterable[Mapping[str, str]],
    answer: Mapping[str, Any],
) -> None:
    """Keep new replicas of a secret. answer: it has the status of those that were not stored."""
    failed = {one["Region"] for one in _statuses(answer) if one["Status"] == "Failed"}
    for one in requested:
        region = one["Region"]
        if region in failed:
            continue
        arn = str(Arn.of(secret.arn)._replace(region=region))
        replica = Secret(arn, requested_key(one.get("KmsKeyId")), primary=secret.arn)
        secret.replicas[region] = replica
        secrets_of(call).keep(replica)
    bring_in_sync(call, secret)


def bring_in_sync(call: ServiceCall, secret: Secret) -> None:
    """Encrypt the data keys of labelled versions for the replicas that lack them.

    Where KMS refuses, the replica stays without, and its status says so.
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


def show_replicas(secret: Secret, answer: Mapping[str, Any]) -> None:
    """Tell in an answer the keys of replicas, and which of them KMS has refused."""
    for shown in _statuses(answer):
        replica = secret.replicas.get(shown["Region"])
        if replica is None:
            continue
        shown["KmsKeyId"] = replica.key_id or MANAGED_KEY
        if replica.failure is not None:
            shown.update(Status="Failed", StatusMessage=replica.failure)


def _statuses(answer: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    statuses: Iterable[dict[str, Any]] = answer.get("ReplicationStatus", ())
    return statuses


OPERATIONS: Mapping[str, BesideHandler] = {
    "ReplicateSecretToRegions": _replicate_secret,
    "RemoveRegionsFromReplication": _remove_regions,
}
