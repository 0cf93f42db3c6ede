"""Backups, under the key that their table had, and the tables that are restored.

Source: Amazon DynamoDB API Reference, "RestoreTableFromBackup" and "RestoreTableToPointInTime", by
which a restored table is encrypted as its source unless the request says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.overlays.dynamodb.keys import looked_after, open_, require_accessible
from kmsmock.overlays.dynamodb.requests import asked
from kmsmock.overlays.dynamodb.stored import TableKey, arn_of, stored
from kmsmock.overlays.dynamodb.tables import make, named
from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.registry import ServiceCall


def _create(call: ServiceCall) -> Steps:
    arn = arn_of(call, call.parameters["TableName"])
    require_accessible(call, arn)
    answer = yield
    if arn in stored(call).tables:
        backup = answer["BackupDetails"]["BackupArn"]
        stored(call).backups[backup] = (arn, looked_after(call, arn))


def _describe(call: ServiceCall) -> Steps:
    answer = yield
    _, key = stored(call).backups.get(call.parameters["BackupArn"], ("", None))
    if key is not None:
        features = answer["BackupDescription"].setdefault("SourceTableFeatureDetails", {})
        features["SSEDescription"] = named(key, "ENABLED")


def _delete(call: ServiceCall) -> Steps:
    yield
    stored(call).backups.pop(call.parameters["BackupArn"], None)


def _restore(call: ServiceCall) -> Steps:
    source = stored(call).backups.get(call.parameters["BackupArn"])
    if source is None:
        yield  # of a backup that was made unseen
        return
    yield from _make_restored(call, *source)


def _restore_to_point_in_time(call: ServiceCall) -> Steps:
    parameters = call.parameters
    name = parameters.get("SourceTableName") or parameters.get("SourceTableArn", "")
    arn = arn_of(call, name)
    table = stored(call).tables.get(arn)
    if table is None:
        yield
        return
    require_accessible(call, arn)
    yield from _make_restored(call, arn, table.key)


def _make_restored(call: ServiceCall, arn: str, key: TableKey | None) -> Steps:
    """Make a table from another one. arn, key: of that."""
    override = call.parameters.get("SSESpecificationOverride")
    key_id = None if key is None else key.arn
    if override is not None:
        key_id = asked(override)
    if key is not None:
        open_(call, arn, key)
    yield from make(call, call.parameters["TargetTableName"], key_id)


OPERATIONS: Mapping[str, BesideHandler] = {
    "CreateBackup": _create,
    "DescribeBackup": _describe,
    "DeleteBackup": _delete,
    "RestoreTableFromBackup": _restore,
    "RestoreTableToPointInTime": _restore_to_point_in_time,
}
