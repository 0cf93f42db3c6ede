"""Manual snapshots of instances and of clusters: created, described and deleted.

Source: Amazon RDS API Reference, CreateDBSnapshot, DescribeDBSnapshots, DeleteDBSnapshot and the
same for clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.services.rds.answered.backups import take_snapshot
from kmsmock.services.rds.answered.databases import require_state
from kmsmock.services.rds.answered.lists import FilterTable, apply_filters, paginate_response
from kmsmock.services.rds.answered.lookup import (
    find_database,
    find_own_snapshot,
    find_snapshot,
    read_database_identifier,
    read_new_identifier,
    snapshot_not_found_error,
)
from kmsmock.services.rds.answered.registry import (
    account_region,
    of_each_kind,
    require_create_permission,
    require_parameter,
    require_permission,
    storage,
)
from kmsmock.services.rds.answered.snapshot_quota import require_room_for_snapshot
from kmsmock.services.rds.answered.storage import AUTOMATED, MANUAL, Snapshot
from kmsmock.services.rds.answered.tagging import put_tags, read_new_tags, show_tags
from kmsmock.services.rds.arns import database_arn, snapshot_arn
from kmsmock.services.rds.errors import InvalidParameterCombination, InvalidParameterValue
from kmsmock.services.rds.kinds import CLUSTER, INSTANCE, Kind
from kmsmock.services.rds.kms_use.snapshots import CreateSnapshot
from kmsmock.services.registry import ServiceCall
from kmsmock.timing.passing_states import Shows, listed

_SHARED, _PUBLIC, _BACKUP = "shared", "public", "awsbackup"
_TYPES = (AUTOMATED, MANUAL, _SHARED, _PUBLIC, _BACKUP)


@of_each_kind("Create{0.snapshot}")
def create_snapshot(kind: Kind, call: ServiceCall) -> dict[str, Any]:
    """Create a snapshot, which has the key of the database."""
    name = read_new_identifier(call, kind.snapshot_identifier, of="snapshot")
    tags = read_new_tags(call)
    source = read_database_identifier(call, kind)
    action = f"Create{kind.snapshot}"
    require_permission(call, action, database_arn(call, kind, source))
    require_create_permission(call, action, snapshot_arn(call, kind, name))
    database = find_database(call, kind, source)
    if database.cluster is not None:
        raise InvalidParameterValue(
            "The specified instance is a member of a cluster and a snapshot cannot be created "
            "directly. Please use the CreateDBClusterSnapshot API instead."
        )
    require_room_for_snapshot(call, kind, name)
    require_state(call, database, "available", *(("stopped",) if kind is INSTANCE else ()))
    CreateSnapshot(call, database.encryption).request()
    snapshot = take_snapshot(call.backend, database, name, call.now)
    if database.response_members["CopyTagsToSnapshot"]:
        tags = {**account_region(call).tags.get(database.arn, {}), **tags}
    put_tags(call, snapshot.arn, tags)
    return {kind.snapshot: show_snapshot(call, snapshot)}


_FILTERS: dict[str, FilterTable[Snapshot]] = {
    INSTANCE.name: {
        "db-instance-id": lambda snapshot: [snapshot.source],
        "db-snapshot-id": lambda snapshot: [snapshot.identifier, snapshot.arn],
        "dbi-resource-id": lambda snapshot: [snapshot.resource_id],
        "snapshot-type": lambda snapshot: [snapshot.type],
        "engine": lambda snapshot: [snapshot.response_members["Engine"]],
    },
    CLUSTER.name: {
        "db-cluster-id": lambda snapshot: [snapshot.source],
        "db-cluster-snapshot-id": lambda snapshot: [snapshot.identifier, snapshot.arn],
        "snapshot-type": lambda snapshot: [snapshot.type],
        "engine": lambda snapshot: [snapshot.response_members["Engine"]],
    },
}


@of_each_kind(
    "Describe{0.snapshot}s",
    shows=lambda kind: Shows(
        kind.snapshot_status, listed(f"{kind.snapshot}s", f"{kind.snapshot}Arn")
    ),
)
def describe_snapshots(kind: Kind, call: ServiceCall) -> dict[str, Any]:
    """Describe snapshots: those of the account, and if requested, those shared with it."""
    parameters = call.parameters
    name_or_arn = parameters.get(kind.snapshot_identifier)
    require_permission(
        call,
        f"Describe{kind.snapshot}s",
        snapshot_arn(call, kind, name_or_arn) if name_or_arn else "*",
    )
    source = parameters.get(kind.identifier)
    if kind is CLUSTER and name_or_arn and source:
        raise InvalidParameterCombination(
            f"{kind.snapshot_identifier} and {kind.identifier} cannot be specified together."
        )
    requested = _requested_types(call)
    if name_or_arn:
        snapshots = [_find_named(call, kind, name_or_arn, requested)]
    else:
        snapshots = [s for s in _list_usable(call, kind) if _type_of(call, s) in requested]
    if source:
        name = read_database_identifier(call, kind)
        snapshots = [snapshot for snapshot in snapshots if snapshot.source == name]
    resource_id = parameters.get(kind.resource_id)
    if resource_id:
        snapshots = [snapshot for snapshot in snapshots if snapshot.resource_id == resource_id]
    snapshots = apply_filters(call, snapshots, _FILTERS[kind.name])
    show: Callable[[Snapshot], Any] = partial(show_snapshot, call)
    return paginate_response(
        call, f"Describe{kind.snapshot}s", f"{kind.snapshot}s", snapshots, show
    )


def _find_named(call: ServiceCall, kind: Kind, name_or_arn: str, requested: set[str]) -> Snapshot:
    """Find the requested snapshot; one of another type than requested is not found."""
    snapshot = find_snapshot(call, kind, name_or_arn)
    if snapshot.region != call.region:
        raise snapshot_not_found_error(call, kind, name_or_arn)
    snapshot_type = _type_of(call, snapshot)
    if "SnapshotType" in call.parameters and snapshot_type not in requested:
        raise kind.errors.snapshot_not_found(
            f"{kind.snapshot} not found: {name_or_arn}",
            explanation=f"It is of type {snapshot_type} for account {call.account}, and "
            f"SnapshotType asks for {call.parameters['SnapshotType']}.",
        )
    return snapshot


def _list_usable(call: ServiceCall, kind: Kind) -> Iterator[Snapshot]:
    return (
        s for s in storage(call).snapshots_in(call.region, kind) if s.may_be_used_by(call.account)
    )


def _type_of(call: ServiceCall, snapshot: Snapshot) -> str:
    """Return the type of a snapshot for the account, which is ``shared`` for that of another."""
    if snapshot.owner == call.account:
        return snapshot.type
    return _SHARED if call.account in snapshot.shared_with else _PUBLIC


def _requested_types(call: ServiceCall) -> set[str]:
    requested = call.parameters.get("SnapshotType")
    if requested is None:
        types = {AUTOMATED, MANUAL}
        if call.parameters.get("IncludeShared"):
            types.add(_SHARED)
        if call.parameters.get("IncludePublic"):
            types.add(_PUBLIC)
        return types
    if requested not in _TYPES:
        raise InvalidParameterValue(
            f"Invalid value for snapshot type: {requested}. Valid values are: {', '.join(_TYPES)}"
        )
    return {requested}


@of_each_kind("Delete{0.snapshot}")
def delete_snapshot(kind: Kind, call: ServiceCall) -> dict[str, Any]:
    """Delete a snapshot; its copies and the databases from it stay."""
    name_or_arn: str = require_parameter(call, kind.snapshot_identifier)
    require_permission(call, f"Delete{kind.snapshot}", snapshot_arn(call, kind, name_or_arn))
    snapshot = find_own_snapshot(call, kind, name_or_arn)
    if snapshot.type == AUTOMATED:
        raise kind.errors.snapshot_state(
            "Only manual snapshots may be deleted.",
            explanation="RDS deletes automated snapshots after the retention period."
            " They are also deleted with their database.",
        )
    require_available(call, snapshot, "failed")
    here = account_region(call)
    response = {**show_snapshot(call, snapshot), "Status": "deleted"}
    del here.snapshots[kind.name, snapshot.identifier]
    here.tags.pop(snapshot.arn, None)
    return {kind.snapshot: response}


def require_available(call: ServiceCall, snapshot: Snapshot, *others: str) -> None:
    """Refuse an operation that the state of a snapshot does not permit.

    others: further permitted states.
    """
    if snapshot.status not in ("available", *others):
        kind = snapshot.kind
        waiting = call.backend.passing.explain(kind.snapshot_status, snapshot.arn) or ""
        raise kind.errors.snapshot_state(
            f"{kind.snapshot} {snapshot.identifier} is not in available state.",
            explanation=f"It is in state {snapshot.status}. {waiting}".strip(),
        )


def show_snapshot(call: ServiceCall, snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot in the form of responses; the name of one of another account is its ARN."""
    kind = snapshot.kind
    is_own = snapshot.owner == call.account
    response = {
        kind.snapshot_identifier: snapshot.identifier if is_own else snapshot.arn,
        f"{kind.snapshot}Arn": snapshot.arn,
        kind.identifier: snapshot.source,
        kind.resource_id: snapshot.resource_id,
        "SnapshotCreateTime": snapshot.created,
        "SnapshotType": _type_of(call, snapshot),
        "Status": snapshot.status,
        "PercentProgress": snapshot.progress,
        kind.snapshot_encrypted: snapshot.key_arn is not None,
        "TagList": show_tags(call, snapshot.arn) if is_own else [],
        **{
            name: value
            for name, value in snapshot.response_members.items()
            if name in _MEMBERS[kind.name]
        },
    }
    if snapshot.key_arn is not None:
        response["KmsKeyId"] = snapshot.key_arn
    if snapshot.copied_from is not None:
        arn = Arn.of(snapshot.copied_from)
        if kind is CLUSTER or (arn.account, arn.region) != (snapshot.owner, snapshot.region):
            response[kind.snapshot_source] = snapshot.copied_from
        if kind is INSTANCE and arn.region != snapshot.region:
            response["SourceRegion"] = arn.region
    return response


_OF_BOTH = {
    *("Engine", "EngineVersion", "AllocatedStorage", "MasterUsername", "Port", "LicenseModel"),
    *("StorageType", "StorageThroughput", "IAMDatabaseAuthenticationEnabled"),
    *("BackupRetentionPeriod", "PreferredBackupWindow"),
}
_MEMBERS = {
    INSTANCE.name: {
        *_OF_BOTH,
        *("AvailabilityZone", "InstanceCreateTime", "Iops", "Timezone", "ProcessorFeatures"),
        *("DedicatedLogVolume", "OriginalSnapshotCreateTime", "OptionGroupName"),
    },
    CLUSTER.name: {*_OF_BOTH, "AvailabilityZones", "ClusterCreateTime", "EngineMode"},
}
