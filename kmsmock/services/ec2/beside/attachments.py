"""AttachVolume and DetachVolume."""

from __future__ import annotations

from kmsmock.services.beside import Steps
from kmsmock.services.ec2.beside.stored_resources import (
    AttachedVolume,
    require_volume,
    stored_resources,
)
from kmsmock.services.ec2.beside.unrecorded import read_volume
from kmsmock.services.ec2.kms_use.attachments import (
    NotAttachedError,
    attach_volume,
    detach_volume,
)
from kmsmock.services.registry import ServiceCall
from kmsmock.state.failures import failures_of


def _attach_volume(call: ServiceCall) -> Steps:
    require_volume(call, call.parameters["VolumeId"])
    volume = read_volume(call)
    answer = yield
    if volume is None:
        return
    stored, volume_id, instance_id = (
        stored_resources(call),
        answer["VolumeId"],
        answer["InstanceId"],
    )
    failures_of(call.backend).pop(volume_id, None)
    stored.not_attached.discard(volume_id)
    try:
        attached = attach_volume(call, volume.key, instance_id, call.now)
    except NotAttachedError as reason:
        stored.not_attached.add(volume_id)
        failures_of(call.backend)[volume_id] = str(reason)
    else:
        if attached is not None:
            stored.attached[volume_id, instance_id] = AttachedVolume(answer["Device"], attached)


def _detach_volume(call: ServiceCall) -> Steps:
    read_volume(call)
    answer = yield
    stored, volume_id = stored_resources(call), answer["VolumeId"]
    stored.not_attached.discard(volume_id)
    attached = stored.attached.pop((volume_id, answer["InstanceId"]), None)
    detach_volume(call, None if attached is None else attached.key, call.now)


OPERATIONS = {"AttachVolume": _attach_volume, "DetachVolume": _detach_volume}
