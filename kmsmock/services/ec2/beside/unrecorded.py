"""Volumes and snapshots that were stored unrecorded, such as before the mock was active.

The other mock is asked about those that a call names, and those that it describes are taken from
its answers. Ids are never used again, so that it is asked only about unknown ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.keys.key import Key
from kmsmock.services.ec2.beside.stored_resources import (
    AttachedVolume,
    StoredResource,
    is_lost,
    stored_resources,
)
from kmsmock.services.ec2.kms_use.state import settings_for
from kmsmock.services.ec2.kms_use.unrecorded import attach_unrecorded, encrypt_unrecorded
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoreReader
from kmsmock.services.unrecorded_data_keys import find_key


def read_volume(call: ServiceCall, member: str = "VolumeId") -> StoredResource | None:
    """Return the volume that a parameter names; None for one that is not encrypted."""
    return _read(call, _VOLUMES, "volume", call.parameters.get(member, ""), call.region)


def read_snapshot(
    call: ServiceCall, member: str = "SnapshotId", region: str | None = None
) -> StoredResource | None:
    """Return the snapshot that a parameter names; None for one that is not encrypted.

    region: of the snapshot, when it is not that of the call.
    """
    snapshot_id = call.parameters.get(member, "")
    return _read(call, _SNAPSHOTS, "snapshot", snapshot_id, region or call.region)


def read_snapshot_by_id(call: ServiceCall, snapshot_id: str) -> StoredResource | None:
    """Return a snapshot in the Region of the call; None for one that is not encrypted."""
    return _read(call, _SNAPSHOTS, "snapshot", snapshot_id, call.region)


def read_volumes_of(call: ServiceCall, instance_id: str) -> None:
    """Take from the other mock which encrypted volumes are attached to an instance."""
    _INSTANCES.refresh(call, call.arn("ec2", f"instance/{instance_id}"))


def _read(
    call: ServiceCall, reader: StoreReader, kind: str, resource_id: str, region: str
) -> StoredResource | None:
    resources = stored_resources(call).resources
    if resource_id and resource_id not in resources and not is_lost(call, resource_id):
        reader.refresh(call, call.arn("ec2", f"{kind}/{resource_id}", region=region))
    return resources.get(resource_id)


def keep_volume(call: ServiceCall, volume: Mapping[str, Any]) -> None:
    """Record a volume that the other mock describes, if it was created unrecorded."""
    stored, volume_id = stored_resources(call), volume["VolumeId"]
    if volume_id in stored.resources or not volume.get("Encrypted") or is_lost(call, volume_id):
        return
    snapshot = stored.resources.get(volume.get("SnapshotId", ""))
    named = volume.get("KmsKeyId") or (None if snapshot is None else snapshot.key_arn)
    key = _find_key(call, named)
    if key is None:
        return
    data_key, plaintext = encrypt_unrecorded(call.backend, key, volume_id)
    stored.resources[volume_id] = StoredResource(call.account, key.arn, data_key)
    for attachment in volume.get("Attachments", ()):
        instance_id = attachment["InstanceId"]
        attached = attach_unrecorded(call, key, data_key, plaintext, instance_id)
        stored.attached[volume_id, instance_id] = AttachedVolume(attachment["Device"], attached)


def keep_snapshot(call: ServiceCall, snapshot: Mapping[str, Any]) -> None:
    """Record a snapshot that the other mock describes, if it was taken or copied unrecorded."""
    stored, snapshot_id = stored_resources(call), snapshot["SnapshotId"]
    if snapshot_id in stored.resources or not snapshot.get("Encrypted"):
        return
    named = snapshot.get("KmsKeyId")
    volume = None
    if named is None and "VolumeId" in snapshot:
        volume = _read(call, _VOLUMES, "volume", snapshot["VolumeId"], call.region)
    if volume is not None:
        stored.resources[snapshot_id] = volume
        return
    key = _find_key(call, named)
    if key is not None:
        data_key, _ = encrypt_unrecorded(call.backend, key, snapshot_id)
        stored.resources[snapshot_id] = StoredResource(call.account, key.arn, data_key)


def _find_key(call: ServiceCall, named: str | None) -> Key | None:
    """Find the key that the other mock names, or the default key; None for one that is not here."""
    named = named or settings_for(call).default_key
    return find_key(call.backend, named, call.account, call.region)


def _keep_volumes(call: ServiceCall, _: str, answer: Mapping[str, Any]) -> None:
    for volume in answer["Volumes"]:
        keep_volume(call, volume)


def _keep_snapshots(call: ServiceCall, _: str, answer: Mapping[str, Any]) -> None:
    for snapshot in answer["Snapshots"]:
        keep_snapshot(call, snapshot)


def _forget_nothing(call: ServiceCall, arn: str) -> None:
    """Forget nothing, since ids are never used again."""


_VOLUMES = StoreReader(
    "ec2",
    "DescribeVolumes",
    lambda arn: {"VolumeIds": [Arn.of(arn).resource_id]},
    ("InvalidVolume.NotFound",),
    _keep_volumes,
    _forget_nothing,
)
_INSTANCES = StoreReader(
    "ec2",
    "DescribeVolumes",
    lambda arn: {
        "Filters": [{"Name": "attachment.instance-id", "Values": [Arn.of(arn).resource_id]}]
    },
    (),
    _keep_volumes,
    _forget_nothing,
)
_SNAPSHOTS = StoreReader(
    "ec2",
    "DescribeSnapshots",
    lambda arn: {"SnapshotIds": [Arn.of(arn).resource_id]},
    ("InvalidSnapshot.NotFound",),
    _keep_snapshots,
    _forget_nothing,
)
