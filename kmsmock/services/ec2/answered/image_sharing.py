"""Who else may launch an image: Modify- and DescribeImageAttribute.

To copy an image, another account needs its snapshots as well, and their key.

Source: Amazon EC2 User Guide, "Share an AMI with specific AWS accounts".
"""

from __future__ import annotations

from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.answered.images import find_own_image, show_mappings
from kmsmock.services.ec2.answered.lookup import require_parameter
from kmsmock.services.ec2.answered.registry import operation, storage
from kmsmock.services.ec2.answered.storage import Image
from kmsmock.services.ec2.kms_use.sharing import require_shareable_image
from kmsmock.services.ec2.sharing_requests import (
    IMAGE_PERMISSION,
    Change,
    read_image_change,
    read_new_description,
)
from kmsmock.services.registry import ServiceCall

_ORGANIZATIONS = "images are shared with accounts here, not with organizations"


@operation(
    "ModifyImageAttribute",
    {
        "OrganizationArns": _ORGANIZATIONS,
        "OrganizationalUnitArns": _ORGANIZATIONS,
        "ProductCodes": "products are not emulated",
        "ImdsSupport": "instances are not emulated, only their ids",
    },
)
def modify_image_attribute(call: ServiceCall) -> None:
    """Add or remove launch permissions of an image, or set its description."""
    image = find_own_image(call, "ModifyImageAttribute")
    description = read_new_description(call)
    if description is not None:
        image.description = description
        return
    change = read_image_change(call)
    if change.adds:
        _require_shareable(call, image, change)
    if change.everybody:
        image.is_public = change.adds
    for account in change.accounts:
        if change.adds:
            image.shared_with[account] = None
        else:
            image.shared_with.pop(account, None)


def _require_shareable(call: ServiceCall, image: Image, change: Change) -> None:
    stored = storage(call)
    snapshots = [
        stored.snapshot_for(call.account, call.region, name) for name in image.snapshot_ids
    ]
    keys = {snapshot.key_arn for snapshot in snapshots if snapshot and snapshot.key_arn}
    require_shareable_image(call, keys, change)


@operation("DescribeImageAttribute")
def describe_image_attribute(call: ServiceCall) -> dict[str, Any]:
    """Describe the launch permissions, description or block devices of an image."""
    image = find_own_image(call, "DescribeImageAttribute")
    attribute = require_parameter(call, "Attribute")
    if attribute == IMAGE_PERMISSION:
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
        explanation="Supported: launchPermission, description, blockDeviceMapping.",
    )
