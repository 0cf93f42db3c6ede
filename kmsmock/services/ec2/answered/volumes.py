"""DescribeVolumes and DeleteVolume, and the members of answers that describe volumes.

Source: Amazon EC2 API Reference, Volume.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.answered.lists import FilterTable, apply_filters, paginate_response
from kmsmock.services.ec2.answered.lookup import (
    find_volume,
    read_volume_id,
    require_parameter,
    resource_context,
    volume_not_found_error,
)
from kmsmock.services.ec2.answered.registry import (
    account_region,
    arn,
    operation,
    require_permission,
)
from kmsmock.services.ec2.answered.storage import Volume
from kmsmock.services.ec2.answered.tagging import show_tags
from kmsmock.services.ec2.kms_use.state import VOLUME_STATE
from kmsmock.services.registry import ServiceCall
from kmsmock.timing.passing_states import Shows, listed

#: All Regions have these zones here.
ZONE_LETTERS = "abcdef"


def _attachment_values(value: str) -> Any:
    return lambda volume: [getattr(a, value) for a in volume.attachments.values()]


_FILTERS: FilterTable[Volume] = {
    "availability-zone": lambda volume: [volume.zone],
    "attachment.device": _attachment_values("device"),
    "attachment.instance-id": _attachment_values("instance_id"),
    "attachment.status": _attachment_values("state"),
    "create-time": lambda volume: [volume.created],
    "encrypted": lambda volume: [volume.is_encrypted],
    "multi-attach-enabled": lambda volume: [volume.is_multi_attach],
    "size": lambda volume: [volume.size],
    "snapshot-id": lambda volume: [volume.snapshot_id],
    "source-volume-id": lambda volume: [volume.source_volume_id],
    "status": lambda volume: [volume.state],
    "volume-id": lambda volume: [volume.id],
    "volume-type": lambda volume: [volume.type],
}


@operation(
    "DescribeVolumes",
    shows=Shows(VOLUME_STATE, listed("Volumes", "VolumeId"), ("status", "attachment.status")),
)
def describe_volumes(call: ServiceCall) -> dict[str, Any]:
    """Describe volumes of the account: those that the call names, or all."""
    names = [read_volume_id(name) for name in call.parameters.get("VolumeIds", ())]
    require_permission(call, "DescribeVolumes", "*")
    stored = [find_volume(call, name) for name in names] or list(
        account_region(call).volumes.values()
    )
    volumes = apply_filters(call, stored, _FILTERS, lambda volume: volume.id)
    return paginate_response(
        call, "DescribeVolumes", "Volumes", volumes, partial(show_volume, call)
    )


@operation("DeleteVolume")
def delete_volume(call: ServiceCall) -> None:
    """Delete a volume that is not attached."""
    name = read_volume_id(require_parameter(call, "VolumeId"))
    here = account_region(call)
    volume = here.volumes.get(name)
    require_permission(
        call, "DeleteVolume", arn(call, f"volume/{name}"), context=resource_context(call, volume)
    )
    if volume is None:
        raise volume_not_found_error(call, name)
    if volume.attachments:
        instance = next(iter(volume.attachments))
        raise errors.VolumeInUse(
            f"Volume {name} is currently attached to {instance}",
            explanation=call.backend.passing.explain(VOLUME_STATE, name),
        )
    if volume.state == "creating":
        raise errors.IncorrectState(
            f"The volume '{name}' is 'creating'",
            explanation=call.backend.passing.explain(VOLUME_STATE, name),
        )
    del here.volumes[name]
    here.tags.pop(name, None)


def show_volume(call: ServiceCall, volume: Volume) -> dict[str, Any]:
    """Return a volume in the form of answers."""
    members: dict[str, Any] = {
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
            show_attachment(volume, a.instance_id) for a in volume.attachments.values()
        ],
        "Tags": show_tags(call, volume.id),
    }
    optional = {
        "SourceVolumeId": volume.source_volume_id or None,
        "KmsKeyId": volume.key_arn,
        "Iops": volume.iops,
        "Throughput": volume.throughput,
        "VolumeInitializationRate": volume.initialization_rate,
    }
    return members | {name: value for name, value in optional.items() if value is not None}


def _zone_id(zone: str) -> str:
    """Return the id of a zone, such as ``use1-az1`` for ``us-east-1a``."""
    area, *where, number = zone[:-1].split("-")
    initials = "".join(word[0] for word in where)
    return f"{area}{initials}{number}-az{ZONE_LETTERS.index(zone[-1]) + 1}"


def show_attachment(volume: Volume, instance: str) -> dict[str, Any]:
    """Return an attachment of a volume in the form of answers."""
    attachment = volume.attachments[instance]
    return {
        "VolumeId": volume.id,
        "InstanceId": attachment.instance_id,
        "Device": attachment.device,
        "State": attachment.state,
        "AttachTime": attachment.since,
        "DeleteOnTermination": False,
    }
