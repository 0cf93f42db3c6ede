"""The operations on databases."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kmsmock.aws.arns import Arn
from kmsmock.services.beside import BesideHandler, Changes, NotStoredError, Steps, until_stored
from kmsmock.services.rds.beside.answers import show_encryption
from kmsmock.services.rds.beside.stored import (
    NewDatabase,
    StoredDatabase,
    forget_database,
    get_encryption,
    record_database,
    record_snapshot_of,
    rename_database,
    storage,
    until_stored_of,
)
from kmsmock.services.rds.beside.unrecorded import (
    read_database,
    read_named_database,
    read_snapshot,
)
from kmsmock.services.rds.kinds import CLUSTER, INSTANCE, Kind
from kmsmock.services.rds.kms_use.databases import (
    CreateDatabase,
    DeleteDatabase,
    StartDatabase,
    StopDatabase,
)
from kmsmock.services.rds.kms_use.derived import DeriveDatabase
from kmsmock.services.rds.kms_use.encryption import new_resource_id
from kmsmock.services.rds.kms_use.keys import is_member, refuse_key_of_member
from kmsmock.services.rds.kms_use.lost_keys import AVAILABLE, LOST, RECOVERABLE
from kmsmock.services.rds.kms_use.snapshots import RestoreDatabase, require_restorable
from kmsmock.services.registry import ServiceCall
from kmsmock.state.failures import failures_of

# --- new databases ------------------------------------------------------------------------------


def create_database(kind: Kind, call: ServiceCall) -> Steps:
    """Create a database, or a member of a cluster."""
    if is_member(call, kind):
        refuse_key_of_member(call)
    flow = CreateDatabase(call, kind, new_resource_id(call.backend, kind))
    yield from _make(call, kind, flow)


def restore_database(kind: Kind, call: ServiceCall) -> Steps:
    """Create a database from a snapshot."""
    source = read_snapshot(call, kind, call.parameters[kind.restore_from])
    require_restorable(call, source)
    yield from _make(call, kind, RestoreDatabase(call, source, new_resource_id(call.backend, kind)))


def create_replica(call: ServiceCall) -> Steps:
    """Create a read replica, which has the key of its source, or another one."""
    source = read_database(call, INSTANCE, call.parameters["SourceDBInstanceIdentifier"])
    require_usable(source, INSTANCE)
    yield from _derive(call, INSTANCE, source, {})


def restore_to_point_in_time(kind: Kind, call: ServiceCall) -> Steps:
    """Create a database from the backups of another one, which is named or has a resource id."""
    member, id_member = f"Source{kind.identifier}", f"Source{kind.resource_id}"
    changes: Changes = {}
    if id_member in call.parameters:
        source = find_by_resource_id(call, call.parameters[id_member])
        if source is not None:
            changes = {member: source.identifier, id_member: None}
    else:
        source = read_database(call, kind, call.parameters[member])
    yield from _derive(call, kind, source, changes)


def find_by_resource_id(call: ServiceCall, resource_id: str) -> StoredDatabase | None:
    """Find an encrypted database by its resource id, which the other mock does not know."""
    databases = storage(call).databases.values()
    return next((each for each in databases if each.resource_id == resource_id), None)


def _derive(
    call: ServiceCall, kind: Kind, source: StoredDatabase | None, changes: Changes
) -> Steps:
    resource_id = new_resource_id(call.backend, kind)
    flow = DeriveDatabase(call, kind, resource_id, source=get_encryption(source))
    yield from _make(call, kind, flow, changes)


_NO_CHANGES: Changes = {}


def _make(
    call: ServiceCall, kind: Kind, flow: NewDatabase, changes: Changes = _NO_CHANGES
) -> Steps:
    """Make a database. changes: of the request, beside its key."""

    def get_changes() -> Changes:
        # What the other mock stores, it passes on to what is made from the database.
        key = {} if flow.encryption is None else {"KmsKeyId": flow.encryption.key_arn}
        return {**key, **changes}

    answer = yield from until_stored(flow, get_changes)
    record_database(call, kind, flow, answer[kind.name])
    show_encryption(call, answer)


# --- databases that exist -----------------------------------------------------------------------


def require_usable(database: StoredDatabase | None, kind: Kind, *others: str) -> None:
    """Refuse an operation on a database whose key cannot be used.

    others: the states of such databases that the operation permits all the same.
    """
    if database is not None and database.status in {RECOVERABLE, LOST} - {*others}:
        raise kind.state_error(database.identifier, AVAILABLE, f"It is in state {database.status}.")


def use_database(kind: Kind, call: ServiceCall) -> Steps:
    """Change or reboot a database, which may get another name."""
    database = read_named_database(call, kind)
    require_usable(database, kind)
    answer = yield
    if database is not None:
        rename_database(call, database, answer[kind.name][kind.arn_member])
    show_encryption(call, answer)


def start_database(kind: Kind, call: ServiceCall) -> Steps:
    """Start a database that is stopped, or whose key can be used again."""
    database = read_named_database(call, kind)
    require_usable(database, kind, RECOVERABLE)
    is_lost = database is not None and database.status == RECOVERABLE
    encryption = get_encryption(database)
    if encryption is not None and encryption.plaintext_key is not None:
        encryption = None  # It runs, so that the other mock refuses.
    flow = StartDatabase(call, encryption)
    if database is None or not is_lost:
        answer = yield from until_stored_of(call, flow, database)
    else:
        flow.request()
        try:
            answer = yield
        except NotStoredError:
            # For the other mock it has never been stopped.
            answer = {kind.name: database.members}
    if database is not None:
        database.status, database.lost_since = AVAILABLE, None
        failures_of(call.backend).pop(database.arn, None)
    show_encryption(call, answer)
    return answer if is_lost else None


def stop_database(kind: Kind, call: ServiceCall) -> Steps:
    """Stop a database."""
    database = read_named_database(call, kind)
    require_usable(database, kind)
    flow = StopDatabase(call, get_encryption(database))
    answer = yield from until_stored_of(call, flow, database)
    flow.complete(call.now)
    if database is not None:
        database.status = "stopped"
    _record_last_snapshot(call, kind, database, "DBSnapshotIdentifier")
    show_encryption(call, answer)


def delete_database(kind: Kind, call: ServiceCall) -> Steps:
    """Delete a database; one whose key cannot be used has no final snapshot."""
    database = read_named_database(call, kind)
    if call.parameters.get("FinalDBSnapshotIdentifier"):
        require_usable(database, kind)
    flow = DeleteDatabase(call, get_encryption(database))
    answer = yield from until_stored_of(call, flow, database)
    show_encryption(call, answer)
    _record_last_snapshot(call, kind, database, "FinalDBSnapshotIdentifier")
    flow.complete(call.now)
    arn = answer[kind.name][kind.arn_member]
    forget_database(call, arn)
    if database is not None and call.parameters.get("DeleteAutomatedBackups") is False:
        storage(call).retained[arn] = database


def _record_last_snapshot(
    call: ServiceCall, kind: Kind, database: StoredDatabase | None, member: str
) -> None:
    """Record the snapshot that a database leaves, if the call requests one."""
    snapshot = call.parameters.get(member)
    if snapshot:
        record_snapshot_of(call, kind, database, snapshot)


# --- blue/green deployments ---------------------------------------------------------------------


def create_deployment(call: ServiceCall) -> Steps:
    """Create a blue/green deployment, whose green database has the key of the blue one."""
    source = call.parameters["Source"]
    arn = Arn.parse(source)
    kind = CLUSTER if arn is not None and arn.resource_type == CLUSTER.arn else INSTANCE
    blue = read_database(call, kind, source)
    new_id = new_resource_id(call.backend, kind)
    flow = DeriveDatabase(call, kind, new_id, source=get_encryption(blue))
    answer = yield from until_stored(flow)
    deployment = answer["BlueGreenDeployment"]
    green = deployment["Target"]
    storage(call).deployments[deployment["BlueGreenDeploymentIdentifier"]] = (source, green)
    record_database(
        call, kind, flow, {kind.arn_member: green, "Engine": blue.engine if blue else ""}
    )


def switch_over(call: ServiceCall) -> Steps:
    """Switch a blue/green deployment over: the green database gets the name of the blue one.

    Source: Amazon RDS User Guide, "Switching a blue/green deployment": to the name of the blue one
    ``-old1`` is added.
    """
    answer = yield
    identifier = answer["BlueGreenDeployment"]["BlueGreenDeploymentIdentifier"]
    blue, green = storage(call).deployments.pop(identifier, ("", ""))
    for arn, new_arn in ((blue, f"{blue}-old1"), (green, blue)):
        database = storage(call).databases.get(arn)
        if database is not None:
            rename_database(call, database, new_arn)


OF_EACH_KIND: dict[str, Callable[[Kind, ServiceCall], Steps]] = {
    "Create{0.name}": create_database,
    "Delete{0.name}": delete_database,
    "Start{0.name}": start_database,
    "Stop{0.name}": stop_database,
    "{0.restore}": restore_database,
    "Restore{0.name}ToPointInTime": restore_to_point_in_time,
    "Modify{0.name}": use_database,
    "Reboot{0.name}": use_database,
}
OPERATIONS: dict[str, BesideHandler] = {
    "CreateDBInstanceReadReplica": create_replica,
    "PromoteReadReplica": partial(use_database, INSTANCE),
    "PromoteReadReplicaDBCluster": partial(use_database, CLUSTER),
    "FailoverDBCluster": partial(use_database, CLUSTER),
    "CreateBlueGreenDeployment": create_deployment,
    "SwitchoverBlueGreenDeployment": switch_over,
}
