"""What instances and clusters have in common: from being created to being deleted.

Source: Amazon RDS API Reference; Amazon RDS User Guide, "Deleting a DB instance", "Stopping an
Amazon RDS DB instance temporarily".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.services.rds.backups import begin_backups, take_snapshot
from kmsmock.services.rds.encrypting import (
    SPECIFIED_KEY,
    close_storage,
    give_up_storage,
    key_fault,
    key_faults,
    make_storage,
    open_storage,
)
from kmsmock.services.rds.errors import InvalidParameterCombination, InvalidParameterValue
from kmsmock.services.rds.finding import database_arn, database_name, find_database, new_name
from kmsmock.services.rds.kinds import INSTANCE, Kind
from kmsmock.services.rds.registry import (
    is_there,
    later,
    new_resource_id,
    permit,
    place,
    required,
    storage,
)
from kmsmock.services.rds.snapshot_quota import require_room_for_snapshot
from kmsmock.services.rds.storage import AUTOMATED, RECOVERABLE, Database
from kmsmock.services.rds.tagging import Tags, keep_tags
from kmsmock.services.rds.watching import watch, why_unusable
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import KeyUnusableError

#: Source: Amazon RDS User Guide, "Quotas and constraints for Amazon RDS".
_MOST_DATABASES = 40
_SHORTEST_PASSWORD = 8


def require_user(call: ServiceCall) -> None:
    """Require who is to rule a new database."""
    required(call, "MasterUsername")
    if len(required(call, "MasterUserPassword")) < _SHORTEST_PASSWORD:
        raise InvalidParameterValue(
            "The parameter MasterUserPassword is not a valid password because it is shorter than "
            f"{_SHORTEST_PASSWORD} characters."
        )


def new_database(call: ServiceCall, kind: Kind, name: str, shown: dict[str, Any]) -> Database:
    """Make a database that is not there yet; `begin` lets it be. Requires that it can be.

    shown: what answers show of it because of parameters.
    """
    here = place(call)
    if (kind.name, name) in here.databases:
        raise kind.errors.exists(f"{kind.words} already exists")
    if len(here.databases_of(kind)) >= _MOST_DATABASES:
        raise kind.errors.quota(
            f"You have reached the quota of {_MOST_DATABASES} in this Region.",
        )
    return Database(
        kind, name, call.account, call.region, new_resource_id(call, kind), call.now, shown
    )


def begin(
    call: ServiceCall,
    database: Database,
    tags: Tags,
    finish: Callable[[ServiceCall, Database, datetime], None] | None = None,
) -> None:
    """Let a database be there, and be available a while later. finish: what makes it so."""
    place(call).databases[database.kind.name, database.identifier] = database
    keep_tags(call, database.arn, tags)
    storage(call).failures.pop(database.arn, None)
    later(call, partial(finish or _finish_creating, call, database))


def _finish_creating(call: ServiceCall, database: Database, now: datetime) -> None:
    """Let a new database be available, or have failed when its key cannot be used any more."""
    if not is_there(call, database):
        return
    try:
        make_storage(call.backend, now, database)
    except KeyUnusableError as reason:
        fail(call, database, reason)
        return
    make_available(call, database, now)


def fail(call: ServiceCall, database: Database, reason: KeyUnusableError) -> None:
    """Let a database that was to be there have failed."""
    database.status = "failed"
    storage(call).failures[database.arn] = str(reason)


def make_available(call: ServiceCall, database: Database, now: datetime) -> None:
    """Let a database be available, with backups from then on."""
    database.status = "available"
    if database.key is not None:
        watch(call.backend, now)
    begin_backups(call.backend, database, now)


def find_for(call: ServiceCall, kind: Kind, action: str) -> Database:
    """Find the database that a call is about, and require that the caller may do that."""
    name = database_name(call, kind)
    permit(call, action, database_arn(call, kind, name))
    return find_database(call, kind, name)


def require_state(database: Database, *states: str) -> None:
    """Refuse what cannot be done with a database as it is."""
    if database.state not in states:
        kind = database.kind
        what = "Instance" if kind is INSTANCE else "DBCluster"
        raise kind.errors.state(
            f"{what} {database.identifier} is not in {states[0]} state.",
            explanation=f"It is in state {database.state}.",
        )


def stop(call: ServiceCall, database: Database) -> None:
    """Stop a database; from then on it needs its key again."""
    require_state(database, "available")
    database.status = "stopping"
    later(call, partial(_finish_stopping, call, database))


def _finish_stopping(call: ServiceCall, database: Database, now: datetime) -> None:
    if is_there(call, database) and database.status == "stopping":
        close_storage(call.backend, now, database)
        database.status = "stopped"


def start(call: ServiceCall, database: Database) -> None:
    """Start a database that is stopped, or that has its key again within a week."""
    require_state(database, "stopped", RECOVERABLE)
    if database.key_arn is not None:
        why = why_unusable(call.backend, database)
        if why is not None:
            raise key_fault(SPECIFIED_KEY, database.key_arn, why)
        with key_faults(SPECIFIED_KEY, database.key_arn):
            open_storage(call.backend, call.now, database)
    database.status, database.lost_since = "starting", None
    storage(call).failures.pop(database.arn, None)
    later(call, partial(_finish_starting, call, database))


def _finish_starting(call: ServiceCall, database: Database, now: datetime) -> None:  # noqa: ARG001
    if is_there(call, database) and database.status == "starting":
        database.status = "available"


def delete(call: ServiceCall, database: Database, *, needs_snapshot: bool = True) -> None:
    """Delete a database, after a last snapshot unless that is skipped."""
    kind = database.kind
    if database.shown.get("DeletionProtection"):
        what = "DB Instance" if kind is INSTANCE else "Cluster"
        raise InvalidParameterCombination(
            f"Cannot delete protected {what}, please disable deletion protection and try again."
        )
    if database.status == "deleting":
        raise kind.errors.state(f"{kind.name} {database.identifier} is already being deleted.")
    final = call.parameters.get("FinalDBSnapshotIdentifier")
    if call.parameters.get("SkipFinalSnapshot") or not needs_snapshot:
        if final:
            raise InvalidParameterCombination(
                "FinalDBSnapshotIdentifier can not be specified when there is no final snapshot."
            )
    else:
        _take_final_snapshot(call, database, final)
    database.status = "deleting"
    later(call, partial(_finish_deleting, call, database))


def _take_final_snapshot(call: ServiceCall, database: Database, final: str | None) -> None:
    if not final:
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        )
    require_state(database, "available", "stopped")
    name = new_name(call, "FinalDBSnapshotIdentifier", of="snapshot")
    require_room_for_snapshot(call, database.kind, name)
    take_snapshot(call.backend, database, name, call.now)


def _finish_deleting(call: ServiceCall, database: Database, now: datetime) -> None:
    here = storage(call).place(database.owner, database.region)
    give_up_storage(call.backend, now, database)
    del here.databases[database.kind.name, database.identifier]
    here.tags.pop(database.arn, None)
    if call.parameters.get("DeleteAutomatedBackups", True):
        for key, snapshot in list(here.snapshots.items()):
            if snapshot.type == AUTOMATED and snapshot.resource_id == database.resource_id:
                del here.snapshots[key]
