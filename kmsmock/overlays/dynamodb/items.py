"""Items, which are read and written with the own key of their table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kmsmock.overlays.dynamodb.keys import open_where_needed
from kmsmock.overlays.dynamodb.stored import arn_of
from kmsmock.services.beside import BesideHandler, Steps
from kmsmock.services.registry import ServiceCall

#: The tables of a PartiQL statement.
_NAMED = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+\"?([\w.-]+)", re.IGNORECASE)


def _of_one(call: ServiceCall) -> Steps:
    _open(call, [call.parameters["TableName"]])
    yield


def _of_many(call: ServiceCall) -> Steps:
    _open(call, call.parameters["RequestItems"])
    yield


def _of_transaction(call: ServiceCall) -> Steps:
    items = call.parameters["TransactItems"]
    _open(call, (part["TableName"] for item in items for part in item.values()))
    yield


def _of_statements(call: ServiceCall) -> Steps:
    parameters = call.parameters
    given = parameters.get("Statements") or parameters.get("TransactStatements") or [parameters]
    _open(call, (name for one in given for name in _NAMED.findall(one["Statement"])))
    yield


def _open(call: ServiceCall, names: Iterable[str]) -> None:
    for name in dict.fromkeys(names):
        open_where_needed(call, arn_of(call, name))


_ONE = dict.fromkeys(("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"), _of_one)
OPERATIONS: Mapping[str, BesideHandler] = {
    **_ONE,
    "BatchGetItem": _of_many,
    "BatchWriteItem": _of_many,
    "TransactGetItems": _of_transaction,
    "TransactWriteItems": _of_transaction,
    "ExecuteStatement": _of_statements,
    "BatchExecuteStatement": _of_statements,
    "ExecuteTransaction": _of_statements,
}
