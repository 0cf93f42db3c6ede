"""CreateVolume, DeleteVolume and DescribeVolumes."""

from __future__ import annotations

from kmsmock.services.beside import Changes, Steps, until_stored
from kmsmock.services.ec2.beside.filters import FILTER_VALUES, FILTERS
from kmsmock.services.ec2.beside.stored_resources import (
    StoredResource,
    is_lost,
    require_volume,
    show_key,
    show_keys,
    stored_resources,
)
from kmsmock.services.ec2.beside.unrecorded import keep_volume, read_snapshot
from kmsmock.services.ec2.kms_use.snapshots import require_completed
from kmsmock.services.ec2.kms_use.volumes import CreateVolume, VolumeLostError
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_filters import select
from kmsmock.services.unknown_keys import warn_unknown_key
from kmsmock.state.failures import failures_of


def _create_volume(call: ServiceCall) -> Steps:
    snapshot = read_snapshot(call)
    if snapshot is not None:
        require_completed(snapshot)
    flow = CreateVolume(call, snapshot)
    answer = yield from until_stored(flow, lambda: encryption_of(flow))
    volume_id = answer["VolumeId"]
    try:
        complete_volume(call, flow, volume_id)
    except VolumeLostError as reason:
        failures_of(call.backend)[volume_id] = str(reason)
    if flow.is_encrypted:
        show_key(answer, flow.known_key)
    elif answer.get("Encrypted"):
        warn_unknown_key(f"The snapshot {call.parameters['SnapshotId']}")


def encryption_of(flow: CreateVolume, prefix: str = "") -> Changes:
    """Return the changes of a request that creates a volume: its encryption.

    prefix: of the members about the volume.
    """
    if flow.target is None:
        return {}
    return {f"{prefix}Encrypted": "true", f"{prefix}KmsKeyId": flow.target}


def complete_volume(call: ServiceCall, flow: CreateVolume, volume_id: str) -> StoredResource | None:
    """Make the data key of a new volume; return None for one that is not encrypted.

    Raises `VolumeLostError`.
    """
    key = flow.complete(volume_id, call.now)
    if key is None:
        return None
    resource = StoredResource(call.account, key.key.key_arn, key.key)
    stored_resources(call).resources[volume_id] = resource
    return resource


def _delete_volume(call: ServiceCall) -> Steps:
    require_volume(call, call.parameters["VolumeId"])
    yield


def _describe_volumes(call: ServiceCall) -> Steps:
    for volume_id in call.parameters.get("VolumeIds", ()):
        require_volume(call, volume_id)
    filters = call.parameters.get("Filters", ())
    answer = yield FILTERS.without(filters, FILTER_VALUES)
    stored = stored_resources(call)
    answer["Volumes"] = [v for v in answer["Volumes"] if not is_lost(call, v["VolumeId"])]
    for volume in answer["Volumes"]:
        keep_volume(call, volume)
        if volume["VolumeId"] in stored.not_attached:
            volume.update(State="available", Attachments=[])
    show_keys(call, answer["Volumes"], "VolumeId")
    answer["Volumes"] = select(answer["Volumes"], filters, FILTER_VALUES, has_wildcards=True)


OPERATIONS = {
    "CreateVolume": _create_volume,
    "DeleteVolume": _delete_volume,
    "DescribeVolumes": _describe_volumes,
}
