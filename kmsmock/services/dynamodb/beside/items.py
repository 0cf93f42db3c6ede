"""Items, which are read and written with the table key of their table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.dynamodb.kms_use import decrypt_for_items
from kmsmock.services.dynamodb.state import table_arn
from kmsmock.services.registry import ServiceCall

#: The names of the tables in a PartiQL statement.
_TABLE_NAME = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+\"?([\w.-]+)", re.IGNORECASE)


def _access_table(call: ServiceCall) -> Steps:
    _decrypt_table_keys(call, [call.parameters["TableName"]])
    yield


def _access_tables(call: ServiceCall) -> Steps:
    _decrypt_table_keys(call, call.parameters["RequestItems"])
    yield


def _access_in_transaction(call: ServiceCall) -> Steps:
    items = call.parameters["TransactItems"]
    _decrypt_table_keys(call, (part["TableName"] for item in items for part in item.values()))
    yield


def _execute_statements(call: ServiceCall) -> Steps:
    parameters = call.parameters
    statements = (
        parameters.get("Statements") or parameters.get("TransactStatements") or [parameters]
    )
    _decrypt_table_keys(
        call,
        (name for statement in statements for name in _TABLE_NAME.findall(statement["Statement"])),
    )
    yield


def _decrypt_table_keys(call: ServiceCall, names: Iterable[str]) -> None:
    for name in dict.fromkeys(names):
        decrypt_for_items(call, table_arn(call, name))


_ONE_TABLE = dict.fromkeys(
    ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"), _access_table
)
OPERATIONS: Mapping[str, BesideHandler] = {
    **_ONE_TABLE,
    "BatchGetItem": _access_tables,
    "BatchWriteItem": _access_tables,
    "TransactGetItems": _access_in_transaction,
    "TransactWriteItems": _access_in_transaction,
    "ExecuteStatement": _execute_statements,
    "BatchExecuteStatement": _execute_statements,
    "ExecuteTransaction": _execute_statements,
}
