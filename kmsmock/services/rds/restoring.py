"""RestoreDBInstanceFromDBSnapshot and RestoreDBClusterFromSnapshot.

Source: Amazon RDS User Guide, "Restoring to a DB instance", "Sharing encrypted snapshots"; Amazon
RDS API Reference.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.services.rds.clusters import shown_cluster, usual
from kmsmock.services.rds.databases import begin, fail, make_available, new_database
from kmsmock.services.rds.encrypting import (
    SOURCE_KEY,
    SPECIFIED_KEY,
    context_of,
    describe_target,
    key_faults,
    make_storage,
    refuse_root,
)
from kmsmock.services.rds.engines import AURORA
from kmsmock.services.rds.errors import InvalidParameterCombination
from kmsmock.services.rds.finding import (
    database_arn,
    find_snapshot,
    new_name,
    no_snapshot,
    snapshot_arn,
)
from kmsmock.services.rds.instances import shown_instance
from kmsmock.services.rds.kinds import CLUSTER, INSTANCE, Kind
from kmsmock.services.rds.kms_calls import Grant, describe_key, lend, open_data_key, retire
from kmsmock.services.rds.parameters import shown_parameters
from kmsmock.services.rds.registry import (
    is_there,
    of_each_kind,
    permit,
    permit_making,
    required,
)
from kmsmock.services.rds.snapshots import require_available
from kmsmock.services.rds.storage import Database, Snapshot
from kmsmock.services.rds.tagging import tags_of
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sectors import rewrite
from kmsmock.services.storage_keys import KeyUnusableError


@of_each_kind("{0.restore}")
def restore(kind: Kind, call: ServiceCall) -> dict[str, Any]:
    """Make a database of a snapshot: an instance with its key, a cluster with that or another."""
    name = new_name(call, kind.identifier, of="database")
    named: str = required(call, kind.restore_from)
    tags = tags_of(call)
    permit(call, kind.restore, snapshot_arn(call, kind, named))
    permit_making(call, kind.restore, database_arn(call, kind, name))
    source = find_snapshot(call, kind, named)
    if source.region != call.region:
        raise no_snapshot(call, kind, named)
    require_available(source)
    _require_restorable(call, source)
    shown = shown_parameters(call, kind, kind.restore, _usual(call, source))
    database = new_database(call, kind, name, shown)
    grants = _lend_both(call, source, database)
    begin(call, database, tags, partial(_finish, source, grants))
    show = shown_cluster if kind is CLUSTER else shown_instance
    return {kind.name: show(call, database)}


def _require_restorable(call: ServiceCall, source: Snapshot) -> None:
    if source.kind is INSTANCE and source.key_arn is not None and source.owner != call.account:
        raise source.kind.errors.snapshot_state(
            "A DB instance cannot be restored from a DB snapshot that is both shared and "
            "encrypted.",
            explanation="Copy it first (CopyDBSnapshot with KmsKeyId), and restore from the copy.",
        )
    refuse_root(call, source)
    is_encrypted, is_to_be = source.key_arn is not None, "KmsKeyId" in call.parameters
    if is_to_be and not is_encrypted and source.shown["Engine"] not in AURORA:
        raise InvalidParameterCombination(
            "KmsKeyId cannot be specified for a DB cluster snapshot that is not encrypted.",
            explanation="Only Aurora encrypts while it restores.",
        )
    engine = call.parameters.get("Engine")
    if engine not in (None, source.shown["Engine"]):
        raise InvalidParameterCombination(
            f"The engine {engine} does not match that of the snapshot, {source.shown['Engine']}."
        )


def _usual(call: ServiceCall, source: Snapshot) -> dict[str, Any]:
    """Give what the database has when nothing else is said."""
    of_snapshots = (source.kind.created, "OriginalSnapshotCreateTime")
    kept = {name: value for name, value in source.shown.items() if name not in of_snapshots}
    # Option groups belong to an account.
    group = kept.pop("OptionGroupName", None)
    if group is not None and source.owner == call.account:
        kept["OptionGroupMemberships"] = [{"OptionGroupName": group, "Status": "in-sync"}]
    if source.kind is CLUSTER:
        return {**usual(call, kept["EngineVersion"], kept["Port"]), **kept}
    port = call.parameters.get("Port", kept["Port"])
    return {"AvailabilityZone": f"{call.region}a", **kept, "Port": port}


def _lend_both(call: ServiceCall, source: Snapshot, database: Database) -> list[Grant]:
    """Look at the keys, and let RDS use them; gives the grants that are for the snapshot alone."""
    given = call.parameters.get("KmsKeyId")
    grants: list[Grant] = []
    target = source.key_arn
    if source.key_arn is not None:
        with key_faults(SOURCE_KEY, source.key_arn):
            describe_key(call, source.key_arn)
    if given is not None:
        target = describe_target(call, SPECIFIED_KEY, given)
    if source.key_arn is not None:
        with key_faults(SOURCE_KEY, source.key_arn):
            grants.append(lend(call, source.key_arn, context_of(source)))
    if target is not None:
        try:
            with key_faults(SPECIFIED_KEY, given or target):
                database.grants.append(lend(call, target, context_of(database)))
        except Exception:
            retire(call.backend, call.now, grants)
            raise
    database.key_arn = target
    return grants


def _finish(
    source: Snapshot, grants: list[Grant], call: ServiceCall, database: Database, now: datetime
) -> None:
    backend = call.backend
    try:
        if is_there(call, database):
            make_storage(backend, now, database)
            old = None if source.key is None else open_data_key(backend, now, source.key)
            database.sectors = rewrite(source.sectors, old, database.opened)
            make_available(call, database, now)
    except KeyUnusableError as reason:
        fail(call, database, reason)
    finally:
        retire(backend, now, grants)
