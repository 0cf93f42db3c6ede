"""Who else may launch an image: Modify- and DescribeImageAttribute.

To copy an image, another account needs its snapshots as well, and their key.

Source: Amazon EC2 User Guide, "Share an AMI with specific AWS accounts".
"""

from __future__ import annotations

from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.images import find_own_image, show_mappings
from kmsmock.services.ec2.kms_use.sharing import require_shareable_image
from kmsmock.services.ec2.lookup import required
from kmsmock.services.ec2.permissions import Change, read_change
from kmsmock.services.ec2.registry import operation, storage
from kmsmock.services.ec2.storage import Image
from kmsmock.services.registry import ServiceCall

_PERMISSION = "launchPermission"
_ORGANIZATIONS = "images are shared with accounts here, not with organizations"


@operation(
    "ModifyImageAttribute",
    {
        "OrganizationArns": _ORGANIZATIONS,
        "OrganizationalUnitArns": _ORGANIZATIONS,
        "ProductCodes": "products are not emulated",
        "ImdsSupport": "instances are ids here",
    },
)
def modify_image_attribute(call: ServiceCall) -> None:
    """Share an image with accounts or everybody, or stop to; or describe it anew."""
    image = find_own_image(call, "ModifyImageAttribute")
    description = new_description(call)
    if description is not None:
        image.description = description
        return
    change = change_of_image(call)
    if change.adds:
        _require_shareable(call, image, change)
    if change.everybody:
        image.is_public = change.adds
    for account in change.accounts:
        if change.adds:
            image.shared_with[account] = None
        else:
            image.shared_with.pop(account, None)


def new_description(call: ServiceCall) -> str | None:
    """Read the new description of an image; None when a call is about something else."""
    parameters = call.parameters
    description: str | None = None
    if "Description" in parameters:
        description = parameters["Description"].get("Value", "")
    elif parameters.get("Attribute") == "description":
        description = parameters.get("Value", "")
    return description


def change_of_image(call: ServiceCall) -> Change:
    """Read whom a call shares an image with, or no more."""
    if call.parameters.get("Attribute", _PERMISSION) != _PERMISSION:
        raise errors.InvalidParameterValue(
            "Unrecognized attribute.", explanation="Known here: launchPermission, description."
        )
    return read_change(call, "LaunchPermission", _PERMISSION, "UserGroups")


def _require_shareable(call: ServiceCall, image: Image, change: Change) -> None:
    stored = storage(call)
    snapshots = [
        stored.snapshot_for(call.account, call.region, name) for name in image.snapshot_ids
    ]
    keys = {snapshot.key_arn for snapshot in snapshots if snapshot and snapshot.key_arn}
    require_shareable_image(call, keys, change)


@operation("DescribeImageAttribute")
def describe_image_attribute(call: ServiceCall) -> dict[str, Any]:
    """Show with whom an image is shared, its description, or its devices."""
    image = find_own_image(call, "DescribeImageAttribute")
    attribute = required(call, "Attribute")
    if attribute == _PERMISSION:
        shared: list[dict[str, str]] = [{"UserId": account} for account in image.shared_with]
        if image.is_public:
            shared.append({"Group": "all"})
        return {"ImageId": image.id, "LaunchPermissions": shared}
    if attribute == "description":
        return {"ImageId": image.id, "Description": {"Value": image.description}}
    if attribute == "blockDeviceMapping":
        return {"ImageId": image.id, "BlockDeviceMappings": show_mappings(image)}
    raise errors.InvalidParameterValue(
        "Unrecognized attribute.",
        explanation="Known here: launchPermission, description, blockDeviceMapping.",
    )
