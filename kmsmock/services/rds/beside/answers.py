"""Keys, resource ids and states in the other mock's answers about databases and snapshots.

The other mock does not know the keys, and gives all instances the same resource id. Which members
describe what is derived from their names, so that all answers are alike, whatever the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kmsmock.services.members import as_plain
from kmsmock.services.rds.beside.stored import (
    get_backed_up,
    storage,
)
from kmsmock.services.rds.beside.unrecorded import keep_database, keep_snapshot, read_database
from kmsmock.services.rds.kinds import CLUSTER, INSTANCE, KINDS, Kind
from kmsmock.services.rds.kms_use.lost_keys import LOST, RECOVERABLE
from kmsmock.services.registry import ServiceCall
from kmsmock.state.failures import failures_of


def show_encryption(call: ServiceCall, answer: dict[str, Any]) -> None:
    """Set in an answer how its databases, snapshots, backups and exports are encrypted."""
    for member, value in answer.items():
        show = _SHOW.get(member.removesuffix("s"))
        if show is not None:
            for response in value if isinstance(value, list) else [value]:
                show(call, response)


def show_export(call: ServiceCall, response: dict[str, Any]) -> None:
    """Set the key of an export of a snapshot."""
    name = response.get("ExportTaskIdentifier", "")
    key_arn = storage(call).exports.get((call.account, call.region, name))
    if key_arn is not None:
        response["KmsKeyId"] = key_arn


def _show_database(kind: Kind, call: ServiceCall, response: dict[str, Any]) -> None:
    keep_database(kind, call, response)
    database = storage(call).databases.get(response.get(kind.arn_member, ""))
    owner = database
    if database is not None:
        database.members = as_plain(response)
        response[kind.resource_id] = database.resource_id
    elif kind is INSTANCE and response.get("DBClusterIdentifier"):
        owner = read_database(call, CLUSTER, response["DBClusterIdentifier"])
    _show_key(response, "StorageEncrypted", None if owner is None else owner.encryption.key_arn)
    if owner is not None and owner.status in (RECOVERABLE, LOST):
        response[kind.status.member] = owner.status
    elif response.get(kind.arn_member) in failures_of(call.backend):
        response[kind.status.member] = "failed"


def _show_snapshot(kind: Kind, call: ServiceCall, response: dict[str, Any]) -> None:
    keep_snapshot(kind, call, response)
    snapshot = storage(call).snapshots.get(response.get(f"{kind.snapshot}Arn", ""))
    key_arn = None
    if snapshot is not None and snapshot.encryption is not None:
        response[kind.resource_id] = snapshot.resource_id
        key_arn = snapshot.encryption.key_arn
    _show_key(response, kind.snapshot_encrypted, key_arn)
    if response.get(f"{kind.snapshot}Arn") in failures_of(call.backend):
        response["Status"] = "failed"


def _show_backups(kind: Kind, call: ServiceCall, response: dict[str, Any]) -> None:
    """Set the key of the automated backups of a database, which may be deleted already."""
    backed_up = get_backed_up(call, kind, response.get(kind.identifier, ""))
    if backed_up is not None:
        response[kind.resource_id] = backed_up.resource_id
        _show_key(response, kind.snapshot_encrypted, backed_up.encryption.key_arn)


def _show_key(response: dict[str, Any], flag: str, key_arn: str | None) -> None:
    """Set that a response is encrypted. flag: the member for that. key_arn: None if it is not."""
    if key_arn is not None:
        response[flag], response["KmsKeyId"] = True, key_arn
    elif not response.get(flag):
        # Some are said to have a key, although they are not encrypted.
        response.pop("KmsKeyId", None)


def _bind(
    show: Callable[[Kind, ServiceCall, dict[str, Any]], None], kind: Kind
) -> Callable[[ServiceCall, dict[str, Any]], None]:
    return lambda call, response: show(kind, call, response)


#: Member of answers, without the s of lists -> what completes it.
_SHOW: Mapping[str, Callable[[ServiceCall, dict[str, Any]], None]] = {
    **{kind.name: _bind(_show_database, kind) for kind in KINDS},
    **{kind.snapshot: _bind(_show_snapshot, kind) for kind in KINDS},
    **{f"{kind.name}AutomatedBackup": _bind(_show_backups, kind) for kind in KINDS},
    "ExportTask": show_export,
}
