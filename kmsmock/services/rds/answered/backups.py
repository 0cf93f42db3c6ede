"""Snapshots, whether manual, final or automated.

Source: Amazon RDS User Guide, "Introduction to backups", "Creating a DB snapshot".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from kmsmock.services import storage_states
from kmsmock.services.rds.answered.storage import (
    AUTOMATED,
    MANUAL,
    AccountRegion,
    Database,
    Snapshot,
    Storage,
)
from kmsmock.state.backend import Backend
from kmsmock.timing.dates import format_time

_DAY = timedelta(days=1)
#: The response members of a snapshot that are those of its database.
_OF_DATABASE = (
    *("Engine", "EngineVersion", "AllocatedStorage", "MasterUsername", "Port", "LicenseModel"),
    *("AvailabilityZone", "AvailabilityZones", "StorageType", "Iops", "StorageThroughput"),
    *("Timezone", "IAMDatabaseAuthenticationEnabled", "ProcessorFeatures", "DedicatedLogVolume"),
    *("EngineMode", "BackupRetentionPeriod", "PreferredBackupWindow", "DBName", "DatabaseName"),
    "DBInstanceClass",
)


def take_snapshot(
    backend: Backend, database: Database, name: str, now: datetime, kind: str = MANUAL
) -> Snapshot:
    """Create a snapshot, which keeps the data key of the database. kind: MANUAL or AUTOMATED."""
    of_database = database.response_members
    members = {member: of_database[member] for member in _OF_DATABASE if member in of_database}
    for group in of_database.get("OptionGroupMemberships", ()):
        members["OptionGroupName"] = group["OptionGroupName"]
    encryption = database.encryption
    snapshot = Snapshot(
        database.kind,
        name,
        database.owner,
        database.region,
        database.identifier,
        database.resource_id,
        now,
        {**members, database.kind.created: database.created},
        kind,
        encryption=None if encryption is None else encryption.for_snapshot(),
        sectors=dict(database.sectors),
    )
    here = backend.service_state(Storage).account_region(database.owner, database.region)
    here.snapshots[database.kind.name, name] = snapshot
    begin_snapshot(backend, now, snapshot, partial(_finish_snapshot, snapshot))
    return snapshot


def begin_snapshot(
    backend: Backend, now: datetime, snapshot: Snapshot, finish: Callable[[datetime], None]
) -> None:
    """Begin to create a snapshot. finish: called with the time at which that ends."""
    state = snapshot.kind.snapshot_status
    until = f"{state.member} is available"
    storage_states.begin(backend, now, state, snapshot.arn, finish, until=until)


def _finish_snapshot(snapshot: Snapshot, now: datetime) -> None:  # noqa: ARG001 - the clock gives it
    """Set the status of a snapshot to available."""
    if snapshot.status == "creating":
        snapshot.status, snapshot.progress = "available", 100


def begin_backups(backend: Backend, database: Database, now: datetime) -> None:
    """Create an automated snapshot now and each day, if the database has automated backups."""
    if database.retention and database.cluster is None:
        _take_daily_snapshot(backend, database, now)


def _take_daily_snapshot(backend: Backend, database: Database, now: datetime) -> None:
    here = backend.service_state(Storage).account_region(database.owner, database.region)
    key = database.kind.name, database.identifier
    if here.databases.get(key) is not database:
        return
    # A database that does not run keeps the backups that it has.
    if database.status == "available":
        name = (
            f"rds:{database.identifier}-{format_time(now)[:16].replace('T', '-').replace(':', '-')}"
        )
        take_snapshot(backend, database, name, now, AUTOMATED)
        _delete_old(here, database, now)
    backend.clock.schedule_after(now, _DAY, partial(_take_daily_snapshot, backend, database))


def _delete_old(here: AccountRegion, database: Database, now: datetime) -> None:
    retention = database.retention * _DAY
    for key, snapshot in list(here.snapshots.items()):
        is_of_it = snapshot.resource_id == database.resource_id
        if is_of_it and snapshot.type == AUTOMATED and now - snapshot.created > retention:
            del here.snapshots[key]
