"""What a test sees of RDS beside the API: contents, and explanations of failures."""

from __future__ import annotations

from kmsmock.misuse.public_object import PublicObject
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.process.moto import is_moto_active
from kmsmock.services import sectors
from kmsmock.services.rds.answered.storage import Database, Snapshot, Storage
from kmsmock.services.rds.kinds import CLUSTER
from kmsmock.services.rds.kms_use.encryption import DatabaseEncryption
from kmsmock.services.rds.kms_use.lost_keys import check_keys
from kmsmock.services.storage_keys import read_data_key
from kmsmock.state.backend import Backend
from kmsmock.state.failures import failures_of

_GIB = 1024**3
#: Source: Amazon Aurora User Guide, "Amazon Aurora storage".
_LARGEST_CLUSTER = 128 * 1024


class UnreadableDatabaseError(Exception):
    """The contents of a database or snapshot cannot be read or written."""


class Rds(PublicObject):
    """The databases and snapshots of one mock, as ``kms.rds``.

    Reading and writing stand for what a database engine does with its storage: they need no
    permission and leave no record. They need the key: a database has its data key in memory while
    it is available, a snapshot needs the key each time.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def write(self, arn: str, offset: int, data: bytes) -> None:
        """Write bytes to the storage of an instance or cluster.

        arn: of the database; a member of a cluster writes to the storage of the cluster. offset: in
        bytes. Raises ValueError for an unknown ARN or an offset outside of the storage,
        `UnreadableDatabaseError` when the database does not run.
        """
        with self._backend.lock:
            resource = self._find(arn)
            if isinstance(resource, Snapshot):
                raise ValueError(f"{arn} is a snapshot, which cannot be written to")  # noqa: TRY004
            _require_inside(resource, offset, len(data))
            sectors.write(resource.sectors, self._plaintext_key(resource), offset, data)

    def read(self, arn: str, offset: int, length: int) -> bytes:
        """Read bytes of a database or snapshot; bytes that were never written are zeros.

        offset, length: in bytes. Raises the errors of `write`.
        """
        with self._backend.lock:
            resource = self._find(arn)
            _require_inside(resource, offset, length)
            return sectors.read(resource.sectors, self._plaintext_key(resource), offset, length)

    def why(self, arn: str) -> str | None:
        """Explain why a database or snapshot has failed, or why a database cannot use its key.

        arn: of an instance, cluster or snapshot. Return None for what has not failed; raises
        ValueError for what does not exist.
        """
        with self._backend.lock:
            self._run_due_work()
            why = failures_of(self._backend).get(arn)
            if why is None and not is_moto_active() and arn not in self._list_arns():
                raise self._make_unknown_error(arn)
            return why

    def _list_arns(self) -> list[str]:
        """Return the ARNs of all databases and snapshots, and of those that have failed."""
        stored = self._storage.account_regions.values()
        databases = (one.arn for region in stored for one in region.databases.values())
        snapshots = (one.arn for region in stored for one in region.snapshots.values())
        return [*databases, *snapshots, *failures_of(self._backend)]

    def _make_unknown_error(self, arn: str) -> ValueError:
        hint = did_you_mean(arn, self._list_arns())
        if is_moto_active():
            hint = (
                ": moto stores databases and snapshots while it is active, and they have contents "
                "only without it"
            )
        return ValueError(f"RDS has no resource with the ARN {arn!r}{hint}")

    @property
    def _storage(self) -> Storage:
        return self._backend.service_state(Storage)

    def _run_due_work(self) -> None:
        now = self._backend.clock.now()
        self._backend.clock.run_due_work(now)
        check_keys(self._backend, now)

    def _find(self, arn: str) -> Database | Snapshot:
        self._run_due_work()
        for account_region in self._storage.account_regions.values():
            for database in account_region.databases.values():
                if database.arn == arn:
                    return database.cluster or database
            for snapshot in account_region.snapshots.values():
                if snapshot.arn == arn:
                    return snapshot
        raise self._make_unknown_error(arn)

    def _plaintext_key(self, resource: Database | Snapshot) -> bytes | None:
        if resource.status != "available":
            kind = resource.kind
            state = kind.snapshot_status if isinstance(resource, Snapshot) else kind.status
            why = failures_of(self._backend).get(resource.arn)
            why = why or self._backend.passing.explain(state, resource.arn)
            raise UnreadableDatabaseError(
                f"{resource.arn} is in state {resource.status}" + (f": {why}" if why else "")
            )
        encryption = resource.encryption
        if isinstance(encryption, DatabaseEncryption):
            return encryption.plaintext_key
        if encryption is None or encryption.data_key is None:
            return None
        return read_data_key(
            self._backend, encryption.data_key, resource.arn, UnreadableDatabaseError
        )


def _require_inside(resource: Database | Snapshot, offset: int, length: int) -> None:
    size = (
        _LARGEST_CLUSTER
        if resource.kind is CLUSTER
        else resource.response_members["AllocatedStorage"]
    )
    if offset < 0 or length < 0 or offset + length > size * _GIB:
        raise ValueError(
            f"{resource.arn} has {size} GiB; {length} bytes at offset {offset} exceed it"
        )
