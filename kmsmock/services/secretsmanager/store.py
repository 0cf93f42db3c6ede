"""Secrets as their store has them, which may have been changed without a record.

A secret that the mock has not seen created, such as one that RDS made for a master user, gets data
keys here, under the key that the store says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.services.registry import ServiceCall
from kmsmock.services.secretsmanager.state import (
    MANAGED_KEY,
    MANAGED_KEY_IN_ANSWERS,
    EncryptedDataKey,
    Secret,
    context_of,
    find_secret,
    requested_key,
    secrets_of,
)
from kmsmock.services.store_reader import StoreReader, owner_of
from kmsmock.services.unrecorded_data_keys import encrypt_data_key, find_key


def get_secret(call: ServiceCall, secret_id: str | None = None) -> Secret | None:
    """Return a secret as its store has it now; None if nothing is known about it.

    secret_id: its ARN or name; that in the request when None.
    """
    secret_id = call.parameters.get("SecretId") if secret_id is None else secret_id
    if not isinstance(secret_id, str):
        return None
    _SECRETS.refresh(call, secret_id)
    return find_secret(call, secret_id)


def _keep(call: ServiceCall, secret_id: str, answer: Mapping[str, Any]) -> None:
    arn, state = answer["ARN"], secrets_of(call)
    known = find_secret(call, secret_id)
    if known is not None and known.arn != arn:
        state.remove(known.arn)  # and made anew under the same name
    secret = state.secrets.get(arn)
    key_id = requested_key(answer.get("KmsKeyId"))
    if secret is None:
        secret = Secret(arn, key_id)
        if answer.get("PrimaryRegion") not in (None, secret.region):
            secret.primary = str(Arn.of(arn)._replace(region=answer["PrimaryRegion"]))
        state.add(secret)
    elif secret.primary is not None:
        _keep_seen_replica(call, secret, answer)
        return
    stages = answer.get("VersionIdsToStages") or {}
    secret.stages = {stage: version for version, names in stages.items() for stage in names}
    is_changed = secret.key_id != key_id
    secret.key_id = key_id
    _make_data_keys(call, secret, stages, is_changed=is_changed)
    for status in answer.get("ReplicationStatus", ()):
        _keep_replica(call, secret, status)


def _keep_seen_replica(call: ServiceCall, replica: Secret, answer: Mapping[str, Any]) -> None:
    """Keep what the store says of a replica that the mock knows.

    A store may show the key of its primary secret, and versions that were not replicated.
    """
    primary = secrets_of(call).secrets.get(replica.primary or "")
    known = {} if primary is None else primary.versions
    key_id = requested_key(answer.get("KmsKeyId"))
    is_changed = key_id not in (replica.key_id, None if primary is None else primary.key_id)
    if is_changed:
        replica.key_id = key_id
    versions = answer.get("VersionIdsToStages") or {}
    unrecorded = [each for each in versions if each not in known]
    _make_data_keys(call, replica, unrecorded, is_changed=is_changed)


def _keep_replica(call: ServiceCall, secret: Secret, status: Mapping[str, Any]) -> None:
    """Keep a replica that the mock has not seen created. status: that the store shows."""
    region = status.get("Region")
    if region is None or region in secret.replicas:
        return
    arn = str(Arn.of(secret.arn)._replace(region=region))
    replica = Secret(arn, requested_key(status.get("KmsKeyId")), primary=secret.arn)
    replica.stages = dict(secret.stages)
    secret.replicas[region] = replica
    secrets_of(call).add(replica)
    _make_data_keys(call, replica, secret.versions, is_changed=False)


def _make_data_keys(
    call: ServiceCall, secret: Secret, versions: Iterable[str], *, is_changed: bool
) -> None:
    """Make data keys for the versions of which the mock has none under the present key.

    is_changed: whether another key encrypts the secret than before. Replicas that Secrets Manager
    could not encrypt have none.
    """
    arn = Arn.of(secret.arn)
    if secret.failure is not None:
        return
    missing = [each for each in versions if is_changed or each not in secret.versions]
    key = find_key(
        call.backend, secret.key_id or MANAGED_KEY, owner_of(call, secret.arn), arn.region
    )
    if not missing or key is None:
        return
    shown = MANAGED_KEY_IN_ANSWERS if secret.key_id is None else key.arn
    for version in missing:
        ciphertext = encrypt_data_key(call.backend, key, context_of(secret.arn, version))
        secret.versions.setdefault(version, []).append(EncryptedDataKey(shown, ciphertext))


def _forget(call: ServiceCall, secret_id: str) -> None:
    secret = find_secret(call, secret_id)
    if secret is not None:
        secrets_of(call).remove(secret.arn)


_SECRETS = StoreReader(
    "secretsmanager",
    "DescribeSecret",
    lambda secret_id: {"SecretId": secret_id},
    ("ResourceNotFoundException",),
    _keep,
    _forget,
)
