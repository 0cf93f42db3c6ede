"""Items, which are read and written with the own key of their table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.dynamodb.kms_use import decrypt_for_items
from kmsmock.services.dynamodb.state import arn_of
from kmsmock.services.registry import ServiceCall

#: The tables of a PartiQL statement.
_NAMED = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+\"?([\w.-]+)", re.IGNORECASE)


def _on_one_table(call: ServiceCall) -> Steps:
    _decrypt_table_keys(call, [call.parameters["TableName"]])
    yield


def _on_many_tables(call: ServiceCall) -> Steps:
    _decrypt_table_keys(call, call.parameters["RequestItems"])
    yield


def _in_transaction(call: ServiceCall) -> Steps:
    items = call.parameters["TransactItems"]
    _decrypt_table_keys(call, (part["TableName"] for item in items for part in item.values()))
    yield


def _in_statements(call: ServiceCall) -> Steps:
    parameters = call.parameters
    statements = (
        parameters.get("Statements") or parameters.get("TransactStatements") or [parameters]
    )
    _decrypt_table_keys(
        call, (name for statement in statements for name in _NAMED.findall(statement["Statement"]))
    )
    yield


def _decrypt_table_keys(call: ServiceCall, names: Iterable[str]) -> None:
    for name in dict.fromkeys(names):
        decrypt_for_items(call, arn_of(call, name))


_ONE = dict.fromkeys(
    ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"), _on_one_table
)
OPERATIONS: Mapping[str, BesideHandler] = {
    **_ONE,
    "BatchGetItem": _on_many_tables,
    "BatchWriteItem": _on_many_tables,
    "TransactGetItems": _in_transaction,
    "TransactWriteItems": _in_transaction,
    "ExecuteStatement": _in_statements,
    "BatchExecuteStatement": _in_statements,
    "ExecuteTransaction": _in_statements,
}
