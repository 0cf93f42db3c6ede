"""Databases and snapshots that were stored unrecorded, such as before the mock was active.

The other mock is asked about those that a call names, and those that it describes are taken from
its answers. Its placeholder for a key stands for the AWS managed key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.keys.key import Key
from kmsmock.services.rds.arns import database_arn, snapshot_arn
from kmsmock.services.rds.beside.stored import (
    StoredDatabase,
    StoredSnapshot,
    add_database,
    find_snapshot,
    forget_database,
    forget_snapshot,
    get_database,
    note_arn,
    storage,
)
from kmsmock.services.rds.kinds import INSTANCE, KINDS, Kind
from kmsmock.services.rds.kms_use.encryption import new_resource_id
from kmsmock.services.rds.kms_use.keys import DEFAULT_KEY
from kmsmock.services.rds.kms_use.lost_keys import AVAILABLE
from kmsmock.services.rds.kms_use.unrecorded import (
    encrypt_unrecorded_database,
    encrypt_unrecorded_snapshot,
)
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoreReader
from kmsmock.services.unrecorded_data_keys import find_key

_PLACEHOLDER = "default_kms_key_id"


def read_database(call: ServiceCall, kind: Kind, name_or_arn: str) -> StoredDatabase | None:
    """Return an encrypted database, as the other mock stores it now; None for one that is not."""
    is_arn = Arn.parse(name_or_arn) is not None
    arn = name_or_arn if is_arn else database_arn(call, kind, name_or_arn.lower())
    if _is_own(call, arn):
        _DATABASES[kind.name].refresh(call, arn)
    return get_database(call, kind, name_or_arn)


def read_named_database(call: ServiceCall, kind: Kind) -> StoredDatabase | None:
    """Return the database that a call names, as `read_database` does."""
    return read_database(call, kind, call.parameters[kind.identifier])


def read_snapshot(call: ServiceCall, kind: Kind, name_or_arn: str) -> StoredSnapshot:
    """Find a snapshot, as the other mock stores it now; see `find_snapshot`."""
    arn = snapshot_arn(call, kind, name_or_arn)
    if _is_own(call, arn):
        _SNAPSHOTS[kind.name].refresh(call, arn)
    return find_snapshot(call, kind, name_or_arn)


def is_stored(call: ServiceCall, kind: Kind, arn: str) -> bool:
    """Return whether the other mock has a snapshot, or cannot be asked."""
    if call.store is None:
        return True
    request = _name_in(kind.snapshot_identifier, arn)
    answer = call.store.ask("rds", f"Describe{kind.snapshot}s", request, call.region)
    return not isinstance(answer, str)


def _is_own(call: ServiceCall, arn: str) -> bool:
    """Return whether the caller can ask about a resource."""
    parsed = Arn.parse(arn)
    return parsed is not None and parsed.account == call.account


def keep_database(kind: Kind, call: ServiceCall, response: Mapping[str, Any]) -> None:
    """Record a database that the other mock describes, if it was made or encrypted unrecorded."""
    arn = response.get(kind.arn_member)
    if not arn:
        return
    known = storage(call).databases.get(arn)
    created = response.get(kind.created)
    if known is not None and known.created in (None, created):
        known.created = created
        return
    forget_database(call, arn)
    # Members of clusters use the storage of their cluster.
    is_member = kind is INSTANCE and response.get("DBClusterIdentifier")
    key = _find_key(call, response) if response.get("StorageEncrypted") else None
    if key is None or is_member:
        return
    runs = response.get(kind.status.member) == AVAILABLE
    resource_id = new_resource_id(call.backend, kind)
    database = StoredDatabase(
        arn,
        resource_id,
        response.get("Engine", ""),
        encrypt_unrecorded_database(call.backend, kind, resource_id, key, call.account, runs=runs),
        AVAILABLE if runs else "stopped",
        created=created,
    )
    add_database(call, database)


def keep_snapshot(kind: Kind, call: ServiceCall, response: Mapping[str, Any]) -> None:
    """Record a snapshot that the other mock describes, if it was taken or copied unrecorded."""
    arn = response.get(f"{kind.snapshot}Arn")
    if not arn or arn in storage(call).snapshots or not response.get(kind.snapshot_encrypted):
        return
    database = get_database(call, kind, response.get(kind.identifier, ""))
    if database is not None and response.get("KmsKeyId") in (None, _PLACEHOLDER):
        encryption, resource_id = database.encryption.for_snapshot(), database.resource_id
    else:
        key = _find_key(call, response)
        if key is None:
            return
        resource_id = new_resource_id(call.backend, kind)
        encryption = encrypt_unrecorded_snapshot(call.backend, kind, resource_id, key)
    is_shared = call.parameters.get("SnapshotType") in ("shared", "public")
    owner = Arn.of(arn).account if is_shared else call.account
    region, engine = Arn.of(arn).region, response.get("Engine", "")
    storage(call).snapshots[arn] = StoredSnapshot(
        kind, owner, region, resource_id, engine, encryption
    )


def _find_key(call: ServiceCall, response: Mapping[str, Any]) -> Key | None:
    """Find the key that the other mock names; None for one that is not here."""
    named = response.get("KmsKeyId")
    reference = DEFAULT_KEY if named in (None, _PLACEHOLDER) else str(named)
    return find_key(call.backend, reference, call.account, call.region)


def _make_reader(
    resource: str,
    identifier: str,
    arn_member: str,
    keep: Callable[[ServiceCall, Mapping[str, Any]], None],
    forget: Callable[[ServiceCall, str], None],
) -> StoreReader:
    """Return what reads databases or snapshots of one kind from the other mock.

    resource: as operations and errors name it, such as ``DBSnapshot``. identifier, arn_member: the
    members of its name and ARN.
    """

    def keep_named(call: ServiceCall, arn: str, answer: Mapping[str, Any]) -> None:
        for response in answer[f"{resource}s"]:
            if Arn.of(response[arn_member]).resource_id == Arn.of(arn).resource_id:
                note_arn(call, response[arn_member])
                keep(call, response)

    missing = (f"{resource}NotFound", f"{resource}NotFoundFault")
    name = partial(_name_in, identifier)
    return StoreReader("rds", f"Describe{resource}s", name, missing, keep_named, forget)


def _name_in(member: str, arn: str) -> dict[str, str]:
    return {member: Arn.of(arn).resource_id}


_DATABASES = {
    kind.name: _make_reader(
        kind.name,
        kind.identifier,
        kind.arn_member,
        partial(keep_database, kind),
        forget_database,
    )
    for kind in KINDS
}
_SNAPSHOTS = {
    kind.name: _make_reader(
        kind.snapshot,
        kind.snapshot_identifier,
        f"{kind.snapshot}Arn",
        partial(keep_snapshot, kind),
        forget_snapshot,
    )
    for kind in KINDS
}
