"""What is known of the encrypted databases and snapshots that the other mock stores, by ARN."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.services.beside import NotStoredError, until_stored
from kmsmock.services.flows import Flow
from kmsmock.services.rds.arns import database_arn, snapshot_arn
from kmsmock.services.rds.kinds import Kind
from kmsmock.services.rds.kms_use.databases import CreateDatabase
from kmsmock.services.rds.kms_use.encryption import (
    DatabaseEncryption,
    SnapshotEncryption,
    new_resource_id,
)
from kmsmock.services.rds.kms_use.lost_keys import (
    AVAILABLE,
    DELETING,
    CheckedDatabases,
    begin_key_checks,
)
from kmsmock.services.rds.kms_use.snapshots import CopySnapshot, RestoreDatabase
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import KeyUnusableError
from kmsmock.services.store_reader import StoredElsewhere
from kmsmock.state.failures import failures_of

#: The flows that make a database.
NewDatabase = CreateDatabase | RestoreDatabase


@dataclass(slots=True, eq=False)
class StoredDatabase:
    """An encrypted database that the other mock stores."""

    arn: str
    resource_id: str
    engine: str
    encryption: DatabaseEncryption
    #: ``available`` or ``stopped``, as far as keys are concerned, or that its key cannot be used.
    status: str = AVAILABLE
    lost_since: datetime | None = None
    #: The other mock's latest description of it.
    members: dict[str, Any] = field(default_factory=dict)
    #: When it was created; another time tells that it was made anew.
    created: Any = None

    @property
    def identifier(self) -> str:
        """Its name."""
        return Arn.of(self.arn).resource_id


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
    """Encrypted databases and snapshots by ARN, exports, and blue/green deployments."""

    databases: dict[str, StoredDatabase] = field(default_factory=dict)
    snapshots: dict[str, StoredSnapshot] = field(default_factory=dict)
    #: Account, Region and name of an export -> the ARN of its key.
    exports: dict[tuple[str, str, str], str] = field(default_factory=dict)
    #: ARN that a name stands for in the account of a caller -> the ARN in the other mock, which can
    #: have the resources of all callers in one account.
    arns: dict[str, str] = field(default_factory=dict)
    #: ARN -> a deleted database whose automated backups are retained.
    retained: dict[str, StoredDatabase] = field(default_factory=dict)
    #: Identifier of a blue/green deployment -> the ARNs of its blue and green database.
    deployments: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class ChecksBeside(CheckedDatabases, StoredElsewhere):
    """The databases of the other mock whose keys are checked."""


def storage(call: ServiceCall) -> BesideStorage:
    """Return what is known in a mock, which may be changed."""
    return call.backend.service_state(BesideStorage)


# --- databases ----------------------------------------------------------------------------------


def get_database(call: ServiceCall, kind: Kind, name_or_arn: str) -> StoredDatabase | None:
    """Return an encrypted database; None for one that is not encrypted, or does not exist."""
    return storage(call).databases.get(arn_of_database(call, kind, name_or_arn))


def get_encryption(database: StoredDatabase | None) -> DatabaseEncryption | None:
    """Return the encryption of a database; None for one that is not encrypted."""
    return None if database is None else database.encryption


def arn_of_database(call: ServiceCall, kind: Kind, name_or_arn: str) -> str:
    """Return the ARN of a database that a call names by its name or ARN."""
    if Arn.parse(name_or_arn) is not None:
        return name_or_arn
    arn = database_arn(call, kind, name_or_arn.lower())
    return storage(call).arns.get(arn, arn)


def arn_of_snapshot(call: ServiceCall, kind: Kind, name_or_arn: str) -> str:
    """Return the ARN of a snapshot that a call names by its name or ARN."""
    arn = snapshot_arn(call, kind, name_or_arn)
    return storage(call).arns.get(arn, arn)


def note_arn(call: ServiceCall, arn: str) -> None:
    """Record which ARN the other mock has for a name in the account of a call."""
    parsed = Arn.of(arn)
    if parsed.account != call.account:
        storage(call).arns[str(parsed._replace(account=call.account))] = arn


def record_database(
    call: ServiceCall, kind: Kind, flow: NewDatabase, response: dict[str, Any]
) -> None:
    """Record a new database, also that one of its name is not encrypted any more.

    response: how the other mock describes it.
    """
    arn = response[kind.arn_member]
    note_arn(call, arn)
    forget_database(call, arn)
    if flow.encryption is None:
        return
    database = StoredDatabase(arn, flow.resource_id, response["Engine"], flow.encryption)
    database.created = response.get(kind.created)
    if not complete(call, flow, arn):
        database.status = "failed"
    add_database(call, database)


def add_database(call: ServiceCall, database: StoredDatabase) -> None:
    """Add an encrypted database, whose key is checked while it runs."""
    storage(call).databases[database.arn] = database
    begin_key_checks(call.backend, call.now, database, ChecksBeside)


def forget_database(call: ServiceCall, arn: str) -> None:
    """Forget a database that is deleted, or that the other mock does not have any more."""
    arn = storage(call).arns.get(arn, arn)
    failures_of(call.backend).pop(arn, None)
    database = storage(call).databases.pop(arn, None)
    if database is not None:
        database.status = DELETING


def get_backed_up(call: ServiceCall, kind: Kind, name: str) -> StoredDatabase | None:
    """Return the encrypted database of automated backups, which may be deleted already."""
    retained = storage(call).retained.get(arn_of_database(call, kind, name))
    return get_database(call, kind, name) or retained


def rename_database(call: ServiceCall, database: StoredDatabase, arn: str) -> None:
    """Record that a database has another ARN, because it has another name."""
    if arn == database.arn:
        return
    forget_database(call, arn)
    note_arn(call, arn)
    databases, failures = storage(call).databases, failures_of(call.backend)
    databases[arn] = databases.pop(database.arn)
    if database.arn in failures:
        failures[arn] = failures.pop(database.arn)
    database.arn = arn


# --- snapshots ----------------------------------------------------------------------------------


def find_snapshot(call: ServiceCall, kind: Kind, name_or_arn: str) -> StoredSnapshot:
    """Find a snapshot by its name or ARN; one that is not recorded counts as not encrypted."""
    name = arn_of_snapshot(call, kind, name_or_arn)
    snapshot = storage(call).snapshots.get(name)
    if snapshot is not None:
        return snapshot
    arn = Arn.of(name)
    engine = call.parameters.get("Engine", "")
    resource_id = new_resource_id(call.backend, kind)
    return StoredSnapshot(kind, arn.account, arn.region, resource_id, engine, None)


def record_snapshot_of(
    call: ServiceCall, kind: Kind, database: StoredDatabase | None, snapshot: str
) -> None:
    """Record a snapshot of a database. snapshot: its name or ARN."""
    arn = snapshot_arn(call, kind, snapshot)
    if database is not None and Arn.parse(snapshot) is None:
        arn = str(Arn.of(arn)._replace(account=Arn.of(database.arn).account))
    if database is None:
        forget_snapshot(call, arn)
    else:
        record_snapshot(call, kind, arn, database, database.encryption.for_snapshot())


def record_snapshot(
    call: ServiceCall,
    kind: Kind,
    arn: str,
    source: StoredDatabase | StoredSnapshot,
    encryption: SnapshotEncryption,
) -> None:
    """Record an encrypted snapshot. source: of which it is a snapshot or copy."""
    note_arn(call, arn)
    storage(call).snapshots[arn] = StoredSnapshot(
        kind, call.account, call.region, source.resource_id, source.engine, encryption
    )


def forget_snapshot(call: ServiceCall, arn: str) -> None:
    """Forget a snapshot that is deleted, or made anew and not encrypted."""
    arn = storage(call).arns.get(arn, arn)
    storage(call).snapshots.pop(arn, None)
    failures_of(call.backend).pop(arn, None)


# --- flows --------------------------------------------------------------------------------------


def until_stored_of(
    call: ServiceCall, flow: Flow, database: StoredDatabase | None
) -> Generator[Any, dict[str, Any], dict[str, Any]]:
    """Do what `until_stored` does, and forget a database that the other mock does not have."""
    try:
        return (yield from until_stored(flow))
    except NotStoredError as refusal:
        if database is not None and "NotFound" in refusal.code:
            forget_database(call, database.arn)
        raise


def complete(call: ServiceCall, flow: NewDatabase | CopySnapshot, arn: str) -> bool:
    """Complete a flow; return whether its key could be used. arn: of what fails otherwise."""
    try:
        flow.complete(call.now)
    except KeyUnusableError as reason:
        failures_of(call.backend)[arn] = str(reason)
        return False
    return True
