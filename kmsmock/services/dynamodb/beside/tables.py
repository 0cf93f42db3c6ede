"""Tables: created with a key, changed to another key, and described with it.

Source: Amazon DynamoDB Developer Guide, "Managing encrypted tables in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from kmsmock.services.beside import BesideHandler, NotStoredError, Steps
from kmsmock.services.dynamodb.beside.sse_specification import (
    requested_key,
    require_another_key,
    require_change_allowed,
    require_only_change,
)
from kmsmock.services.dynamodb.kms_use import (
    create_table_key,
    current_key,
    require_accessible,
    require_readable,
    retire_grant,
)
from kmsmock.services.dynamodb.state import (
    ENCRYPTION_STATE,
    Table,
    TableKey,
    Tables,
    table_arn,
    tables_of,
)
from kmsmock.services.dynamodb.store import as_shown, get_table
from kmsmock.services.registry import ServiceCall
from kmsmock.state.backend import Backend
from kmsmock.timing.dates import add_or_last
from kmsmock.timing.passing_states import Shows

#: The part of a change during which DescribeTable returns the old key: on AWS 8 of 21 seconds.
_OLD_KEY_PART = 8 / 21


def _create_table(call: ServiceCall) -> Steps:
    name = call.parameters["TableName"]
    yield from create_table(call, name, requested_key(call.parameters.get("SSESpecification", {})))


def create_table(call: ServiceCall, name: str, key_id: str | None) -> Steps:
    """Create a table. key_id: of the key to encrypt it with; None for the AWS owned key."""
    arn = table_arn(call, name)
    key = create_table_key(call, arn, key_id)
    try:
        answer = yield
    except NotStoredError:
        retire_grant(call, key)
        raise
    tables_of(call).tables[arn] = as_shown(Table(key), answer["TableDescription"])
    set_sse_description(call, answer["TableDescription"])


def _update_table(call: ServiceCall) -> Steps:
    specification = call.parameters.get("SSESpecification")
    if specification is None:
        answer = yield
        set_sse_description(call, answer["TableDescription"])
        return
    require_only_change(call.parameters)
    arn, key_id = table_arn(call, call.parameters["TableName"]), requested_key(specification)
    table = get_table(call, arn)
    require_another_key(table, key_id)
    changes = require_change_allowed(call, table)
    old_key = None if table is None else table.key
    if old_key is not None:
        require_readable(call, arn, old_key)
    key = create_table_key(call, arn, key_id)
    try:
        answer = yield
    except NotStoredError:
        retire_grant(call, key)
        raise
    retire_grant(call, old_key)
    changed = as_shown(Table(key, old_key, changes), answer["TableDescription"])
    tables_of(call).tables[arn] = changed
    if call.backend.delays.tables:
        _begin_change(call, arn)
    set_sse_description(call, answer["TableDescription"])


def _begin_change(call: ServiceCall, arn: str) -> None:
    """Begin to change the key of a table, which answers show until it is done."""
    tables = tables_of(call).tables
    tables[arn] = replace(tables[arn], is_changing=True)
    due = add_or_last(call.now, call.backend.delays.tables)
    until = "SSEDescription.Status is ENABLED" if tables[arn].key else "SSEDescription is absent"
    finish = partial(_finish_change, call.backend, arn)
    call.backend.passing.begin(ENCRYPTION_STATE, arn, due, finish, until=until)


def _finish_change(backend: Backend, arn: str, now: datetime) -> None:  # noqa: ARG001 - the clock gives it
    tables = backend.service_state(Tables).tables
    if arn in tables:
        tables[arn] = replace(tables[arn], is_changing=False)


def _describe_table(call: ServiceCall) -> Steps:
    answer = yield
    set_sse_description(call, answer["Table"])


def _delete_table(call: ServiceCall) -> Steps:
    get_table(call, table_arn(call, call.parameters["TableName"]))
    answer = yield
    set_sse_description(replace(call, store=None), answer["TableDescription"])  # It is gone there.
    table = tables_of(call).tables.pop(table_arn(call, call.parameters["TableName"]), None)
    retire_grant(call, None if table is None else table.key)


def _require_accessible_table(call: ServiceCall) -> Steps:
    require_accessible(call, table_arn(call, call.parameters["TableName"]))
    yield


def set_sse_description(call: ServiceCall, description: dict[str, Any]) -> None:
    """Replace the members of a table description that say how the table is encrypted."""
    arn = table_arn(call, description["TableName"])
    table = get_table(call, arn)
    if table is None:
        return  # Its key is none of this KMS.
    key = current_key(call, arn)
    description.pop("SSEDescription", None)
    encryption = _describe_encryption(replace(table, key=key), call.now, call.backend.delays.tables)
    if (
        key is not None
        and key.inaccessible_since is not None
        and description["TableStatus"] == "ACTIVE"
    ):
        description["TableStatus"] = "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
        encryption["InaccessibleEncryptionDateTime"] = key.inaccessible_since
    if encryption:
        description["SSEDescription"] = encryption


def _describe_encryption(table: Table, now: datetime, duration: timedelta) -> dict[str, Any]:
    """Return the ``SSEDescription`` of a table, which lags behind a change of the key.

    duration: of a change.
    """
    if not table.is_changing:
        return sse_description(table.key, "ENABLED") if table.key is not None else {}
    if now - table.key_changes[-1] < duration * _OLD_KEY_PART:
        return sse_description(table.previous_key, "UPDATING")
    return sse_description(table.key if table.previous_key is not None else None, "UPDATING")


def sse_description(key: TableKey | None, status: str) -> dict[str, Any]:
    """Return an ``SSEDescription``. key: None for the AWS owned key, of which it has no members."""
    if key is None:
        return {"Status": status}
    return {"Status": status, "SSEType": "KMS", "KMSMasterKeyArn": key.arn}


SHOWN_STATES = {
    "DescribeTable": Shows(
        ENCRYPTION_STATE, lambda call, _: [table_arn(call, call.parameters["TableName"])]
    )
}
OPERATIONS: Mapping[str, BesideHandler] = {
    "CreateTable": _create_table,
    "UpdateTable": _update_table,
    "DescribeTable": _describe_table,
    "DeleteTable": _delete_table,
    "UpdateTimeToLive": _require_accessible_table,
    "UpdateContributorInsights": _require_accessible_table,
}
