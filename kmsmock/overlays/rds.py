"""Databases of RDS under keys of KMS, while another mock answers RDS.

What RDS does with a key at the time of the request is done before anything is stored; what it does
later, by its grant, once it is stored.

Source: Amazon RDS User Guide, "Encrypting Amazon RDS resources".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from kmsmock.services.beside import BesideStore, NotStoredError, Steps
from kmsmock.services.rds import kms_calls
from kmsmock.services.rds.encrypting import (
    SOURCE_KEY,
    SPECIFIED_KEY,
    asked_key,
    describe_target,
    key_faults,
)
from kmsmock.services.rds.kinds import CLUSTER, INSTANCE, Kind
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import region_of


@dataclass(frozen=True, slots=True)
class Encrypted:
    """What a database or snapshot is encrypted under. grant: of RDS; None for snapshots."""

    key: kms_calls.DataKey
    resource_id: str
    grant: kms_calls.Grant | None = None

    @property
    def key_arn(self) -> str:
        """The ARN of the KMS key."""
        return self.key.key_arn

    def context(self, kind: Kind) -> kms_calls.Context:
        """Give the encryption context that grants are bound to."""
        return {kind.context_key: self.resource_id}


@dataclass(slots=True)
class Databases:
    """Encrypted databases and snapshots by ARN."""

    encrypted: dict[str, Encrypted] = field(default_factory=dict)


def _create(kind: Kind) -> Callable[[ServiceCall], Steps]:
    def create(call: ServiceCall) -> Steps:
        key = asked_key(call)
        if key is None:
            yield
            return
        yield from _keep(call, kind, key)

    return create


def _restore(kind: Kind) -> Callable[[ServiceCall], Steps]:
    def restore(call: ServiceCall) -> Steps:
        source = _found(call, kind.snapshot_arn, call.parameters[kind.restore_from])
        key = call.parameters.get("KmsKeyId")
        if source is not None:
            key = key or source.key_arn
        if key is None:
            yield
            return
        yield from _keep(call, kind, key)

    return restore


def _keep(call: ServiceCall, kind: Kind, key: str) -> Steps:
    """Let RDS have a key for a database, and make the data key once it is stored."""
    resource_id = _new_resource_id(call, kind)
    key_arn = describe_target(call, SPECIFIED_KEY, key)
    context = {kind.context_key: resource_id}
    with key_faults(SPECIFIED_KEY, key):
        grant = kms_calls.lend(call, key_arn, context)
    try:
        answer = yield
    except NotStoredError:
        kms_calls.retire(call.backend, call.now, [grant])
        raise
    data_key = kms_calls.new_data_key(call.backend, call.now, key_arn, context)
    shown = answer[kind.name]
    _held(call)[shown[kind.arn_member]] = Encrypted(data_key, resource_id, grant)
    _show(call, kind, [shown])


def _delete(kind: Kind) -> Callable[[ServiceCall], Steps]:
    def delete(call: ServiceCall) -> Steps:
        answer = yield
        shown = answer[kind.name]
        _show(call, kind, [shown])
        kept = _held(call).pop(shown[kind.arn_member], None)
        if kept is not None and kept.grant is not None:
            kms_calls.retire(call.backend, call.now, [kept.grant])

    return delete


def _describe(kind: Kind) -> Callable[[ServiceCall], Steps]:
    def describe(call: ServiceCall) -> Steps:
        answer = yield
        _show(call, kind, answer[f"{kind.name}s"])

    return describe


def _snapshot(kind: Kind) -> Callable[[ServiceCall], Steps]:
    def snapshot(call: ServiceCall) -> Steps:
        source = _found(call, kind.arn, call.parameters[kind.identifier])
        if source is not None:
            with key_faults(SPECIFIED_KEY, source.key_arn):
                kms_calls.describe_key(call, source.key_arn)
        answer = yield
        if source is not None:
            shown = answer[kind.snapshot]
            arn = shown[f"{kind.snapshot}Arn"]
            _held(call)[arn] = Encrypted(source.key, source.resource_id)
            shown["KmsKeyId"] = source.key_arn

    return snapshot


def _copy(kind: Kind) -> Callable[[ServiceCall], Steps]:
    def copy(call: ServiceCall) -> Steps:
        named = call.parameters[f"Source{kind.snapshot_identifier}"]
        source = _found(call, kind.snapshot_arn, named)
        if source is None and "KmsKeyId" not in call.parameters:
            yield
            return
        resource_id = _new_resource_id(call, kind) if source is None else source.resource_id
        context = {kind.context_key: resource_id}
        grants: list[kms_calls.Grant] = []
        try:
            target = _lend(call, kind, source, context, grants)
            answer = yield
            key = kms_calls.new_data_key(call.backend, call.now, target, context)
            for opened in (key,) if source is None else (source.key, key):
                kms_calls.open_data_key(call.backend, call.now, opened)
        finally:
            kms_calls.retire(call.backend, call.now, grants)
        shown = answer[kind.snapshot]
        _held(call)[shown[f"{kind.snapshot}Arn"]] = Encrypted(key, resource_id)
        shown["KmsKeyId"] = target

    return copy


def _lend(
    call: ServiceCall,
    kind: Kind,
    source: Encrypted | None,
    context: kms_calls.Context,
    grants: list[kms_calls.Grant],
) -> str:
    """Look at the keys of a copy, and let RDS use them; gives the ARN of the target's."""
    if source is not None:
        with key_faults(SOURCE_KEY, source.key_arn):
            kms_calls.describe_key(call, source.key_arn, region_of(source.key_arn))
    own = "" if source is None else source.key_arn
    target: str = call.parameters.get("KmsKeyId", own)
    target_arn = describe_target(call, kind.target_key, target)
    if source is not None:
        with key_faults(SOURCE_KEY, source.key_arn):
            grants.append(kms_calls.lend(call, source.key_arn, source.context(kind)))
    if source is None or target_arn != source.key_arn:
        with key_faults(kind.target_key, target):
            grants.append(kms_calls.lend(call, target_arn, context))
    return target_arn


def _new_resource_id(call: ServiceCall, kind: Kind) -> str:
    return f"{kind.prefix}-{call.backend.entropy(13).hex().upper()}"


def _found(call: ServiceCall, word: str, named: str) -> Encrypted | None:
    """Find what is encrypted by its name or ARN; None for what is not, or was made unseen."""
    arn = f"arn:{call.partition}:rds:{call.region}:{call.account}:{word}:{named}"
    return _held(call).get(named if named.startswith("arn:") else arn)


def _show(call: ServiceCall, kind: Kind, shown: Iterable[dict[str, Any]]) -> None:
    """Show keys, and the resource ids that they are bound to."""
    held = _held(call)
    for one in shown:
        kept = held.get(one.get(kind.arn_member, ""))
        if kept is not None:
            one["KmsKeyId"], one[kind.resource_id] = kept.key_arn, kept.resource_id


def _held(call: ServiceCall) -> dict[str, Encrypted]:
    return call.backend.service_state(Databases).encrypted


BESIDE = BesideStore(
    {
        "CreateDBInstance": _create(INSTANCE),
        "CreateDBCluster": _create(CLUSTER),
        "DeleteDBInstance": _delete(INSTANCE),
        "DeleteDBCluster": _delete(CLUSTER),
        "DescribeDBInstances": _describe(INSTANCE),
        "DescribeDBClusters": _describe(CLUSTER),
        "CreateDBSnapshot": _snapshot(INSTANCE),
        "CreateDBClusterSnapshot": _snapshot(CLUSTER),
        "CopyDBSnapshot": _copy(INSTANCE),
        "CopyDBClusterSnapshot": _copy(CLUSTER),
        "RestoreDBInstanceFromDBSnapshot": _restore(INSTANCE),
        "RestoreDBClusterFromSnapshot": _restore(CLUSTER),
    },
    {},
    hidden=("KmsKeyId",),
)
