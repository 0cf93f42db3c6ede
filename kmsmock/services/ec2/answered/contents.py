"""The contents of volumes and snapshots, and why something failed, for tests: ``kms.ebs``."""

from __future__ import annotations

from kmsmock.misuse.public_object import PublicObject
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.process.moto import is_moto_active
from kmsmock.services import sectors
from kmsmock.services.ec2.answered.storage import Snapshot, Storage, Volume
from kmsmock.services.ec2.kms_use.state import SNAPSHOT_STATE, VOLUME_STATE
from kmsmock.services.storage_keys import read_data_key
from kmsmock.state.backend import Backend
from kmsmock.state.failures import failures_of

_GIB = 1024**3
_WITHOUT_CONTENTS = ("creating", "pending", "error")


class UnreadableContentsError(Exception):
    """The data key of a volume or snapshot cannot be decrypted: its contents are unreadable."""


class Ebs(PublicObject):
    """The volumes and snapshots of one mock, as ``kms.ebs``.

    Reading and writing stand for what an instance does with a volume that is attached to it: they
    need no permission and leave no record. They need the key, unless an instance holds the data
    key already.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def write(self, volume_id: str, offset: int, data: bytes) -> None:
        """Write bytes to a volume.

        offset: in bytes. Raises ValueError for an unknown volume or for bytes outside of it,
        `UnreadableContentsError` when the data key cannot be decrypted.
        """
        with self._backend.lock:
            volume = self._find(volume_id)
            if isinstance(volume, Snapshot):
                raise ValueError(f"{volume_id} is a snapshot, which cannot be written to")  # noqa: TRY004
            _require_inside(volume.id, volume.size, offset, len(data))
            sectors.write(volume.sectors, self._plaintext_key(volume), offset, data)

    def read(self, resource_id: str, offset: int, length: int) -> bytes:
        """Read bytes of a volume or snapshot; bytes that were never written are zeros.

        offset, length: in bytes. Raises the errors of `write`.
        """
        with self._backend.lock:
            resource = self._find(resource_id)
            key = self._plaintext_key(resource)
            size = resource.size if isinstance(resource, Volume) else resource.volume_size
            _require_inside(resource.id, size, offset, length)
            return sectors.read(resource.sectors, key, offset, length)

    def why(self, resource_id: str) -> str | None:
        """Explain why a snapshot is in state error, a volume has vanished or is not attached.

        While moto answers EC2, also why an instance was terminated or not started. resource_id: of
        a volume, snapshot, image or instance. Return None for what has not failed; raises
        ValueError for what does not exist.
        """
        with self._backend.lock:
            self._run_due_work()
            why = failures_of(self._backend).get(resource_id)
            if why is None and not is_moto_active() and resource_id not in self._list_ids():
                raise ValueError(
                    f"{resource_id!r} does not exist{did_you_mean(resource_id, self._list_ids())}"
                )
            return why

    def _list_ids(self) -> list[str]:
        """Return the ids of all volumes, snapshots and images, and of those that have failed."""
        stored = self._storage.account_regions.values()
        ids = (
            resource_id
            for one in stored
            for resources in (one.volumes, one.snapshots, one.images)
            for resource_id in resources
        )
        return [*ids, *failures_of(self._backend)]

    @property
    def _storage(self) -> Storage:
        return self._backend.service_state(Storage)

    def _run_due_work(self) -> None:
        self._backend.clock.run_due_work(self._backend.clock.now())

    def _find(self, resource_id: str) -> Volume | Snapshot:
        self._run_due_work()
        for stored in self._storage.account_regions.values():
            resource = stored.volumes.get(resource_id) or stored.snapshots.get(resource_id)
            if resource is not None:
                return resource
        why = failures_of(self._backend).get(resource_id)
        if why is None and is_moto_active():
            why = (
                "moto stores volumes and snapshots while it is active, and they have contents only "
                "without it"
            )
        hint = f": {why}" if why else did_you_mean(resource_id, self._list_ids())
        raise ValueError(f"{resource_id!r} does not exist{hint}")

    def _plaintext_key(self, resource: Volume | Snapshot) -> bytes | None:
        if resource.state in _WITHOUT_CONTENTS:
            state = VOLUME_STATE if isinstance(resource, Volume) else SNAPSHOT_STATE
            waiting = self._backend.passing.explain(state, resource.id) or ""
            raise UnreadableContentsError(
                f"{resource.id} is in state {resource.state}: it has no contents. {waiting}".strip()
            )
        if not resource.is_encrypted:
            return None
        if isinstance(resource, Volume):
            for attachment in resource.attachments.values():
                if attachment.key is not None:
                    return attachment.key.plaintext
        assert resource.key is not None
        return read_data_key(self._backend, resource.key, resource.id, UnreadableContentsError)


def _require_inside(resource_id: str, size: int, offset: int, length: int) -> None:
    if offset < 0 or length < 0 or offset + length > size * _GIB:
        raise ValueError(
            f"{resource_id} has {size} GiB; {length} bytes at offset {offset} exceed it"
        )
