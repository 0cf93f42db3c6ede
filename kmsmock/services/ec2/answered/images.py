"""Images (AMIs): RegisterImage, DescribeImages and DeregisterImage.

Source: Amazon EC2 User Guide, "Amazon Machine Images in Amazon EC2".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.answered.lists import FilterTable, apply_filters, paginate_response
from kmsmock.services.ec2.answered.lookup import (
    image_not_found_error,
    read_image_id,
    read_snapshot_id,
    require_parameter,
    resource_context,
    snapshot_not_found_error,
)
from kmsmock.services.ec2.answered.registry import (
    account_region,
    arn,
    operation,
    require_permission,
    storage,
)
from kmsmock.services.ec2.answered.storage import Image
from kmsmock.services.ec2.answered.tagging import (
    put_tags,
    read_new_tags,
    require_create_permission,
    show_tags,
)
from kmsmock.services.ec2.ids import new_id
from kmsmock.services.ec2.kms_use.images import FAILURE_CODE
from kmsmock.services.ec2.kms_use.snapshots import require_completed
from kmsmock.services.ec2.kms_use.state import IMAGE_STATE, SNAPSHOT_STATE
from kmsmock.services.registry import ServiceCall
from kmsmock.timing.dates import format_milliseconds
from kmsmock.timing.passing_states import Shows, listed

_DEFAULT_TYPE = "gp2"
#: What an image has beside its devices, with the values when nothing else is said.
_DEFAULT_ATTRIBUTES: dict[str, Any] = {
    "Architecture": "i386",
    "VirtualizationType": "paravirtual",
    "EnaSupport": False,
}
_OPTIONAL_ATTRIBUTES = (
    *("BootMode", "ImdsSupport", "KernelId", "RamdiskId", "RootDeviceName", "SriovNetSupport"),
    "TpmSupport",
)


@operation(
    "RegisterImage",
    {
        "ImageLocation": "images in S3 are not emulated",
        "BillingProducts": "products are not emulated",
        "UefiData": "instances are not emulated",
    },
)
def register_image(call: ServiceCall) -> dict[str, Any]:
    """Create an image from snapshots."""
    name = require_parameter(call, "Name")
    tags = read_new_tags(call, "image", "snapshot")
    devices = {
        mapping.get("DeviceName", ""): mapping["Ebs"]
        for mapping in call.parameters.get("BlockDeviceMappings", ())
        if "Ebs" in mapping
    }
    also = [arn(call, f"snapshot/{e['SnapshotId']}") for e in devices.values() if "SnapshotId" in e]
    require_create_permission(call, "RegisterImage", "image/*", tags, *also, context={})
    require_free_name(call, name)
    root = call.parameters.get("RootDeviceName")
    if root is None or "SnapshotId" not in devices.get(root, {}):
        raise errors.InvalidBlockDeviceMapping(
            "The root device requires a snapshot.",
            explanation="RootDeviceName and the DeviceName of a mapping with a SnapshotId must be "
            "the same.",
        )
    parameters = call.parameters
    image = Image(
        new_id(call, "ami"),
        call.account,
        call.region,
        name,
        call.now,
        {device: _read_device(call, device, ebs) for device, ebs in devices.items()},
        {
            **_DEFAULT_ATTRIBUTES,
            **{
                m: parameters[m]
                for m in (*_DEFAULT_ATTRIBUTES, *_OPTIONAL_ATTRIBUTES)
                if m in parameters
            },
        },
        parameters.get("Description", ""),
    )
    put_image(call, image)
    put_tags(call, image.id, tags)
    of_snapshots = read_new_tags(call, "snapshot", "image")
    for snapshot in image.snapshot_ids:
        put_tags(call, snapshot, {**account_region(call).tags.get(snapshot, {}), **of_snapshots})
    return {"ImageId": image.id}


def put_image(call: ServiceCall, image: Image) -> None:
    """Store an image."""
    account_region(call).images[image.id] = image


def require_free_name(call: ServiceCall, name: str) -> None:
    """Require a name that no other image of the account and Region has."""
    for image in account_region(call).images.values():
        if image.name == name and image.state != "failed":
            raise errors.InvalidAMINameDuplicate(
                f"AMI name {name} is already in use by AMI {image.id}"
            )


def _read_device(call: ServiceCall, device: str, ebs: Mapping[str, Any]) -> dict[str, object]:
    """Return the members of a block device mapping that an image stores."""
    members: dict[str, object] = {
        "DeleteOnTermination": ebs.get("DeleteOnTermination", True),
        "VolumeType": ebs.get("VolumeType", _DEFAULT_TYPE),
        **{member: ebs[member] for member in ("Iops", "Throughput") if member in ebs},
    }
    name = ebs.get("SnapshotId")
    if name is None:
        if "VolumeSize" not in ebs:
            raise errors.InvalidBlockDeviceMapping(
                f"The device {device} needs a snapshot or a size."
            )
        return {
            **members,
            "VolumeSize": ebs["VolumeSize"],
            "Encrypted": ebs.get("Encrypted", False),
        }
    if "Encrypted" in ebs or "KmsKeyId" in ebs:
        raise errors.InvalidBlockDeviceMapping(
            f"the encrypted flag cannot be specified since device {device} has a snapshot "
            "specified.",
            explanation="The device is encrypted as its snapshot is; CopyImage can encrypt.",
        )
    snapshot = storage(call).snapshot_for(call.account, call.region, read_snapshot_id(name))
    if snapshot is None:
        raise snapshot_not_found_error(call, name)
    require_completed(snapshot, call.backend.passing.explain(SNAPSHOT_STATE, name))
    return {
        **members,
        "SnapshotId": name,
        "VolumeSize": ebs.get("VolumeSize", snapshot.volume_size),
        "Encrypted": snapshot.is_encrypted,
    }


# --- showing and deregistering ---------------------------------------------------------------

_FILTERS: FilterTable[Image] = {
    "architecture": lambda image: [image.attributes["Architecture"]],
    "block-device-mapping.device-name": lambda image: image.mappings,
    "block-device-mapping.encrypted": lambda i: [e.get("Encrypted") for e in i.mappings.values()],
    "block-device-mapping.snapshot-id": lambda image: image.snapshot_ids,
    "description": lambda image: [image.description],
    "image-id": lambda image: [image.id],
    "image-type": lambda _: ["machine"],
    "is-public": lambda image: [image.is_public],
    "name": lambda image: [image.name],
    "owner-id": lambda image: [image.owner],
    "root-device-name": lambda image: [image.attributes.get("RootDeviceName")],
    "root-device-type": lambda _: ["ebs"],
    "state": lambda image: [image.state],
    "virtualization-type": lambda image: [image.attributes["VirtualizationType"]],
}


@operation(
    "DescribeImages", shows=Shows(IMAGE_STATE, listed("Images", "ImageId"), filters=("state",))
)
def describe_images(call: ServiceCall) -> dict[str, Any]:
    """Describe images: those of the account, those shared with it, and public ones."""
    parameters = call.parameters
    names = [read_image_id(name) for name in parameters.get("ImageIds", ())]
    require_permission(call, "DescribeImages", "*")
    stored = storage(call)
    images = [
        image
        for image in stored.images_in(call.region)
        if stored.image_for(call.account, call.region, image.id) is not None
    ]
    for name in names:
        if all(image.id != name for image in images):
            raise image_not_found_error(name)
    owners = {call.account if o == "self" else o for o in parameters.get("Owners", ())}
    users = {call.account if u == "self" else u for u in parameters.get("ExecutableUsers", ())}
    images = [
        image
        for image in images
        if (not names or image.id in names)
        and (not owners or image.owner in owners)
        and (not users or users & {*image.shared_with, *(["all"] if image.is_public else [])})
    ]
    images = apply_filters(call, images, _FILTERS, lambda image: image.id)
    return paginate_response(call, "DescribeImages", "Images", images, partial(_show_image, call))


@operation("DeregisterImage")
def deregister_image(call: ServiceCall) -> dict[str, Any]:
    """Deregister an image; its snapshots stay, unless the request deletes them too."""
    image = find_own_image(call, "DeregisterImage")
    here = account_region(call)
    del here.images[image.id]
    here.tags.pop(image.id, None)
    results = []
    if call.parameters.get("DeleteAssociatedSnapshots"):
        used = {name for other in here.images.values() for name in other.snapshot_ids}
        for name in image.snapshot_ids:
            deleted = name not in used and here.snapshots.pop(name, None) is not None
            results.append({"SnapshotId": name, "ReturnCode": "success" if deleted else "skipped"})
    return {"Return": True, "DeleteSnapshotResults": results}


def find_own_image(call: ServiceCall, action: str) -> Image:
    """Find the image that a call names, which must belong to the account; ends a dry run."""
    name = read_image_id(require_parameter(call, "ImageId"))
    image = account_region(call).images.get(name)
    require_permission(
        call, action, arn(call, f"image/{name}"), context=resource_context(call, image)
    )
    if image is None:
        raise image_not_found_error(name)
    return image


def show_mappings(image: Image) -> list[dict[str, Any]]:
    """Return the block device mappings of an image, in the form of answers."""
    return [{"DeviceName": device, "Ebs": dict(ebs)} for device, ebs in image.mappings.items()]


def _show_image(call: ServiceCall, image: Image) -> dict[str, Any]:
    members: dict[str, Any] = {
        "ImageId": image.id,
        "Name": image.name,
        "ImageLocation": f"{image.owner}/{image.name}",
        "OwnerId": image.owner,
        "CreationDate": format_milliseconds(image.created.replace(microsecond=0)),
        "State": image.state,
        "Public": image.is_public,
        "ImageType": "machine",
        "Hypervisor": "xen",
        "RootDeviceType": "ebs",
        "BlockDeviceMappings": show_mappings(image),
        "ProductCodes": [],
        "Tags": show_tags(call, image.id),
        **image.attributes,
    }
    if image.description:
        members["Description"] = image.description
    if image.state_reason is not None:
        members["StateReason"] = {"Code": FAILURE_CODE, "Message": image.state_reason}
    return members
