"""RegisterImage, CreateImage, CopyImage, DescribeImages and ModifyImageAttribute.

An image of moto has one device, whose snapshot moto makes up; it stands for the snapshot of this
device that the image was registered with, was created with or has copied.
"""

from __future__ import annotations

from typing import Any

from kmsmock.services.beside import Steps, until_stored
from kmsmock.services.ec2.beside.filters import FILTERS
from kmsmock.services.ec2.beside.snapshots import complete_copy
from kmsmock.services.ec2.beside.stored_resources import (
    StoredImage,
    StoredResources,
    list_attached,
    stored_resources,
)
from kmsmock.services.ec2.beside.unrecorded import read_snapshot_by_id, read_volumes_of
from kmsmock.services.ec2.ids import new_id
from kmsmock.services.ec2.kms_use.images import FAILURE_CODE, CopyImage
from kmsmock.services.ec2.kms_use.sharing import require_shareable_image
from kmsmock.services.ec2.kms_use.snapshots import CopyFailedError, require_completed
from kmsmock.services.ec2.sharing_requests import read_image_change, read_new_description
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_filters import FilterValues, select
from kmsmock.state.failures import failures_of

#: The root device of images and instances, unless they are registered with another one.
_ROOT = "/dev/sda1"


def _register_image(call: ServiceCall) -> Steps:
    snapshots = {
        mapping["Ebs"]["SnapshotId"]: read_snapshot_by_id(call, mapping["Ebs"]["SnapshotId"])
        for mapping in call.parameters.get("BlockDeviceMappings", ())
        if "SnapshotId" in mapping.get("Ebs", {})
    }
    for snapshot in snapshots.values():
        if snapshot is not None:
            require_completed(snapshot)
    answer = yield
    if snapshots:
        devices = {
            mapping.get("DeviceName", ""): mapping["Ebs"]["SnapshotId"]
            for mapping in call.parameters["BlockDeviceMappings"]
            if "SnapshotId" in mapping.get("Ebs", {})
        }
        stored_resources(call).images[answer["ImageId"]] = StoredImage(snapshots, devices)


def _create_image(call: ServiceCall) -> Steps:
    """Give an image of an instance the keys of its volumes, as snapshots have them."""
    read_volumes_of(call, call.parameters["InstanceId"])
    answer = yield
    stored, image = stored_resources(call), StoredImage()
    for volume_id, attached in list_attached(call, call.parameters["InstanceId"]).items():
        snapshot_id = new_id(call, "snap")
        image.devices[attached.device] = snapshot_id
        image.snapshots[snapshot_id] = stored.resources.get(volume_id)
    if image.devices:
        image.devices = {_ROOT: image.devices.pop(_ROOT, ""), **image.devices}
        stored.images[answer["ImageId"]] = image


def _copy_image(call: ServiceCall) -> Steps:
    stored = stored_resources(call)
    # An unknown image has an unencrypted device, as all images of moto have.
    snapshot_id = new_id(call, "snap")
    unknown = StoredImage({snapshot_id: None}, {_ROOT: snapshot_id})
    source = stored.images.get(call.parameters["SourceImageId"], unknown)
    flow = CopyImage(call, source.snapshots)
    answer = yield from until_stored(flow)
    stored.images[answer["ImageId"]] = image = StoredImage()
    for device, snapshot_id in source.devices.items():
        snapshot, copy_id = source.snapshots.get(snapshot_id), new_id(call, "snap")
        try:
            copy = complete_copy(call, flow.copy_snapshot(snapshot), copy_id)
        except CopyFailedError as failure:
            image.state_reason = failure.message
            failures_of(call.backend)[answer["ImageId"]] = failure.why
            break
        image.devices[device], image.snapshots[copy_id] = copy_id, copy


def _describe_images(call: ServiceCall) -> Steps:
    filters = call.parameters.get("Filters", ())
    answer = yield FILTERS.without(filters, _FILTERS)
    stored = stored_resources(call)
    for members in answer["Images"]:
        image = stored.images.get(members["ImageId"])
        if image is not None:
            _show_image(stored, members, image)
    answer["Images"] = select(answer["Images"], filters, _FILTERS, has_wildcards=True)


def _show_image(stored: StoredResources, members: dict[str, Any], image: StoredImage) -> None:
    if image.state_reason is not None:
        reason = {"Code": FAILURE_CODE, "Message": image.state_reason}
        members.update(State="failed", StateReason=reason, BlockDeviceMappings=[])
        return
    for mapping in members["BlockDeviceMappings"]:
        snapshot = image.get_snapshot(mapping["DeviceName"])
        if snapshot is not None:
            mapping["Ebs"]["Encrypted"] = True
            stored.resources[mapping["Ebs"]["SnapshotId"]] = snapshot


def _modify_image_attribute(call: ServiceCall) -> Steps:
    image = stored_resources(call).images.get(call.parameters["ImageId"])
    if image is not None and read_new_description(call) is None:
        change = read_image_change(call)
        if change.adds:
            keys = {
                snapshot.key_arn for snapshot in image.snapshots.values() if snapshot is not None
            }
            require_shareable_image(call, keys, change)
    yield


_FILTERS: FilterValues = {
    "block-device-mapping.encrypted": lambda image: [
        "true" if mapping.get("Ebs", {}).get("Encrypted") else "false"
        for mapping in image["BlockDeviceMappings"]
    ],
}
OPERATIONS = {
    "RegisterImage": _register_image,
    "CreateImage": _create_image,
    "CopyImage": _copy_image,
    "DescribeImages": _describe_images,
    "ModifyImageAttribute": _modify_image_attribute,
}
