"""What instances and clusters share, from creation to deletion.

Source: Amazon RDS API Reference; Amazon RDS User Guide, "Deleting a DB instance", "Stopping an
Amazon RDS DB instance temporarily".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.services.rds.answered.backups import begin_backups, take_snapshot
from kmsmock.services.rds.answered.lookup import (
    find_database,
    read_database_identifier,
    read_new_identifier,
)
from kmsmock.services.rds.answered.registry import (
    account_region,
    require_parameter,
    require_permission,
    storage,
)
from kmsmock.services.rds.answered.snapshot_quota import require_room_for_snapshot
from kmsmock.services.rds.answered.storage import AUTOMATED, Database
from kmsmock.services.rds.answered.tagging import Tags, put_tags
from kmsmock.services.rds.arns import database_arn
from kmsmock.services.rds.errors import InvalidParameterCombination, InvalidParameterValue
from kmsmock.services.rds.kinds import INSTANCE, Kind
from kmsmock.services.rds.kms_use.databases import (
    CreateDatabase,
    DeleteDatabase,
    StartDatabase,
    StopDatabase,
)
from kmsmock.services.rds.kms_use.encryption import new_resource_id
from kmsmock.services.rds.kms_use.lost_keys import RECOVERABLE, begin_key_checks
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import KeyUnusableError
from kmsmock.services.storage_states import begin
from kmsmock.state.backend import Backend
from kmsmock.state.failures import failures_of

#: Source: Amazon RDS User Guide, "Quotas and constraints for Amazon RDS".
_MOST_DATABASES = 40
_SHORTEST_PASSWORD = 8


def require_user(call: ServiceCall) -> None:
    """Require a master user name for a new database, and a password that is long enough."""
    require_parameter(call, "MasterUsername")
    if len(require_parameter(call, "MasterUserPassword")) < _SHORTEST_PASSWORD:
        raise InvalidParameterValue(
            "The parameter MasterUserPassword is not a valid password because it is shorter than "
            f"{_SHORTEST_PASSWORD} characters."
        )


def new_database(
    call: ServiceCall, kind: Kind, name: str, response_members: dict[str, Any]
) -> Database:
    """Return a new database that is not stored yet, and require that it can be stored.

    response_members: that come from parameters.
    """
    here = account_region(call)
    if (kind.name, name) in here.databases:
        raise kind.errors.exists(f"{kind.label} already exists")
    if len(here.databases_of(kind)) >= _MOST_DATABASES:
        raise kind.errors.quota(
            f"You have reached the quota of {_MOST_DATABASES} in this Region.",
        )
    resource_id = new_resource_id(call.backend, kind)
    return Database(kind, name, call.account, call.region, resource_id, call.now, response_members)


def create(call: ServiceCall, database: Database, tags: Tags) -> None:
    """Store a database without contents, which becomes available after a delay."""
    flow = CreateDatabase(call, database.kind, database.resource_id)
    flow.request()
    database.encryption = flow.encryption
    store(call, database, tags, partial(_finish_creating, call, database, flow))


def store(
    call: ServiceCall, database: Database, tags: Tags, finish: Callable[[datetime], None]
) -> None:
    """Store a new database. finish: called after the delay, to make it available."""
    account_region(call).databases[database.kind.name, database.identifier] = database
    put_tags(call, database.arn, tags)
    failures_of(call.backend).pop(database.arn, None)
    _begin(call, database, finish, until="available")


def _begin(
    call: ServiceCall,
    database: Database,
    finish: Callable[[datetime], None],
    *,
    until: str | None = None,
) -> None:
    """Begin a passing state of a database. until: the status after it; None when it is deleted."""
    kind = database.kind
    shown = f"it raises {kind.errors.not_found.__name__}"
    if until is not None:
        shown = f"{kind.status.member} is {until}"
    begin(
        call.backend,
        call.now,
        kind.status,
        database.arn,
        finish,
        until=shown,
        name=database.status,
    )


def describe_state(backend: Backend, database: Database) -> str:
    """Return the status of a database and how to wait for its end, for explanations."""
    waiting = backend.passing.explain(database.kind.status, database.arn) or ""
    return f"It is in state {database.state}. {waiting}".strip()


def _finish_creating(
    call: ServiceCall, database: Database, flow: CreateDatabase, now: datetime
) -> None:
    """Make a new database available, or failed when its key cannot be used."""
    try:
        flow.complete(now)
    except KeyUnusableError as reason:
        fail(call, database, reason)
        return
    make_available(call, database, now)


def fail(call: ServiceCall, database: Database, reason: KeyUnusableError) -> None:
    """Set the state of a new database to failed."""
    database.status = "failed"
    failures_of(call.backend)[database.arn] = str(reason)


def make_available(call: ServiceCall, database: Database, now: datetime) -> None:
    """Make a database available and begin its backups, unless it is being deleted."""
    if database.status == "deleting":
        return
    database.status = "available"
    if database.encryption is not None:
        begin_key_checks(call.backend, now, database)
    begin_backups(call.backend, database, now)


def find_database_for(call: ServiceCall, kind: Kind, action: str) -> Database:
    """Find the database that a call names, and require that the caller is authorized."""
    name = read_database_identifier(call, kind)
    require_permission(call, action, database_arn(call, kind, name))
    return find_database(call, kind, name)


def require_state(call: ServiceCall, database: Database, *states: str) -> None:
    """Refuse an operation that the state of a database does not permit."""
    if database.state not in states:
        why = describe_state(call.backend, database)
        raise database.kind.state_error(database.identifier, states[0], why)


def stop(call: ServiceCall, database: Database) -> None:
    """Stop a database; its key must be usable again to start it."""
    require_state(call, database, "available")
    database.status = "stopping"
    flow = StopDatabase(call, database.encryption)
    flow.request()
    _begin(call, database, partial(_finish_stopping, database, flow), until="stopped")


def _finish_stopping(database: Database, flow: StopDatabase, now: datetime) -> None:
    if database.status == "stopping":
        flow.complete(now)
        database.status = "stopped"


def start(call: ServiceCall, database: Database) -> None:
    """Start a database that is stopped, or whose key has become usable again within a week."""
    require_state(call, database, "stopped", RECOVERABLE)
    StartDatabase(call, database.encryption).request()
    database.status, database.lost_since = "starting", None
    failures_of(call.backend).pop(database.arn, None)
    _begin(call, database, partial(_finish_starting, database), until="available")


def _finish_starting(database: Database, now: datetime) -> None:  # noqa: ARG001 - the clock gives it
    if database.status == "starting":
        database.status = "available"


def delete(call: ServiceCall, database: Database, *, needs_snapshot: bool = True) -> None:
    """Delete a database, after a final snapshot unless the request skips it."""
    kind = database.kind
    if database.response_members.get("DeletionProtection"):
        what = "DB Instance" if kind is INSTANCE else "Cluster"
        raise InvalidParameterCombination(
            f"Cannot delete protected {what}, please disable deletion protection and try again."
        )
    if database.status == "deleting":
        raise kind.errors.state(
            f"{kind.name} {database.identifier} is already being deleted.",
            explanation=describe_state(call.backend, database),
        )
    final = call.parameters.get("FinalDBSnapshotIdentifier")
    if call.parameters.get("SkipFinalSnapshot") or not needs_snapshot:
        if final:
            raise InvalidParameterCombination(
                "FinalDBSnapshotIdentifier can not be specified when there is no final snapshot."
            )
    else:
        _take_final_snapshot(call, database, final)
    flow = DeleteDatabase(call, database.encryption)
    flow.request()
    database.status = "deleting"
    _begin(call, database, partial(_finish_deleting, call, database, flow))


def _take_final_snapshot(call: ServiceCall, database: Database, final: str | None) -> None:
    if not final:
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        )
    require_state(call, database, "available", "stopped")
    name = read_new_identifier(call, "FinalDBSnapshotIdentifier", of="snapshot")
    require_room_for_snapshot(call, database.kind, name)
    take_snapshot(call.backend, database, name, call.now)


def _finish_deleting(
    call: ServiceCall, database: Database, flow: DeleteDatabase, now: datetime
) -> None:
    here = storage(call).account_region(database.owner, database.region)
    flow.complete(now)
    del here.databases[database.kind.name, database.identifier]
    here.tags.pop(database.arn, None)
    if call.parameters.get("DeleteAutomatedBackups", True):
        for key, snapshot in list(here.snapshots.items()):
            if snapshot.type == AUTOMATED and snapshot.resource_id == database.resource_id:
                del here.snapshots[key]
