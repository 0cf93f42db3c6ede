"""CreateSnapshot, CreateSnapshots, DescribeSnapshots and DeleteSnapshot.

Source: Amazon EC2 API Reference; Amazon EBS User Guide, "Amazon EBS snapshots".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.finding import (
    facts,
    find_volume,
    instance_id,
    no_snapshot,
    required,
    snapshot_id,
    volume_id,
)
from kmsmock.services.ec2.lists import FilterTable, filtered, page
from kmsmock.services.ec2.registry import (
    OUTPOSTS,
    arn,
    later,
    new_id,
    operation,
    permit,
    place,
    storage,
)
from kmsmock.services.ec2.storage import Snapshot, Volume
from kmsmock.services.ec2.tagging import Tags, keep_tags, permit_making, shown_tags, tags_for
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sectors import stored_bytes

_LACKS = {"OutpostArn": OUTPOSTS, "Location": OUTPOSTS}
_BOOT_DEVICES = ("/dev/sda1", "/dev/xvda")


@operation("CreateSnapshot", _LACKS)
def create_snapshot(call: ServiceCall) -> dict[str, Any]:
    """Take a snapshot, which keeps the volume's key; this needs no permission of KMS."""
    name = volume_id(required(call, "VolumeId"))
    tags = tags_for(call, "snapshot")
    context = facts(call, place(call).volumes.get(name))
    also = arn(call, f"volume/{name}")
    permit_making(call, "CreateSnapshot", "snapshot/*", tags, also, context=context)
    return _begun(call, _take(call, find_volume(call, name), tags))


@operation("CreateSnapshots", _LACKS)
def create_snapshots(call: ServiceCall) -> dict[str, Any]:
    """Take snapshots of the volumes of an instance, all of the same moment."""
    given = call.parameters["InstanceSpecification"]
    instance = instance_id(given.get("InstanceId", ""))
    tags = tags_for(call, "snapshot")
    left_out = set(given.get("ExcludeDataVolumeIds", ()))
    volumes = [
        volume
        for volume in place(call).volumes.values()
        if instance in volume.attachments
        and volume.id not in left_out
        and not (given.get("ExcludeBootVolume") and _is_boot(volume, instance))
    ]
    also = [arn(call, f"volume/{volume.id}") for volume in volumes]
    permit_making(call, "CreateSnapshots", "snapshot/*", tags, *also, context={})
    if not volumes:
        raise errors.InvalidRequest(
            f"The instance '{instance}' has no volumes to take snapshots of.",
            explanation="Instances are ids here; AttachVolume gives them volumes.",
        )
    copies = call.parameters.get("CopyTagsFromSource") == "volume"
    return {
        "Snapshots": [
            _begun(call, _take(call, v, {**_copied_tags(call, v, copies), **tags})) for v in volumes
        ]
    }


def _is_boot(volume: Volume, instance: str) -> bool:
    return volume.attachments[instance].device in _BOOT_DEVICES


def _copied_tags(call: ServiceCall, volume: Volume, copies: bool) -> Tags:  # noqa: FBT001
    return place(call).tags.get(volume.id, {}) if copies else {}


def _take(call: ServiceCall, volume: Volume, tags: Tags) -> Snapshot:
    if volume.state == "creating":
        raise errors.IncorrectState(f"The volume '{volume.id}' is 'creating'")
    snapshot = Snapshot(
        new_id(call, "snap"),
        call.account,
        call.region,
        volume.id,
        call.now,
        call.parameters.get("Description", ""),
        volume.size,
        is_encrypted=volume.is_encrypted,
        key_arn=volume.key_arn,
        # The data key stays bound to the id of the volume.
        key=volume.key,
        sectors=dict(volume.sectors),
    )
    place(call).snapshots[snapshot.id] = snapshot
    keep_tags(call, snapshot.id, tags)
    later(call, partial(_complete, snapshot))
    return snapshot


def _complete(snapshot: Snapshot, now: datetime) -> None:
    snapshot.complete(now)


def _begun(call: ServiceCall, snapshot: Snapshot) -> dict[str, Any]:
    """Give what the answer shows of a snapshot that has just begun; its key is not among it."""
    return {
        "SnapshotId": snapshot.id,
        "VolumeId": snapshot.volume_id,
        "VolumeSize": snapshot.volume_size,
        "State": "pending",
        "Progress": "",
        "StartTime": snapshot.started,
        "OwnerId": snapshot.owner,
        "Description": snapshot.description,
        "Encrypted": snapshot.is_encrypted,
        "Tags": shown_tags(call, snapshot.id),
    }


# --- showing and deleting --------------------------------------------------------------------

_FILTERS: FilterTable[Snapshot] = {
    "description": lambda snapshot: [snapshot.description],
    "encrypted": lambda snapshot: [snapshot.is_encrypted],
    # Aliases are Amazon's, which has no snapshots here.
    "owner-alias": lambda _: [],
    "owner-id": lambda snapshot: [snapshot.owner],
    "progress": lambda snapshot: [snapshot.progress],
    "snapshot-id": lambda snapshot: [snapshot.id],
    "start-time": lambda snapshot: [snapshot.started],
    "status": lambda snapshot: [snapshot.state],
    "storage-tier": lambda _: ["standard"],
    "transfer-type": lambda snapshot: [_transfer_type(snapshot)],
    "volume-id": lambda snapshot: [snapshot.volume_id],
    "volume-size": lambda snapshot: [snapshot.volume_size],
}


@operation("DescribeSnapshots")
def describe_snapshots(call: ServiceCall) -> dict[str, Any]:
    """Show snapshots: those of the account, those shared with it, and public ones."""
    parameters = call.parameters
    names = [snapshot_id(name) for name in parameters.get("SnapshotIds", ())]
    permit(call, "DescribeSnapshots", "*")
    found = list(_restorable(call) if not names else _named(call, names))
    owners = _accounts(call, parameters.get("OwnerIds", ()))
    if owners:
        found = [snapshot for snapshot in found if snapshot.owner in owners]
    users = _accounts(call, parameters.get("RestorableByUserIds", ()))
    if users:
        found = [s for s in found if any(_is_restorable(call, s, user) for user in users)]
    snapshots = filtered(call, found, _FILTERS, lambda snapshot: snapshot.id)
    return page(call, "DescribeSnapshots", "Snapshots", snapshots, partial(_shown, call))


def _is_restorable(call: ServiceCall, snapshot: Snapshot, user: str) -> bool:
    """Tell whether an account, or ``all``, has been given a snapshot, or it is the caller's own."""
    if user == "all":
        return storage(call).is_public(snapshot)
    return user in snapshot.shared_with or user == snapshot.owner == call.account


def _accounts(call: ServiceCall, given: list[str]) -> set[str]:
    return {call.account if name == "self" else name for name in given}


def _restorable(call: ServiceCall) -> Iterator[Snapshot]:
    held = storage(call)
    return (s for s in held.snapshots_in(call.region) if held.is_open(s, call.account))


def _named(call: ServiceCall, names: list[str]) -> Iterator[Snapshot]:
    for name in names:
        snapshot = storage(call).snapshot_for(call.account, call.region, name)
        if snapshot is None:
            raise no_snapshot(call, name)
        yield snapshot


@operation("DeleteSnapshot")
def delete_snapshot(call: ServiceCall) -> None:
    """Delete a snapshot that no image needs; copies of it and volumes from it stay."""
    name = snapshot_id(required(call, "SnapshotId"))
    here = place(call)
    snapshot = here.snapshots.get(name)
    permit(call, "DeleteSnapshot", arn(call, f"snapshot/{name}"), context=facts(call, snapshot))
    if snapshot is None:
        raise no_snapshot(call, name)
    users = [image.id for image in here.images.values() if name in image.snapshot_ids]
    if users:
        raise errors.InvalidSnapshotInUse(
            f"The snapshot {name} is currently in use by {', '.join(users)}"
        )
    del here.snapshots[name]
    here.tags.pop(name, None)


def _transfer_type(snapshot: Snapshot) -> str:
    return "standard" if snapshot.duration is None else "time-based"


def _shown(call: ServiceCall, snapshot: Snapshot) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "SnapshotId": snapshot.id,
        "VolumeId": snapshot.volume_id,
        "State": snapshot.state,
        "StartTime": snapshot.started,
        "Progress": snapshot.progress,
        "OwnerId": snapshot.owner,
        "Description": snapshot.description,
        "VolumeSize": snapshot.volume_size,
        "Encrypted": snapshot.is_encrypted,
        "StorageTier": "standard",
        "TransferType": _transfer_type(snapshot),
        "Tags": shown_tags(call, snapshot.id),
    }
    optional = {
        "StateMessage": snapshot.state_message,
        "KmsKeyId": snapshot.key_arn,
        "DataEncryptionKeyId": None if snapshot.key is None else snapshot.key.id,
        "CompletionTime": snapshot.completed,
        "CompletionDurationMinutes": snapshot.duration,
        "FullSnapshotSizeInBytes": (
            None if snapshot.completed is None else stored_bytes(snapshot.sectors)
        ),
    }
    return shown | {name: value for name, value in optional.items() if value is not None}
