"""The encryption of volumes, snapshots and images that another mock stores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kmsmock.services.ec2.answered.lookup import volume_not_found_error
from kmsmock.services.ec2.kms_use.attachments import AttachedKey
from kmsmock.services.ec2.kms_use.kms_calls import DataKey
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere
from kmsmock.state.failures import failures_of


@dataclass(frozen=True, slots=True)
class StoredResource:
    """An encrypted volume or snapshot."""

    #: The account id of the owner.
    owner: str
    key_arn: str
    #: The data key; None for a snapshot in state error, whose key could not be used.
    key: DataKey | None
    #: Why a snapshot is in state error.
    state_message: str | None = None

    @property
    def is_encrypted(self) -> bool:
        """Whether it is encrypted: all that are kept are."""
        return True

    @property
    def state(self) -> str:
        """The state of a snapshot."""
        return "completed" if self.state_message is None else "error"


@dataclass(slots=True)
class StoredImage:
    """An image."""

    #: The snapshots of its block devices by id; None for one that is not encrypted.
    snapshots: dict[str, StoredResource | None] = field(default_factory=dict)
    #: The name of a block device -> the id of its snapshot.
    devices: dict[str, str] = field(default_factory=dict)
    #: Why the image is in state failed.
    state_reason: str | None = None

    def get_snapshot(self, device: str) -> StoredResource | None:
        """Return the snapshot of a block device; None for one that is not encrypted.

        Another mock gives the first device another name.
        """
        first = next(iter(self.devices), "")
        return self.snapshots.get(self.devices.get(device, self.devices.get(first, "")))


@dataclass(slots=True)
class AttachedVolume:
    """An encrypted volume that is attached. key: None while its instance does not run."""

    device: str
    key: AttachedKey | None


@dataclass(slots=True)
class StoredResources(StoredElsewhere):
    """The resources that were created while this mock was active, by id."""

    #: Encrypted volumes and snapshots.
    resources: dict[str, StoredResource] = field(default_factory=dict)
    images: dict[str, StoredImage] = field(default_factory=dict)
    #: (volume, instance) -> the device, and the grant and data key of the instance.
    attached: dict[tuple[str, str], AttachedVolume] = field(default_factory=dict)
    #: Instance -> the state that it is in because it could not decrypt its volumes.
    failed_instances: dict[str, str] = field(default_factory=dict)
    #: Volumes that their instance could not decrypt.
    not_attached: set[str] = field(default_factory=set)


def stored_resources(call: ServiceCall) -> StoredResources:
    """Return the resources of a mock, which may be changed."""
    return call.backend.service_state(StoredResources)


def list_attached(call: ServiceCall, instance_id: str) -> dict[str, AttachedVolume]:
    """Return the encrypted volumes that are attached to an instance, by id."""
    attached = stored_resources(call).attached
    return {
        volume: each for (volume, instance), each in attached.items() if instance == instance_id
    }


def is_lost(call: ServiceCall, volume_id: str) -> bool:
    """Return whether a volume has vanished because its key could not be used."""
    resources = stored_resources(call).resources
    return volume_id in failures_of(call.backend) and volume_id not in resources


def require_volume(call: ServiceCall, volume_id: str) -> None:
    """Refuse a volume that has vanished; the other mock checks whether other volumes exist."""
    if is_lost(call, volume_id):
        raise volume_not_found_error(call, volume_id)


def show_keys(call: ServiceCall, members_of: Iterable[dict[str, Any]], id_member: str) -> None:
    """Set the keys of encrypted resources in an answer."""
    resources = stored_resources(call).resources
    for members in members_of:
        resource = resources.get(members[id_member])
        if resource is not None:
            show_key(members, resource.key_arn)


def show_key(members: dict[str, Any], key_arn: str | None) -> None:
    """Set in an answer that a resource is encrypted. key_arn: None when it is not known yet."""
    members["Encrypted"] = True
    members.pop("KmsKeyId", None)
    if key_arn is not None:
        members["KmsKeyId"] = key_arn
