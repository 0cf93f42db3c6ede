"""CreateVolume and DescribeVolumes."""

from __future__ import annotations

from kmsmock.services.beside import Steps, until_stored
from kmsmock.services.ec2.beside.stored import (
    StoredResource,
    find_resource,
    show_key,
    show_keys,
    stored_resources,
)
from kmsmock.services.ec2.kms_use.state import failures_of
from kmsmock.services.ec2.kms_use.volumes import CreateVolume, VolumeLostError
from kmsmock.services.kms_errors import CodedError
from kmsmock.services.registry import ServiceCall
from kmsmock.services.stored_before import warn_stored_before


def _create_volume(call: ServiceCall) -> Steps:
    flow = CreateVolume(call, find_resource(call, "SnapshotId"))
    answer = yield from until_stored(flow)
    volume_id = answer["VolumeId"]
    try:
        key = flow.complete(volume_id, call.now)
    except VolumeLostError as reason:
        failures_of(call.backend)[volume_id] = str(reason)
    else:
        if key is not None:
            resource = StoredResource(call.account, key.key.key_arn, key.key)
            stored_resources(call).resources[volume_id] = resource
    if flow.is_encrypted:
        show_key(answer, flow.known_key)
    elif answer.get("Encrypted"):
        warn_stored_before(f"The snapshot {call.parameters['SnapshotId']}")


def _describe_volumes(call: ServiceCall) -> Steps:
    answer = yield
    stored = stored_resources(call)
    failures = failures_of(call.backend)
    lost = failures.keys() - stored.resources.keys()
    for volume_id in call.parameters.get("VolumeIds", ()):
        if volume_id in lost:
            raise CodedError(
                "InvalidVolume.NotFound",
                f"The volume '{volume_id}' does not exist.",
                explanation=failures[volume_id],
            )
    answer["Volumes"] = [v for v in answer["Volumes"] if v["VolumeId"] not in lost]
    for volume in answer["Volumes"]:
        if volume["VolumeId"] in stored.not_attached:
            volume.update(State="available", Attachments=[])
    show_keys(call, answer["Volumes"], "VolumeId")


OPERATIONS = {"CreateVolume": _create_volume, "DescribeVolumes": _describe_volumes}
