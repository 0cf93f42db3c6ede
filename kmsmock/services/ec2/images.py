"""Images (AMIs): RegisterImage, DescribeImages and DeregisterImage.

Source: Amazon EC2 User Guide, "Amazon Machine Images in Amazon EC2".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.finding import (
    facts,
    image_id,
    no_image,
    no_snapshot,
    required,
    snapshot_id,
)
from kmsmock.services.ec2.lists import FilterTable, filtered, page
from kmsmock.services.ec2.registry import arn, new_id, operation, permit, place, storage
from kmsmock.services.ec2.storage import Image
from kmsmock.services.ec2.tagging import keep_tags, permit_making, shown_tags, tags_for
from kmsmock.services.registry import ServiceCall

_DEFAULT_TYPE = "gp2"
#: The code of why an image is in state failed.
FAILURE_CODE = "Client.InternalError"
#: What an image has beside its devices, with the values when nothing else is said.
_SHOWN: dict[str, Any] = {
    "Architecture": "i386",
    "VirtualizationType": "paravirtual",
    "EnaSupport": False,
}
_SHOWN_IF_GIVEN = (
    *("BootMode", "ImdsSupport", "KernelId", "RamdiskId", "RootDeviceName", "SriovNetSupport"),
    "TpmSupport",
)


@operation(
    "RegisterImage",
    {
        "ImageLocation": "images in S3 are not emulated",
        "BillingProducts": "products are not emulated",
        "UefiData": "nothing boots here",
    },
)
def register_image(call: ServiceCall) -> dict[str, Any]:
    """Make an image of snapshots."""
    name = required(call, "Name")
    tags = tags_for(call, "image", "snapshot")
    given = {
        mapping.get("DeviceName", ""): mapping["Ebs"]
        for mapping in call.parameters.get("BlockDeviceMappings", ())
        if "Ebs" in mapping
    }
    also = [arn(call, f"snapshot/{e['SnapshotId']}") for e in given.values() if "SnapshotId" in e]
    permit_making(call, "RegisterImage", "image/*", tags, *also, context={})
    require_free_name(call, name)
    root = call.parameters.get("RootDeviceName")
    if root is None or "SnapshotId" not in given.get(root, {}):
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
        {device: _device(call, device, ebs) for device, ebs in given.items()},
        {
            **_SHOWN,
            **{m: parameters[m] for m in (*_SHOWN, *_SHOWN_IF_GIVEN) if m in parameters},
        },
        parameters.get("Description", ""),
    )
    keep_image(call, image)
    keep_tags(call, image.id, tags)
    of_snapshots = tags_for(call, "snapshot", "image")
    for snapshot in image.snapshot_ids:
        keep_tags(call, snapshot, {**place(call).tags.get(snapshot, {}), **of_snapshots})
    return {"ImageId": image.id}


def keep_image(call: ServiceCall, image: Image) -> None:
    """Take in an image."""
    place(call).images[image.id] = image


def require_free_name(call: ServiceCall, name: str) -> None:
    """Require a name that no other image of the account and Region has."""
    for image in place(call).images.values():
        if image.name == name and image.state != "failed":
            raise errors.InvalidAMINameDuplicate(
                f"AMI name {name} is already in use by AMI {image.id}"
            )


def _device(call: ServiceCall, device: str, ebs: Mapping[str, Any]) -> dict[str, object]:
    """Give what the image keeps of a device."""
    kept: dict[str, object] = {
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
        return {**kept, "VolumeSize": ebs["VolumeSize"], "Encrypted": ebs.get("Encrypted", False)}
    if "Encrypted" in ebs or "KmsKeyId" in ebs:
        raise errors.InvalidBlockDeviceMapping(
            f"the encrypted flag cannot be specified since device {device} has a snapshot "
            "specified.",
            explanation="The snapshot decides; CopyImage can encrypt.",
        )
    snapshot = storage(call).snapshot_for(call.account, call.region, snapshot_id(name))
    if snapshot is None:
        raise no_snapshot(call, name)
    if snapshot.state != "completed":
        raise errors.IncorrectState(f"Snapshot is in invalid state - {snapshot.state}")
    return {
        **kept,
        "SnapshotId": name,
        "VolumeSize": ebs.get("VolumeSize", snapshot.volume_size),
        "Encrypted": snapshot.is_encrypted,
    }


# --- showing and deregistering ---------------------------------------------------------------

_FILTERS: FilterTable[Image] = {
    "architecture": lambda image: [image.shown["Architecture"]],
    "block-device-mapping.device-name": lambda image: image.mappings,
    "block-device-mapping.encrypted": lambda i: [e.get("Encrypted") for e in i.mappings.values()],
    "block-device-mapping.snapshot-id": lambda image: image.snapshot_ids,
    "description": lambda image: [image.description],
    "image-id": lambda image: [image.id],
    "image-type": lambda _: ["machine"],
    "is-public": lambda image: [image.is_public],
    "name": lambda image: [image.name],
    "owner-id": lambda image: [image.owner],
    "root-device-name": lambda image: [image.shown.get("RootDeviceName")],
    "root-device-type": lambda _: ["ebs"],
    "state": lambda image: [image.state],
    "virtualization-type": lambda image: [image.shown["VirtualizationType"]],
}


@operation("DescribeImages")
def describe_images(call: ServiceCall) -> dict[str, Any]:
    """Show images: those of the account, those shared with it, and public ones."""
    parameters = call.parameters
    names = [image_id(name) for name in parameters.get("ImageIds", ())]
    permit(call, "DescribeImages", "*")
    held = storage(call)
    found = [
        image
        for image in held.images_in(call.region)
        if held.image_for(call.account, call.region, image.id) is not None
    ]
    for name in names:
        if all(image.id != name for image in found):
            raise no_image(name)
    owners = {call.account if o == "self" else o for o in parameters.get("Owners", ())}
    users = {call.account if u == "self" else u for u in parameters.get("ExecutableUsers", ())}
    found = [
        image
        for image in found
        if (not names or image.id in names)
        and (not owners or image.owner in owners)
        and (not users or users & {*image.shared_with, *(["all"] if image.is_public else [])})
    ]
    images = filtered(call, found, _FILTERS, lambda image: image.id)
    return page(call, "DescribeImages", "Images", images, partial(_shown, call))


@operation("DeregisterImage")
def deregister_image(call: ServiceCall) -> dict[str, Any]:
    """Give up an image; its snapshots stay, unless they are to go too."""
    image = own_image(call, "DeregisterImage")
    here = place(call)
    del here.images[image.id]
    here.tags.pop(image.id, None)
    results = []
    if call.parameters.get("DeleteAssociatedSnapshots"):
        used = {name for other in here.images.values() for name in other.snapshot_ids}
        for name in image.snapshot_ids:
            deleted = name not in used and here.snapshots.pop(name, None) is not None
            results.append({"SnapshotId": name, "ReturnCode": "success" if deleted else "skipped"})
    return {"Return": True, "DeleteSnapshotResults": results}


def own_image(call: ServiceCall, action: str) -> Image:
    """Find the image that a call is about, which must be the account's own; ends a dry run."""
    name = image_id(required(call, "ImageId"))
    image = place(call).images.get(name)
    permit(call, action, arn(call, f"image/{name}"), context=facts(call, image))
    if image is None:
        raise no_image(name)
    return image


def shown_mappings(image: Image) -> list[dict[str, Any]]:
    """Show the devices of an image."""
    return [{"DeviceName": device, "Ebs": dict(ebs)} for device, ebs in image.mappings.items()]


def _shown(call: ServiceCall, image: Image) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "ImageId": image.id,
        "Name": image.name,
        "ImageLocation": f"{image.owner}/{image.name}",
        "OwnerId": image.owner,
        "CreationDate": f"{image.created:%Y-%m-%dT%H:%M:%S}.000Z",
        "State": image.state,
        "Public": image.is_public,
        "ImageType": "machine",
        "Hypervisor": "xen",
        "RootDeviceType": "ebs",
        "BlockDeviceMappings": shown_mappings(image),
        "ProductCodes": [],
        "Tags": shown_tags(call, image.id),
        **image.shown,
    }
    if image.description:
        shown["Description"] = image.description
    if image.state_reason is not None:
        shown["StateReason"] = {"Code": FAILURE_CODE, "Message": image.state_reason}
    return shown
