"""RDS beside another mock: databases and snapshots are encrypted with KMS keys.

The flows are the same as when kmsmock answers RDS. Recorded is what they need of the databases and
snapshots that the other mock stores; what it stored while kmsmock was not active counts as not
encrypted.

Source: Amazon RDS User Guide, "Encrypting Amazon RDS resources".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.services.beside import BesideStore, Steps, until_stored
from kmsmock.services.rds.arns import database_arn, snapshot_arn
from kmsmock.services.rds.kinds import CLUSTER, INSTANCE, KINDS, Kind
from kmsmock.services.rds.kms_use.databases import (
    CreateDatabase,
    DeleteDatabase,
    StartDatabase,
    StopDatabase,
)
from kmsmock.services.rds.kms_use.encryption import (
    DatabaseEncryption,
    SnapshotEncryption,
    new_resource_id,
)
from kmsmock.services.rds.kms_use.keys import is_member, refuse_key_of_member
from kmsmock.services.rds.kms_use.snapshots import (
    CopySnapshot,
    CreateSnapshot,
    RestoreDatabase,
    ShareSnapshot,
    require_restorable,
)
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import KeyUnusableError
from kmsmock.services.store_reader import StoredElsewhere
from kmsmock.state.failures import failures_of


@dataclass(frozen=True, slots=True)
class StoredDatabase:
    """An encrypted database that the other mock stores."""

    resource_id: str
    engine: str
    encryption: DatabaseEncryption


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A snapshot that the other mock stores, as flows need it (a `SourceSnapshot`)."""

    kind: Kind
    owner: str
    region: str
    resource_id: str
    engine: str
    encryption: SnapshotEncryption | None


@dataclass(slots=True)
class BesideStorage(StoredElsewhere):
    """Encrypted databases and snapshots, by ARN."""

    databases: dict[str, StoredDatabase] = field(default_factory=dict)
    snapshots: dict[str, StoredSnapshot] = field(default_factory=dict)


# --- databases ----------------------------------------------------------------------------------


def _create_database(kind: Kind, call: ServiceCall) -> Steps:
    if is_member(call, kind):
        refuse_key_of_member(call)
    flow = CreateDatabase(call, kind, new_resource_id(call.backend, kind))
    answer = yield from until_stored(flow)
    _record_database(call, kind, flow, answer[kind.name])


def _restore_database(kind: Kind, call: ServiceCall) -> Steps:
    source = _find_snapshot(call, kind, call.parameters[kind.restore_from])
    require_restorable(call, source)
    flow = RestoreDatabase(call, source, new_resource_id(call.backend, kind))
    answer = yield from until_stored(flow)
    _record_database(call, kind, flow, answer[kind.name])


def _start_database(kind: Kind, call: ServiceCall) -> Steps:
    encryption = _get_encryption(call, kind)
    if encryption is not None and encryption.plaintext_key is not None:
        encryption = None  # It runs, so that the other mock refuses.
    answer = yield from until_stored(StartDatabase(call, encryption))
    _put_keys_into_databases(call, kind, [answer[kind.name]])


def _stop_database(kind: Kind, call: ServiceCall) -> Steps:
    flow = StopDatabase(call, _get_encryption(call, kind))
    answer = yield from until_stored(flow)
    flow.complete(call.now)
    _record_last_snapshot(call, kind, "DBSnapshotIdentifier")
    _put_keys_into_databases(call, kind, [answer[kind.name]])


def _delete_database(kind: Kind, call: ServiceCall) -> Steps:
    flow = DeleteDatabase(call, _get_encryption(call, kind))
    answer = yield from until_stored(flow)
    _put_keys_into_databases(call, kind, [answer[kind.name]])
    _record_last_snapshot(call, kind, "FinalDBSnapshotIdentifier")
    flow.complete(call.now)
    _storage(call).databases.pop(answer[kind.name][kind.arn_member], None)


def _record_last_snapshot(call: ServiceCall, kind: Kind, member: str) -> None:
    """Record the final snapshot of a database, if the call requests one."""
    snapshot = call.parameters.get(member)
    if snapshot:
        _record_snapshot_of_database(call, kind, call.parameters[kind.identifier], snapshot)


def _describe_databases(kind: Kind, call: ServiceCall) -> Steps:
    answer = yield
    responses = answer[f"{kind.name}s"]
    _put_keys_into_databases(call, kind, responses)
    _put_failed_status(call, responses, kind.arn_member, kind.status.member)


# --- snapshots ----------------------------------------------------------------------------------


def _create_snapshot(kind: Kind, call: ServiceCall) -> Steps:
    answer = yield from until_stored(CreateSnapshot(call, _get_encryption(call, kind)))
    parameters = call.parameters
    _record_snapshot_of_database(
        call, kind, parameters[kind.identifier], parameters[kind.snapshot_identifier]
    )
    _put_keys_into_snapshots(call, kind, [answer[kind.snapshot]])


def _copy_snapshot(kind: Kind, call: ServiceCall) -> Steps:
    source = _find_snapshot(call, kind, call.parameters[f"Source{kind.snapshot_identifier}"])
    flow = CopySnapshot(call, source)
    answer = yield from until_stored(flow)
    response = answer[kind.snapshot]
    arn = response[f"{kind.snapshot}Arn"]
    if flow.encryption is not None:
        failures_of(call.backend).pop(arn, None)
        _complete(call, flow, arn)
        _record_snapshot(call, kind, arn, source, flow.encryption)
    _put_keys_into_snapshots(call, kind, [response])


def _share_snapshot(kind: Kind, call: ServiceCall) -> Steps:
    snapshot = _find_snapshot(call, kind, call.parameters[kind.snapshot_identifier])
    yield from until_stored(ShareSnapshot(call, kind, snapshot.encryption))


def _describe_snapshots(kind: Kind, call: ServiceCall) -> Steps:
    answer = yield
    responses = answer[f"{kind.snapshot}s"]
    for response in responses:
        if response["SnapshotType"] == "automated":
            arn = response[f"{kind.snapshot}Arn"]
            _record_snapshot_of_database(call, kind, response[kind.identifier], arn)
    _put_keys_into_snapshots(call, kind, responses)
    _put_failed_status(call, responses, f"{kind.snapshot}Arn", "Status")


def _delete_snapshot(kind: Kind, call: ServiceCall) -> Steps:
    answer = yield
    response = answer[kind.snapshot]
    _put_keys_into_snapshots(call, kind, [response])
    arn = response[f"{kind.snapshot}Arn"]
    _storage(call).snapshots.pop(arn, None)
    failures_of(call.backend).pop(arn, None)


# --- records -------------------------------------------------------------------------------------


def _record_database(
    call: ServiceCall,
    kind: Kind,
    flow: CreateDatabase | RestoreDatabase,
    response: dict[str, Any],
) -> None:
    arn = response[kind.arn_member]
    failures_of(call.backend).pop(arn, None)
    if flow.encryption is not None:
        stored = StoredDatabase(flow.resource_id, response["Engine"], flow.encryption)
        _storage(call).databases[arn] = stored
        _complete(call, flow, arn)
    _put_keys_into_databases(call, kind, [response])


def _record_snapshot_of_database(
    call: ServiceCall, kind: Kind, name_or_arn: str, snapshot: str
) -> None:
    """Record a snapshot of an encrypted database. name_or_arn, snapshot: their names or ARNs."""
    database = _get_database(call, kind, name_or_arn)
    if database is not None:
        arn = snapshot_arn(call, kind, snapshot)
        _record_snapshot(call, kind, arn, database, database.encryption.for_snapshot())


def _record_snapshot(
    call: ServiceCall,
    kind: Kind,
    arn: str,
    source: StoredDatabase | StoredSnapshot,
    encryption: SnapshotEncryption,
) -> None:
    _storage(call).snapshots[arn] = StoredSnapshot(
        kind, call.account, call.region, source.resource_id, source.engine, encryption
    )


def _complete(
    call: ServiceCall, flow: CreateDatabase | RestoreDatabase | CopySnapshot, arn: str
) -> None:
    try:
        flow.complete(call.now)
    except KeyUnusableError as reason:
        failures_of(call.backend)[arn] = str(reason)


def _get_encryption(call: ServiceCall, kind: Kind) -> DatabaseEncryption | None:
    """Find the encryption of the database that a call names."""
    database = _get_database(call, kind, call.parameters[kind.identifier])
    return None if database is None else database.encryption


def _get_database(call: ServiceCall, kind: Kind, name_or_arn: str) -> StoredDatabase | None:
    is_arn = Arn.parse(name_or_arn) is not None
    arn = name_or_arn if is_arn else database_arn(call, kind, name_or_arn.lower())
    return _storage(call).databases.get(arn)


def _find_snapshot(call: ServiceCall, kind: Kind, name_or_arn: str) -> StoredSnapshot:
    """Find a snapshot by its name or ARN; one that is not recorded counts as not encrypted."""
    name = snapshot_arn(call, kind, name_or_arn)
    snapshot = _storage(call).snapshots.get(name)
    if snapshot is not None:
        return snapshot
    arn = Arn.of(name)
    engine = call.parameters.get("Engine", "")
    resource_id = new_resource_id(call.backend, kind)
    return StoredSnapshot(kind, arn.account, arn.region, resource_id, engine, None)


def _storage(call: ServiceCall) -> BesideStorage:
    return call.backend.service_state(BesideStorage)


# --- responses ----------------------------------------------------------------------------------


def _put_keys_into_databases(
    call: ServiceCall, kind: Kind, responses: Iterable[dict[str, Any]]
) -> None:
    """Set the keys in responses, and the resource ids that the encryption contexts have."""
    databases = _storage(call).databases
    for response in responses:
        database = databases.get(response[kind.arn_member])
        if database is not None:
            response[kind.resource_id] = database.resource_id
        elif kind is INSTANCE and response.get("DBClusterIdentifier"):
            database = _get_database(call, CLUSTER, response["DBClusterIdentifier"])
        if database is not None:
            response["StorageEncrypted"] = True
            response["KmsKeyId"] = database.encryption.key_arn


def _put_keys_into_snapshots(
    call: ServiceCall, kind: Kind, responses: Iterable[dict[str, Any]]
) -> None:
    snapshots = _storage(call).snapshots
    for response in responses:
        snapshot = snapshots.get(response[f"{kind.snapshot}Arn"])
        if snapshot is not None and snapshot.encryption is not None:
            response[kind.resource_id] = snapshot.resource_id
            response[kind.snapshot_encrypted] = True
            response["KmsKeyId"] = snapshot.encryption.key_arn


def _put_failed_status(
    call: ServiceCall, responses: Iterable[dict[str, Any]], arn: str, status: str
) -> None:
    """Set the status of failed resources in responses. arn, status: their members."""
    failures = failures_of(call.backend)
    for response in responses:
        if response[arn] in failures:
            response[status] = "failed"


_OF_EACH_KIND: dict[str, Callable[[Kind, ServiceCall], Steps]] = {
    "Create{0.name}": _create_database,
    "Delete{0.name}": _delete_database,
    "Describe{0.name}s": _describe_databases,
    "Start{0.name}": _start_database,
    "Stop{0.name}": _stop_database,
    "{0.restore}": _restore_database,
    "Create{0.snapshot}": _create_snapshot,
    "Copy{0.snapshot}": _copy_snapshot,
    "Delete{0.snapshot}": _delete_snapshot,
    "Describe{0.snapshot}s": _describe_snapshots,
    "Modify{0.snapshot}Attribute": _share_snapshot,
}
BESIDE = BesideStore(
    {
        name.format(kind): partial(steps, kind)
        for name, steps in _OF_EACH_KIND.items()
        for kind in KINDS
    },
    {},
    hidden=("KmsKeyId",),
)
