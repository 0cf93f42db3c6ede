"""Tables: made under a key, put under another one, and shown with it.

Source: Amazon DynamoDB Developer Guide, "Managing encrypted tables in DynamoDB".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kmsmock.overlays.dynamodb.keys import (
    encrypt,
    looked_after,
    require_accessible,
    require_readable,
    retire,
)
from kmsmock.overlays.dynamodb.requests import (
    asked,
    require_alone,
    require_another_key,
    require_change_allowed,
)
from kmsmock.overlays.dynamodb.stored import Table, TableKey, arn_of, stored
from kmsmock.services.beside import BesideHandler, NotStoredError, Steps
from kmsmock.services.registry import ServiceCall

#: For how much of a change the old key is shown: on AWS 8 of 21 seconds.
_SHOWS_OLD_KEY = 8 / 21


def _create(call: ServiceCall) -> Steps:
    name = call.parameters["TableName"]
    yield from make(call, name, asked(call.parameters.get("SSESpecification", {})))


def make(call: ServiceCall, name: str, key_id: str | None) -> Steps:
    """Make a table under a key; None for the one that AWS owns."""
    arn = arn_of(call, name)
    key = encrypt(call, arn, key_id)
    try:
        answer = yield
    except NotStoredError:
        retire(call, key)
        raise
    stored(call).tables[arn] = Table(key)
    show(call, answer["TableDescription"])


def _update(call: ServiceCall) -> Steps:
    specification = call.parameters.get("SSESpecification")
    if specification is None:
        answer = yield
        show(call, answer["TableDescription"])
        return
    require_alone(call.parameters)
    arn, key_id = arn_of(call, call.parameters["TableName"]), asked(specification)
    table = stored(call).tables.get(arn)
    require_another_key(table, key_id)
    changes = require_change_allowed(call, table)
    before = None if table is None else table.key
    if before is not None:
        require_readable(call, arn, before)
    key = encrypt(call, arn, key_id)
    try:
        answer = yield
    except NotStoredError:
        retire(call, key)
        raise
    retire(call, before)
    stored(call).tables[arn] = Table(key, before, changes)
    show(call, answer["TableDescription"])


def _describe(call: ServiceCall) -> Steps:
    answer = yield
    show(call, answer["Table"])


def _delete(call: ServiceCall) -> Steps:
    answer = yield
    show(call, answer["TableDescription"])
    table = stored(call).tables.pop(arn_of(call, call.parameters["TableName"]), None)
    retire(call, None if table is None else table.key)


def _of_accessible(call: ServiceCall) -> Steps:
    require_accessible(call, arn_of(call, call.parameters["TableName"]))
    yield


def show(call: ServiceCall, description: dict[str, Any]) -> None:
    """Tell in the description of a table how it is encrypted."""
    arn = arn_of(call, description["TableName"])
    table = stored(call).tables.get(arn)
    if table is None:
        return  # made unseen
    key = looked_after(call, arn)
    description.pop("SSEDescription", None)
    encryption = _described(replace(table, key=key), call.now, call.backend.delays.tables)
    if key is not None and key.lost is not None and description["TableStatus"] == "ACTIVE":
        description["TableStatus"] = "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
        encryption["InaccessibleEncryptionDateTime"] = key.lost
    if encryption:
        description["SSEDescription"] = encryption


def _described(table: Table, now: datetime, duration: timedelta) -> dict[str, Any]:
    """Describe the encryption of a table, which shows a change only a while after it."""
    since = now - table.changes[-1] if table.changes else duration
    if since >= duration:
        return named(table.key, "ENABLED") if table.key is not None else {}
    if since < duration * _SHOWS_OLD_KEY:
        return named(table.before, "UPDATING")
    return named(table.key if table.before is not None else None, "UPDATING")


def named(key: TableKey | None, status: str) -> dict[str, Any]:
    """Name a key and its kind, beside the status; nothing of one that AWS owns."""
    if key is None:
        return {"Status": status}
    return {"Status": status, "SSEType": "KMS", "KMSMasterKeyArn": key.arn}


OPERATIONS: Mapping[str, BesideHandler] = {
    "CreateTable": _create,
    "UpdateTable": _update,
    "DescribeTable": _describe,
    "DeleteTable": _delete,
    "UpdateTimeToLive": _of_accessible,
    "UpdateContributorInsights": _of_accessible,
}
