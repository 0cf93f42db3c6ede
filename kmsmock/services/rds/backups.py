"""Snapshots as they are taken: by hand, at the end, and by RDS itself each day.

Source: Amazon RDS User Guide, "Introduction to backups", "Creating a DB snapshot".
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from kmsmock.backend import Backend
from kmsmock.services.rds.storage import AUTOMATED, MANUAL, Database, Place, Snapshot, Storage

_DAY = timedelta(days=1)
#: What a snapshot tells of its database, as far as that is known.
_KEPT = (
    *("Engine", "EngineVersion", "AllocatedStorage", "MasterUsername", "Port", "LicenseModel"),
    *("AvailabilityZone", "AvailabilityZones", "StorageType", "Iops", "StorageThroughput"),
    *("Timezone", "IAMDatabaseAuthenticationEnabled", "ProcessorFeatures", "DedicatedLogVolume"),
    *("EngineMode", "BackupRetentionPeriod", "PreferredBackupWindow", "DBName", "DatabaseName"),
    "DBInstanceClass",
)


def take_snapshot(
    backend: Backend, database: Database, name: str, now: datetime, kind: str = MANUAL
) -> Snapshot:
    """Take a snapshot, which keeps the data key of the database. kind: MANUAL or AUTOMATED."""
    shown = {member: database.shown[member] for member in _KEPT if member in database.shown}
    for group in database.shown.get("OptionGroupMemberships", ()):
        shown["OptionGroupName"] = group["OptionGroupName"]
    snapshot = Snapshot(
        database.kind,
        name,
        database.owner,
        database.region,
        database.identifier,
        database.resource_id,
        now,
        {**shown, database.kind.created: database.created},
        kind,
        key_arn=database.key_arn,
        key=database.key,
        sectors=dict(database.sectors),
    )
    place = backend.service_state(Storage).place(database.owner, database.region)
    place.snapshots[database.kind.name, name] = snapshot
    backend.clock.at(now + backend.delays.storage, partial(complete, snapshot))
    return snapshot


def complete(snapshot: Snapshot, now: datetime) -> None:  # noqa: ARG001 - the clock gives it
    """Let a snapshot be available."""
    if snapshot.status == "creating":
        snapshot.status, snapshot.progress = "available", 100


def begin_backups(backend: Backend, database: Database, now: datetime) -> None:
    """Take an automated snapshot now and each day, if the database has automated backups."""
    if database.retention and database.cluster is None:
        _back_up(backend, database, now)


def _back_up(backend: Backend, database: Database, now: datetime) -> None:
    place = backend.service_state(Storage).place(database.owner, database.region)
    key = database.kind.name, database.identifier
    if place.databases.get(key) is not database:
        return
    # A database that does not run keeps the backups that it has.
    if database.status == "available":
        name = f"rds:{database.identifier}-{now:%Y-%m-%d-%H-%M}"
        take_snapshot(backend, database, name, now, AUTOMATED)
        _drop_old(place, database, now)
    backend.clock.at(now + _DAY, partial(_back_up, backend, database))


def _drop_old(place: Place, database: Database, now: datetime) -> None:
    oldest = now - database.retention * _DAY
    for key, snapshot in list(place.snapshots.items()):
        is_of_it = snapshot.resource_id == database.resource_id
        if is_of_it and snapshot.type == AUTOMATED and snapshot.created < oldest:
            del place.snapshots[key]
