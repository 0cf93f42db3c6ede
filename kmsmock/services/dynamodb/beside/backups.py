"""Backups, encrypted with the key that their table had, and the tables that are restored.

Source: Amazon DynamoDB API Reference, "RestoreTableFromBackup" and "RestoreTableToPointInTime", by
which a restored table is encrypted as its source unless the request says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.dynamodb.beside.sse_specification import requested_key
from kmsmock.services.dynamodb.beside.tables import create_table, sse_description
from kmsmock.services.dynamodb.kms_use import current_key, decrypt_table_key, require_accessible
from kmsmock.services.dynamodb.state import TableKey, table_arn, tables_of
from kmsmock.services.dynamodb.store import get_table
from kmsmock.services.registry import ServiceCall


def _create_backup(call: ServiceCall) -> Steps:
    arn = table_arn(call, call.parameters["TableName"])
    require_accessible(call, arn)
    answer = yield
    if get_table(call, arn) is not None:
        backup = answer["BackupDetails"]["BackupArn"]
        tables_of(call).backups[backup] = (arn, current_key(call, arn))


def _describe_backup(call: ServiceCall) -> Steps:
    answer = yield
    _, key = tables_of(call).backups.get(call.parameters["BackupArn"], ("", None))
    if key is not None:
        features = answer["BackupDescription"].setdefault("SourceTableFeatureDetails", {})
        features["SSEDescription"] = sse_description(key, "ENABLED")


def _delete_backup(call: ServiceCall) -> Steps:
    yield
    tables_of(call).backups.pop(call.parameters["BackupArn"], None)


def _restore_backup(call: ServiceCall) -> Steps:
    source = tables_of(call).backups.get(call.parameters["BackupArn"])
    if source is None:
        yield  # The backup was created before the mock was active.
        return
    yield from _restore_table(call, *source)


def _restore_to_point_in_time(call: ServiceCall) -> Steps:
    parameters = call.parameters
    name = parameters.get("SourceTableName") or parameters.get("SourceTableArn", "")
    arn = table_arn(call, name)
    table = get_table(call, arn)
    if table is None:
        yield
        return
    require_accessible(call, arn)
    yield from _restore_table(call, arn, table.key)


def _restore_table(call: ServiceCall, arn: str, key: TableKey | None) -> Steps:
    """Create a table from a source table. arn, key: of the source."""
    override = call.parameters.get("SSESpecificationOverride")
    key_id = None if key is None else key.arn
    if override is not None:
        key_id = requested_key(override)
    if key is not None:
        decrypt_table_key(call, arn, key)
    yield from create_table(call, call.parameters["TargetTableName"], key_id)


OPERATIONS: Mapping[str, BesideHandler] = {
    "CreateBackup": _create_backup,
    "DescribeBackup": _describe_backup,
    "DeleteBackup": _delete_backup,
    "RestoreTableFromBackup": _restore_backup,
    "RestoreTableToPointInTime": _restore_to_point_in_time,
}
