"""AttachVolume and DetachVolume; instances are no more than ids.

Source: Amazon EBS User Guide, "Attach an Amazon EBS volume to an Amazon EC2 instance"; AWS KMS
Developer Guide, "How Amazon EBS uses AWS KMS".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.answered.lookup import (
    find_volume,
    read_instance_id,
    read_volume_id,
    require_parameter,
    resource_context,
)
from kmsmock.services.ec2.answered.registry import (
    OUTPOSTS,
    account_region,
    arn,
    operation,
    require_permission,
)
from kmsmock.services.ec2.answered.storage import Attachment, Volume
from kmsmock.services.ec2.answered.volumes import show_attachment
from kmsmock.services.ec2.kms_use import attachments as kms_use
from kmsmock.services.ec2.kms_use.state import VOLUME_STATE
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_states import begin
from kmsmock.state.failures import failures_of

_MOST_INSTANCES = 16


@operation("AttachVolume", {"EbsCardIndex": OUTPOSTS})
def attach_volume(call: ServiceCall) -> dict[str, Any]:
    """Attach a volume; when its key cannot be used, the volume becomes available again."""
    name = read_volume_id(require_parameter(call, "VolumeId"))
    instance = read_instance_id(require_parameter(call, "InstanceId"))
    device = require_parameter(call, "Device")
    context = resource_context(call, account_region(call).volumes.get(name))
    require_permission(call, "AttachVolume", *_resource_arns(call, name, instance), context=context)
    volume = find_volume(call, name)
    _require_attachable(call, volume, instance, device)
    volume.attachments[instance] = attachment = Attachment(instance, device, call.now)
    volume.state = "in-use"
    failures_of(call.backend).pop(volume.id, None)
    finish = partial(_finish_attaching, call, volume, attachment)
    _begin(call, attachment, volume, finish, until="the State of the attachment is attached")
    return show_attachment(volume, instance)


def _begin(
    call: ServiceCall,
    attachment: Attachment,
    volume: Volume,
    finish: Callable[[datetime], None],
    *,
    until: str,
) -> None:
    """Begin to attach or detach a volume."""
    name = f"{attachment.state} {attachment.instance_id}"
    begin(call.backend, call.now, VOLUME_STATE, volume.id, finish, until=until, name=name)


def _resource_arns(call: ServiceCall, name: str, instance: str | None) -> tuple[str, ...]:
    of_instance = call.arn("ec2", f"instance/{instance}")
    return (arn(call, f"volume/{name}"), *((of_instance,) if instance else ()))


def _require_attachable(call: ServiceCall, volume: Volume, instance: str, device: str) -> None:
    if volume.state not in ("available", "in-use"):
        raise errors.IncorrectState(
            f"Volume '{volume.id}' is in the '{volume.state}' state.",
            explanation=call.backend.passing.explain(VOLUME_STATE, volume.id),
        )
    shared = volume.is_multi_attach and len(volume.attachments) < _MOST_INSTANCES
    if instance in volume.attachments or (volume.attachments and not shared):
        raise errors.VolumeInUse(
            f"{volume.id} is already attached to an instance",
            explanation=call.backend.passing.explain(VOLUME_STATE, volume.id),
        )
    for other in account_region(call).volumes.values():
        taken = other.attachments.get(instance)
        if taken is not None and taken.device == device:
            raise errors.InvalidParameterValue(
                f"Invalid value '{device}' for unixDevice. Attachment point {device} is already "
                "in use"
            )


def _finish_attaching(
    call: ServiceCall, volume: Volume, attachment: Attachment, now: datetime
) -> None:
    if volume.attachments.get(attachment.instance_id) is not attachment:
        return
    try:
        attachment.key = kms_use.attach_volume(call, volume.key, attachment.instance_id, now)
    except kms_use.NotAttachedError as reason:
        _remove_attachment(volume, attachment)
        failures_of(call.backend)[volume.id] = str(reason)
        return
    attachment.state = "attached"


@operation("DetachVolume")
def detach_volume(call: ServiceCall) -> dict[str, Any]:
    """Detach a volume; its key must be usable again to attach it or to read it."""
    name = read_volume_id(require_parameter(call, "VolumeId"))
    instance = call.parameters.get("InstanceId")
    context = resource_context(call, account_region(call).volumes.get(name))
    require_permission(call, "DetachVolume", *_resource_arns(call, name, instance), context=context)
    attachment = _find_attachment(find_volume(call, name), instance, call.parameters.get("Device"))
    volume = find_volume(call, name)
    attachment.state = "detaching"
    finish = partial(_finish_detaching, call, volume, attachment)
    _begin(call, attachment, volume, finish, until="the attachment is absent")
    return show_attachment(volume, attachment.instance_id)


def _find_attachment(volume: Volume, instance: str | None, device: str | None) -> Attachment:
    if not volume.attachments:
        raise errors.IncorrectState(f"Volume '{volume.id}' is in the '{volume.state}' state.")
    if instance is None and len(volume.attachments) > 1:
        raise errors.InvalidParameterCombination(
            f"The volume '{volume.id}' is attached to several instances: InstanceId is needed."
        )
    for attachment in volume.attachments.values():
        if instance in (None, attachment.instance_id) and device in (None, attachment.device):
            return attachment
    raise errors.InvalidAttachmentNotFound(
        f"The volume '{volume.id}' is not attached to instance '{instance}' as device '{device}'."
    )


def _finish_detaching(
    call: ServiceCall, volume: Volume, attachment: Attachment, now: datetime
) -> None:
    if volume.attachments.get(attachment.instance_id) is not attachment:
        return
    _remove_attachment(volume, attachment)
    kms_use.detach_volume(call, attachment.key, now)


def _remove_attachment(volume: Volume, attachment: Attachment) -> None:
    del volume.attachments[attachment.instance_id]
    if not volume.attachments:
        volume.state = "available"
