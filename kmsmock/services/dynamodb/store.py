"""Tables as their store has them, also those that the mock has not seen created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kmsmock.authorization.grants import GrantConstraints
from kmsmock.aws.arns import Arn
from kmsmock.services.dynamodb.state import (
    GRANT_OPERATIONS,
    Table,
    TableKey,
    context_of,
    service_of,
    tables_of,
)
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoreReader, owner_of
from kmsmock.services.unknown_keys import warn_unknown_key
from kmsmock.services.unrecorded_data_keys import (
    create_grant,
    encrypt_data_key,
    find_key,
    remove_grant,
)

_ENCRYPTED = ("ENABLED", "ENABLING", "UPDATING")


def get_table(call: ServiceCall, arn: str) -> Table | None:
    """Return a table as its store has it now; None if nothing is known about it."""
    _TABLES.refresh(call, arn)
    return tables_of(call).tables.get(arn)


def as_shown(table: Table, description: Mapping[str, Any]) -> Table:
    """Return a table together with what its store says, so that a change of that is noticed.

    description: of the store, before the encryption that the mock knows is set in it.
    """
    created = description.get("CreationDateTime")
    return replace(table, shown_key=shown_key(description), created=created)


def shown_key(description: Mapping[str, Any]) -> str | None:
    """Return the key that a store says in a table description; None for the AWS owned key."""
    encryption = description.get("SSEDescription", {})
    if encryption.get("SSEType") != "KMS" or encryption.get("Status") not in _ENCRYPTED:
        return None
    key: str | None = encryption.get("KMSMasterKeyArn")
    return key


def _keep(call: ServiceCall, arn: str, answer: Mapping[str, Any]) -> None:
    description, tables = answer["Table"], tables_of(call).tables
    table = tables.get(arn)
    if table is not None and table.created not in (None, description.get("CreationDateTime")):
        _forget(call, arn)  # and made anew under the same name
        table = None
    said = shown_key(description)
    if table is not None and said == table.shown_key:
        tables[arn] = as_shown(table, description)
        return
    _forget(call, arn)
    key = None if said is None else _make_table_key(call, arn, said)
    if said is None or key is not None:
        tables[arn] = as_shown(Table(key), description)
    else:
        warn_unknown_key(arn)


def _make_table_key(call: ServiceCall, arn: str, key_id: str) -> TableKey | None:
    """Make the key of a table that was encrypted unrecorded; None without a key known here."""
    table = Arn.of(arn)
    key = find_key(call.backend, key_id, owner_of(call, arn), table.region)
    if key is None:
        return None
    service, context = service_of(table.region), context_of(arn)
    grant_id, _ = create_grant(
        call.backend, key, service, service, GRANT_OPERATIONS, GrantConstraints(subset=context)
    )
    ciphertext = encrypt_data_key(call.backend, key, context)
    return TableKey(key.arn, grant_id, ciphertext, call.now)


def _forget(call: ServiceCall, arn: str) -> None:
    state = tables_of(call)
    table = state.tables.pop(arn, None)
    state.cache.forget(arn)
    if table is not None and table.key is not None:
        remove_grant(call.backend, table.key.arn, table.key.grant_id)


_TABLES = StoreReader(
    "dynamodb",
    "DescribeTable",
    lambda arn: {"TableName": Arn.of(arn).resource_id},
    ("ResourceNotFoundException",),
    _keep,
    _forget,
)
