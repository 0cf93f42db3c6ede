"""CreateSnapshot, CreateSnapshots, DescribeSnapshots and DeleteSnapshot.

Source: Amazon EC2 API Reference; Amazon EBS User Guide, "Amazon EBS snapshots".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.answered.lists import FilterTable, apply_filters, paginate_response
from kmsmock.services.ec2.answered.lookup import (
    find_volume,
    read_instance_id,
    read_snapshot_id,
    read_volume_id,
    require_parameter,
    resource_context,
    snapshot_not_found_error,
)
from kmsmock.services.ec2.answered.registry import (
    OUTPOSTS,
    account_region,
    arn,
    operation,
    require_permission,
    storage,
)
from kmsmock.services.ec2.answered.storage import Snapshot, Volume
from kmsmock.services.ec2.answered.tagging import (
    Tags,
    put_tags,
    read_new_tags,
    require_create_permission,
    show_tags,
)
from kmsmock.services.ec2.ids import new_id
from kmsmock.services.ec2.kms_use.state import SNAPSHOT_STATE, VOLUME_STATE
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sectors import stored_bytes
from kmsmock.services.storage_states import begin
from kmsmock.timing.passing_states import Shows, listed

_LACKS = {"OutpostArn": OUTPOSTS, "Location": OUTPOSTS}
_BOOT_DEVICES = ("/dev/sda1", "/dev/xvda")


@operation("CreateSnapshot", _LACKS)
def create_snapshot(call: ServiceCall) -> dict[str, Any]:
    """Create a snapshot, which keeps the volume's key; this needs no permission of KMS."""
    name = read_volume_id(require_parameter(call, "VolumeId"))
    tags = read_new_tags(call, "snapshot")
    context = resource_context(call, account_region(call).volumes.get(name))
    also = arn(call, f"volume/{name}")
    require_create_permission(call, "CreateSnapshot", "snapshot/*", tags, also, context=context)
    return _show_new_snapshot(call, _new_snapshot(call, find_volume(call, name), tags))


@operation("CreateSnapshots", _LACKS)
def create_snapshots(call: ServiceCall) -> dict[str, Any]:
    """Create snapshots of the volumes of an instance, all at the same time."""
    specification = call.parameters["InstanceSpecification"]
    instance = read_instance_id(specification.get("InstanceId", ""))
    tags = read_new_tags(call, "snapshot")
    left_out = set(specification.get("ExcludeDataVolumeIds", ()))
    volumes = [
        volume
        for volume in account_region(call).volumes.values()
        if instance in volume.attachments
        and volume.id not in left_out
        and not (specification.get("ExcludeBootVolume") and _is_boot(volume, instance))
    ]
    also = [arn(call, f"volume/{volume.id}") for volume in volumes]
    require_create_permission(call, "CreateSnapshots", "snapshot/*", tags, *also, context={})
    if not volumes:
        raise errors.InvalidRequest(
            f"The instance '{instance}' has no volumes to take snapshots of.",
            explanation="Instances are only ids in the mock; attach volumes with AttachVolume.",
        )
    copies = call.parameters.get("CopyTagsFromSource") == "volume"
    return {
        "Snapshots": [
            _show_new_snapshot(
                call, _new_snapshot(call, v, {**_read_source_tags(call, v, copies), **tags})
            )
            for v in volumes
        ]
    }


def _is_boot(volume: Volume, instance: str) -> bool:
    return volume.attachments[instance].device in _BOOT_DEVICES


def _read_source_tags(call: ServiceCall, volume: Volume, copies: bool) -> Tags:  # noqa: FBT001
    return account_region(call).tags.get(volume.id, {}) if copies else {}


def _new_snapshot(call: ServiceCall, volume: Volume, tags: Tags) -> Snapshot:
    if volume.state == "creating":
        raise errors.IncorrectState(
            f"The volume '{volume.id}' is 'creating'",
            explanation=call.backend.passing.explain(VOLUME_STATE, volume.id),
        )
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
    account_region(call).snapshots[snapshot.id] = snapshot
    put_tags(call, snapshot.id, tags)
    begin(
        call.backend,
        call.now,
        SNAPSHOT_STATE,
        snapshot.id,
        partial(_complete, snapshot),
        until="State is completed",
    )
    return snapshot


def _complete(snapshot: Snapshot, now: datetime) -> None:
    snapshot.complete(now)


def _show_new_snapshot(call: ServiceCall, snapshot: Snapshot) -> dict[str, Any]:
    """Return the members of the answer for a new snapshot, which do not include its key."""
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
        "Tags": show_tags(call, snapshot.id),
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


@operation(
    "DescribeSnapshots",
    shows=Shows(SNAPSHOT_STATE, listed("Snapshots", "SnapshotId"), ("status", "progress")),
)
def describe_snapshots(call: ServiceCall) -> dict[str, Any]:
    """Describe snapshots: those of the account, those shared with it, and public ones."""
    parameters = call.parameters
    names = [read_snapshot_id(name) for name in parameters.get("SnapshotIds", ())]
    require_permission(call, "DescribeSnapshots", "*")
    snapshots = list(_find_restorable(call) if not names else _find_by_id(call, names))
    owners = _read_accounts(call, parameters.get("OwnerIds", ()))
    if owners:
        snapshots = [snapshot for snapshot in snapshots if snapshot.owner in owners]
    users = _read_accounts(call, parameters.get("RestorableByUserIds", ()))
    if users:
        snapshots = [s for s in snapshots if any(_is_restorable(call, s, user) for user in users)]
    snapshots = apply_filters(call, snapshots, _FILTERS, lambda snapshot: snapshot.id)
    return paginate_response(
        call, "DescribeSnapshots", "Snapshots", snapshots, partial(_show_snapshot, call)
    )


def _is_restorable(call: ServiceCall, snapshot: Snapshot, user: str) -> bool:
    """Return whether a snapshot is shared with an account or ``all``, or is the caller's own."""
    if user == "all":
        return storage(call).is_public(snapshot)
    return user in snapshot.shared_with or user == snapshot.owner == call.account


def _read_accounts(call: ServiceCall, names: list[str]) -> set[str]:
    return {call.account if name == "self" else name for name in names}


def _find_restorable(call: ServiceCall) -> Iterator[Snapshot]:
    stored = storage(call)
    return (s for s in stored.snapshots_in(call.region) if stored.is_usable_by(s, call.account))


def _find_by_id(call: ServiceCall, names: list[str]) -> Iterator[Snapshot]:
    for name in names:
        snapshot = storage(call).snapshot_for(call.account, call.region, name)
        if snapshot is None:
            raise snapshot_not_found_error(call, name)
        yield snapshot


@operation("DeleteSnapshot")
def delete_snapshot(call: ServiceCall) -> None:
    """Delete a snapshot that no image uses; its copies and the volumes from it stay."""
    name = read_snapshot_id(require_parameter(call, "SnapshotId"))
    here = account_region(call)
    snapshot = here.snapshots.get(name)
    require_permission(
        call,
        "DeleteSnapshot",
        arn(call, f"snapshot/{name}"),
        context=resource_context(call, snapshot),
    )
    if snapshot is None:
        raise snapshot_not_found_error(call, name)
    users = [image.id for image in here.images.values() if name in image.snapshot_ids]
    if users:
        raise errors.InvalidSnapshotInUse(
            f"The snapshot {name} is currently in use by {', '.join(users)}"
        )
    del here.snapshots[name]
    here.tags.pop(name, None)


def _transfer_type(snapshot: Snapshot) -> str:
    return "standard" if snapshot.duration is None else "time-based"


def _show_snapshot(call: ServiceCall, snapshot: Snapshot) -> dict[str, Any]:
    members: dict[str, Any] = {
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
        "Tags": show_tags(call, snapshot.id),
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
    return members | {name: value for name, value in optional.items() if value is not None}
