"""The operations that describe databases, snapshots, backups and exports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from kmsmock.services.beside import BesideHandler, Changes, Steps
from kmsmock.services.rds.beside.answers import show_encryption
from kmsmock.services.rds.beside.stored import get_backed_up, record_snapshot_of
from kmsmock.services.rds.kinds import INSTANCE, KINDS, Kind
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_filters import FilterForm, FilterValues, select

_FORM = FilterForm("Filters.Filter.{}.Name", "Filters.Filter.{}.Values.Value.{}")


def _describe(kind: Kind, member: str, call: ServiceCall) -> Steps:
    """Complete a list, and leave out what has another resource id than the call requests.

    member: of the answer, which has the list.
    """
    filters = [*call.parameters.get("Filters", ())]
    taken = _values_of(kind)
    changes: Changes = _FORM.without(filters, taken)
    for name in ("DbiResourceId", "DbClusterResourceId"):
        if name in call.parameters:
            filters.append({"Name": next(iter(taken)), "Values": [call.parameters[name]]})
            changes = {**changes, name: None}
    answer = yield changes
    if member == f"{kind.snapshot}s":
        _record_automated(call, kind, answer[member])
    show_encryption(call, answer)
    answer[member] = select(answer[member], filters, taken, has_wildcards=False)


def _values_of(kind: Kind) -> FilterValues:
    def read(response: Mapping[str, Any]) -> Iterable[str]:
        return [response.get(kind.resource_id, "")]

    return {"dbi-resource-id" if kind is INSTANCE else "db-cluster-resource-id": read}


def _record_automated(call: ServiceCall, kind: Kind, responses: Iterable[dict[str, Any]]) -> None:
    """Record automated snapshots, which the other mock takes by itself."""
    for response in responses:
        database = get_backed_up(call, kind, response[kind.identifier])
        if response["SnapshotType"] == "automated" and database is not None:
            record_snapshot_of(call, kind, database, response[f"{kind.snapshot}Arn"])


def _describe_exports(call: ServiceCall) -> Steps:
    answer = yield
    show_encryption(call, answer)


_MEMBERS = ("{0.name}s", "{0.snapshot}s", "{0.name}AutomatedBackups")
OPERATIONS: dict[str, BesideHandler] = {
    **{
        f"Describe{member}": partial(_describe, kind, member)
        for kind in KINDS
        for member in (each.format(kind) for each in _MEMBERS)
    },
    "DescribeExportTasks": _describe_exports,
}
