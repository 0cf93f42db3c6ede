"""RestoreDBInstanceFromDBSnapshot and RestoreDBClusterFromSnapshot.

Source: Amazon RDS User Guide, "Restoring to a DB instance", "Sharing encrypted snapshots"; Amazon
RDS API Reference.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.services.rds.answered.clusters import default_members, show_cluster
from kmsmock.services.rds.answered.databases import fail, make_available, new_database, store
from kmsmock.services.rds.answered.instances import show_instance
from kmsmock.services.rds.answered.lookup import (
    find_snapshot,
    read_new_identifier,
    snapshot_not_found_error,
)
from kmsmock.services.rds.answered.parameters import read_response_members
from kmsmock.services.rds.answered.registry import (
    of_each_kind,
    require_create_permission,
    require_parameter,
    require_permission,
)
from kmsmock.services.rds.answered.snapshots import require_available
from kmsmock.services.rds.answered.storage import Database, Snapshot
from kmsmock.services.rds.answered.tagging import read_new_tags
from kmsmock.services.rds.arns import database_arn, snapshot_arn
from kmsmock.services.rds.errors import InvalidParameterCombination
from kmsmock.services.rds.kinds import CLUSTER, Kind
from kmsmock.services.rds.kms_use.snapshots import RestoreDatabase, require_restorable
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sectors import rewrite
from kmsmock.services.storage_keys import KeyUnusableError


@of_each_kind("{0.restore}")
def restore(kind: Kind, call: ServiceCall) -> dict[str, Any]:
    """Create a database from a snapshot.

    An instance has the snapshot's key, a cluster that or another one.
    """
    name = read_new_identifier(call, kind.identifier, of="database")
    name_or_arn: str = require_parameter(call, kind.restore_from)
    tags = read_new_tags(call)
    require_permission(call, kind.restore, snapshot_arn(call, kind, name_or_arn))
    require_create_permission(call, kind.restore, database_arn(call, kind, name))
    source = find_snapshot(call, kind, name_or_arn)
    if source.region != call.region:
        raise snapshot_not_found_error(call, kind, name_or_arn)
    require_available(call, source)
    require_restorable(call, source)
    _require_engine(call, source)
    members = read_response_members(call, kind, kind.restore, _default_members(call, source))
    database = new_database(call, kind, name, members)
    flow = RestoreDatabase(call, source, database.resource_id)
    flow.request()
    database.encryption = flow.encryption
    store(call, database, tags, partial(_finish, call, database, source, flow))
    show = show_cluster if kind is CLUSTER else show_instance
    return {kind.name: show(call, database)}


def _require_engine(call: ServiceCall, source: Snapshot) -> None:
    engine = call.parameters.get("Engine")
    if engine not in (None, source.engine):
        raise InvalidParameterCombination(
            f"The engine {engine} does not match that of the snapshot, {source.engine}."
        )


def _default_members(call: ServiceCall, source: Snapshot) -> dict[str, Any]:
    """Return the response members of the database that do not depend on parameters."""
    of_snapshots = (source.kind.created, "OriginalSnapshotCreateTime")
    kept = {
        name: value for name, value in source.response_members.items() if name not in of_snapshots
    }
    # Option groups belong to an account.
    group = kept.pop("OptionGroupName", None)
    if group is not None and source.owner == call.account:
        kept["OptionGroupMemberships"] = [{"OptionGroupName": group, "Status": "in-sync"}]
    if source.kind is CLUSTER:
        return {**default_members(call, kept["EngineVersion"], kept["Port"]), **kept}
    port = call.parameters.get("Port", kept["Port"])
    return {"AvailabilityZone": f"{call.region}a", **kept, "Port": port}


def _finish(
    call: ServiceCall, database: Database, source: Snapshot, flow: RestoreDatabase, now: datetime
) -> None:
    try:
        source_key = flow.complete(now)
    except KeyUnusableError as reason:
        fail(call, database, reason)
        return
    new_key = None if database.encryption is None else database.encryption.plaintext_key
    database.sectors = rewrite(source.sectors, source_key, new_key)
    make_available(call, database, now)
