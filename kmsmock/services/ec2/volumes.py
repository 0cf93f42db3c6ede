"""DescribeVolumes and DeleteVolume, and how volumes are shown.

Source: Amazon EC2 API Reference, Volume.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.finding import facts, find_volume, no_volume, required, volume_id
from kmsmock.services.ec2.lists import FilterTable, filtered, page
from kmsmock.services.ec2.registry import arn, operation, permit, place
from kmsmock.services.ec2.storage import Volume
from kmsmock.services.ec2.tagging import shown_tags
from kmsmock.services.registry import ServiceCall

#: All Regions have these zones here.
ZONE_LETTERS = "abcdef"


def _attached(value: str) -> Any:
    return lambda volume: [getattr(a, value) for a in volume.attachments.values()]


_FILTERS: FilterTable[Volume] = {
    "availability-zone": lambda volume: [volume.zone],
    "attachment.device": _attached("device"),
    "attachment.instance-id": _attached("instance_id"),
    "attachment.status": _attached("state"),
    "create-time": lambda volume: [volume.created],
    "encrypted": lambda volume: [volume.is_encrypted],
    "multi-attach-enabled": lambda volume: [volume.is_multi_attach],
    "size": lambda volume: [volume.size],
    "snapshot-id": lambda volume: [volume.snapshot_id],
    "status": lambda volume: [volume.state],
    "volume-id": lambda volume: [volume.id],
    "volume-type": lambda volume: [volume.type],
}


@operation("DescribeVolumes")
def describe_volumes(call: ServiceCall) -> dict[str, Any]:
    """Show volumes of the account: those that are named, or all."""
    names = [volume_id(name) for name in call.parameters.get("VolumeIds", ())]
    permit(call, "DescribeVolumes", "*")
    found = [find_volume(call, name) for name in names] or list(place(call).volumes.values())
    volumes = filtered(call, found, _FILTERS, lambda volume: volume.id)
    return page(call, "DescribeVolumes", "Volumes", volumes, partial(show_volume, call))


@operation("DeleteVolume")
def delete_volume(call: ServiceCall) -> None:
    """Delete a volume that is not attached."""
    name = volume_id(required(call, "VolumeId"))
    here = place(call)
    volume = here.volumes.get(name)
    permit(call, "DeleteVolume", arn(call, f"volume/{name}"), context=facts(call, volume))
    if volume is None:
        raise no_volume(call, name)
    if volume.attachments:
        instance = next(iter(volume.attachments))
        raise errors.VolumeInUse(f"Volume {name} is currently attached to {instance}")
    if volume.state == "creating":
        raise errors.IncorrectState(f"The volume '{name}' is 'creating'")
    del here.volumes[name]
    here.tags.pop(name, None)


def show_volume(call: ServiceCall, volume: Volume) -> dict[str, Any]:
    """Show a volume, in the form of answers."""
    shown: dict[str, Any] = {
        "VolumeId": volume.id,
        "State": volume.state,
        "AvailabilityZone": volume.zone,
        "AvailabilityZoneId": _zone_id(volume.zone),
        "CreateTime": volume.created,
        "Size": volume.size,
        "SnapshotId": volume.snapshot_id,
        "VolumeType": volume.type,
        "MultiAttachEnabled": volume.is_multi_attach,
        "Encrypted": volume.is_encrypted,
        "Attachments": [
            shown_attachment(volume, a.instance_id) for a in volume.attachments.values()
        ],
        "Tags": shown_tags(call, volume.id),
    }
    optional = {
        "KmsKeyId": volume.key_arn,
        "Iops": volume.iops,
        "Throughput": volume.throughput,
        "VolumeInitializationRate": volume.initialization_rate,
    }
    return shown | {name: value for name, value in optional.items() if value is not None}


def _zone_id(zone: str) -> str:
    """Give the id of a zone, such as ``use1-az1`` for ``us-east-1a``."""
    area, *where, number = zone[:-1].split("-")
    initials = "".join(word[0] for word in where)
    return f"{area}{initials}{number}-az{ZONE_LETTERS.index(zone[-1]) + 1}"


def shown_attachment(volume: Volume, instance: str) -> dict[str, Any]:
    """Show one attachment of a volume."""
    attachment = volume.attachments[instance]
    return {
        "VolumeId": volume.id,
        "InstanceId": attachment.instance_id,
        "Device": attachment.device,
        "State": attachment.state,
        "AttachTime": attachment.since,
        "DeleteOnTermination": False,
    }
