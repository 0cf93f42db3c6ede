"""The operations on snapshots, and exports of them."""

from __future__ import annotations

from collections.abc import Callable

from kmsmock.services.beside import BesideHandler, Steps, until_stored
from kmsmock.services.rds.beside.answers import show_encryption, show_export
from kmsmock.services.rds.beside.databases import require_usable
from kmsmock.services.rds.beside.stored import (
    complete,
    forget_snapshot,
    get_encryption,
    record_snapshot,
    record_snapshot_of,
    storage,
    until_stored_of,
)
from kmsmock.services.rds.beside.unrecorded import is_stored, read_named_database, read_snapshot
from kmsmock.services.rds.kinds import CLUSTER, INSTANCE, Kind
from kmsmock.services.rds.kms_use.derived import ExportSnapshot
from kmsmock.services.rds.kms_use.encryption import context_for
from kmsmock.services.rds.kms_use.snapshots import CopySnapshot, CreateSnapshot, ShareSnapshot
from kmsmock.services.registry import ServiceCall


def create_snapshot(kind: Kind, call: ServiceCall) -> Steps:
    """Create a snapshot, which has the key of the database."""
    database = read_named_database(call, kind)
    require_usable(database, kind)
    flow = CreateSnapshot(call, get_encryption(database))
    answer = yield from until_stored_of(call, flow, database)
    record_snapshot_of(call, kind, database, call.parameters[kind.snapshot_identifier])
    show_encryption(call, answer)


def copy_snapshot(kind: Kind, call: ServiceCall) -> Steps:
    """Copy a snapshot, which is encrypted if the source is, or if the request names a key."""
    source = read_snapshot(call, kind, call.parameters[f"Source{kind.snapshot_identifier}"])
    flow = CopySnapshot(call, source)
    answer = yield from until_stored(flow)
    arn = answer[kind.snapshot][f"{kind.snapshot}Arn"]
    forget_snapshot(call, arn)
    if flow.encryption is not None:
        complete(call, flow, arn)
        record_snapshot(call, kind, arn, source, flow.encryption)
    show_encryption(call, answer)


def share_snapshot(kind: Kind, call: ServiceCall) -> Steps:
    """Share a snapshot, or stop sharing it."""
    snapshot = read_snapshot(call, kind, call.parameters[kind.snapshot_identifier])
    yield from until_stored(ShareSnapshot(call, kind, snapshot.encryption))


def delete_snapshot(kind: Kind, call: ServiceCall) -> Steps:
    """Delete a snapshot."""
    answer = yield
    show_encryption(call, answer)
    forget_snapshot(call, answer[kind.snapshot][f"{kind.snapshot}Arn"])


def export_snapshot(call: ServiceCall) -> Steps:
    """Export a snapshot to Amazon S3, encrypted under the key that the request names."""
    kind = CLUSTER if f":{CLUSTER.snapshot_arn}:" in call.parameters["SourceArn"] else INSTANCE
    if not is_stored(call, kind, call.parameters["SourceArn"]):
        yield  # The other mock refuses, before a key is used.
        return
    snapshot = read_snapshot(call, kind, call.parameters["SourceArn"])
    flow = ExportSnapshot(call, context_for(kind, snapshot.resource_id))
    answer = yield from until_stored(flow)
    name = call.account, call.region, answer["ExportTaskIdentifier"]
    storage(call).exports[name] = flow.key_arn
    show_export(call, answer)


def cancel_export(call: ServiceCall) -> Steps:
    """Cancel an export."""
    answer = yield
    show_export(call, answer)


OF_EACH_KIND: dict[str, Callable[[Kind, ServiceCall], Steps]] = {
    "Create{0.snapshot}": create_snapshot,
    "Copy{0.snapshot}": copy_snapshot,
    "Delete{0.snapshot}": delete_snapshot,
    "Modify{0.snapshot}Attribute": share_snapshot,
}
OPERATIONS: dict[str, BesideHandler] = {
    "StartExportTask": export_snapshot,
    "CancelExportTask": cancel_export,
}
