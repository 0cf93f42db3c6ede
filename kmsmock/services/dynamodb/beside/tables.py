"""Tables: made under a key, put under another one, and shown with it.

Source: Amazon DynamoDB Developer Guide, "Managing encrypted tables in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kmsmock.services.beside import BesideHandler, NotStoredError, Steps
from kmsmock.services.dynamodb.beside.requests import (
    requested_key,
    require_alone,
    require_another_key,
    require_change_allowed,
)
from kmsmock.services.dynamodb.kms_use import (
    create_table_key,
    current_key,
    require_accessible,
    require_readable,
    retire_grant,
)
from kmsmock.services.dynamodb.state import Table, TableKey, arn_of, tables_of
from kmsmock.services.registry import ServiceCall

#: For how much of a change the old key is shown: on AWS 8 of 21 seconds.
_SHOWS_OLD_KEY = 8 / 21


def _create_table(call: ServiceCall) -> Steps:
    name = call.parameters["TableName"]
    yield from create_table(call, name, requested_key(call.parameters.get("SSESpecification", {})))


def create_table(call: ServiceCall, name: str, key_id: str | None) -> Steps:
    """Make a table under a key; None for the one that AWS owns."""
    arn = arn_of(call, name)
    key = create_table_key(call, arn, key_id)
    try:
        answer = yield
    except NotStoredError:
        retire_grant(call, key)
        raise
    tables_of(call).tables[arn] = Table(key)
    show_encryption(call, answer["TableDescription"])


def _update_table(call: ServiceCall) -> Steps:
    specification = call.parameters.get("SSESpecification")
    if specification is None:
        answer = yield
        show_encryption(call, answer["TableDescription"])
        return
    require_alone(call.parameters)
    arn, key_id = arn_of(call, call.parameters["TableName"]), requested_key(specification)
    table = tables_of(call).tables.get(arn)
    require_another_key(table, key_id)
    changes = require_change_allowed(call, table)
    before = None if table is None else table.key
    if before is not None:
        require_readable(call, arn, before)
    key = create_table_key(call, arn, key_id)
    try:
        answer = yield
    except NotStoredError:
        retire_grant(call, key)
        raise
    retire_grant(call, before)
    tables_of(call).tables[arn] = Table(key, before, changes)
    show_encryption(call, answer["TableDescription"])


def _describe_table(call: ServiceCall) -> Steps:
    answer = yield
    show_encryption(call, answer["Table"])


def _delete_table(call: ServiceCall) -> Steps:
    answer = yield
    show_encryption(call, answer["TableDescription"])
    table = tables_of(call).tables.pop(arn_of(call, call.parameters["TableName"]), None)
    retire_grant(call, None if table is None else table.key)


def _require_accessible_table(call: ServiceCall) -> Steps:
    require_accessible(call, arn_of(call, call.parameters["TableName"]))
    yield


def show_encryption(call: ServiceCall, description: dict[str, Any]) -> None:
    """Tell in the description of a table how it is encrypted."""
    arn = arn_of(call, description["TableName"])
    table = tables_of(call).tables.get(arn)
    if table is None:
        return  # stored before
    key = current_key(call, arn)
    description.pop("SSEDescription", None)
    encryption = _describe_encryption(replace(table, key=key), call.now, call.backend.delays.tables)
    if key is not None and key.lost is not None and description["TableStatus"] == "ACTIVE":
        description["TableStatus"] = "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
        encryption["InaccessibleEncryptionDateTime"] = key.lost
    if encryption:
        description["SSEDescription"] = encryption


def _describe_encryption(table: Table, now: datetime, duration: timedelta) -> dict[str, Any]:
    """Describe the encryption of a table, which shows a change only a while after it."""
    since = now - table.changes[-1] if table.changes else duration
    if since >= duration:
        return sse_description(table.key, "ENABLED") if table.key is not None else {}
    if since < duration * _SHOWS_OLD_KEY:
        return sse_description(table.before, "UPDATING")
    return sse_description(table.key if table.before is not None else None, "UPDATING")


def sse_description(key: TableKey | None, status: str) -> dict[str, Any]:
    """Name a key and its kind, beside the status; nothing of one that AWS owns."""
    if key is None:
        return {"Status": status}
    return {"Status": status, "SSEType": "KMS", "KMSMasterKeyArn": key.arn}


OPERATIONS: Mapping[str, BesideHandler] = {
    "CreateTable": _create_table,
    "UpdateTable": _update_table,
    "DescribeTable": _describe_table,
    "DeleteTable": _delete_table,
    "UpdateTimeToLive": _require_accessible_table,
    "UpdateContributorInsights": _require_accessible_table,
}
