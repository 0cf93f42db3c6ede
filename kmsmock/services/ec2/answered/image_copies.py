"""CopyImage: an image is copied with its snapshots, which can be encrypted with another key.

Source: Amazon EC2 API Reference, CopyImage; Amazon EC2 User Guide, "Copy an Amazon EC2 AMI".
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.aws.regions import is_known_region
from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.answered.copies import create_copy, finish_copy
from kmsmock.services.ec2.answered.images import put_image, require_free_name
from kmsmock.services.ec2.answered.lookup import (
    image_not_found_error,
    read_image_id,
    require_parameter,
    resource_context,
)
from kmsmock.services.ec2.answered.registry import (
    OUTPOSTS,
    account_region,
    arn,
    operation,
    storage,
)
from kmsmock.services.ec2.answered.storage import Image, Snapshot
from kmsmock.services.ec2.answered.tagging import (
    Tags,
    put_tags,
    read_new_tags,
    require_create_permission,
)
from kmsmock.services.ec2.ids import new_id
from kmsmock.services.ec2.kms_use.images import CopyImage
from kmsmock.services.ec2.kms_use.state import IMAGE_STATE
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_states import begin
from kmsmock.state.failures import failures_of


@operation(
    "CopyImage",
    {
        "DestinationOutpostArn": OUTPOSTS,
        "DestinationAvailabilityZone": OUTPOSTS,
        "DestinationAvailabilityZoneId": OUTPOSTS,
        "SnapshotCopyCompletionDurationMinutes": "copies of images take the time of all storage",
    },
)
def copy_image(call: ServiceCall) -> dict[str, Any]:
    """Copy an image into the Region of the call; the copy fails later when a key cannot be used."""
    name = require_parameter(call, "Name")
    source_id = read_image_id(require_parameter(call, "SourceImageId"))
    source_region: str = require_parameter(call, "SourceRegion")
    if not is_known_region(source_region):
        raise errors.InvalidRegion(f"{source_region} is not a valid region name.")
    source = storage(call).image_for(call.account, source_region, source_id)
    tags = read_new_tags(call, "image", "snapshot")
    source_arn = arn(call, f"image/{source_id}", region=source_region)
    require_create_permission(
        call, "CopyImage", "image/*", tags, source_arn, context=resource_context(call, source)
    )
    if source is None:
        raise image_not_found_error(source_id)
    if source.state != "available":
        raise errors.InvalidAMIIDUnavailable(
            f"The image id '[{source_id}]' is not available",
            explanation=call.backend.passing.explain(IMAGE_STATE, source_id),
        )
    snapshots = _find_snapshots(call, source)
    flow = CopyImage(call, snapshots)
    flow.request()
    require_free_name(call, name)
    image = Image(
        new_id(call, "ami"),
        call.account,
        call.region,
        name,
        call.now,
        {},
        {**source.attributes, "SourceImageId": source.id, "SourceImageRegion": source.region},
        call.parameters.get("Description", ""),
        "pending",
    )
    put_image(call, image)
    if call.parameters.get("CopyImageTags") and source.owner == call.account:
        all_tags = storage(call).account_region(call.account, source_region).tags
        tags = {**all_tags.get(source_id, {}), **tags}
    put_tags(call, image.id, tags)
    of_snapshots = read_new_tags(call, "snapshot", "image")
    begin(
        call.backend,
        call.now,
        IMAGE_STATE,
        image.id,
        partial(_finish_copy, call, image, source, snapshots, of_snapshots, flow),
        until="State is available",
    )
    return {"ImageId": image.id}


def _find_snapshots(call: ServiceCall, source: Image) -> dict[str, Snapshot]:
    """Find the snapshots behind an image, which must be the caller's or shared with it."""
    snapshots = {}
    for name in source.snapshot_ids:
        snapshot = storage(call).snapshot_for(call.account, source.region, name)
        if snapshot is None:
            raise errors.InvalidRequest(
                "You do not have permission to access the storage of this ami",
                explanation=f"{name} is not shared with account {call.account}: to share an image "
                "for copying, share its snapshots too (ModifySnapshotAttribute).",
            )
        snapshots[name] = snapshot
    return snapshots


def _finish_copy(
    call: ServiceCall,
    image: Image,
    source: Image,
    snapshots: dict[str, Snapshot],
    tags: Tags,
    flow: CopyImage,
    now: datetime,
) -> None:
    here = account_region(call)
    if here.images.get(image.id) is not image:
        return
    copies: list[Snapshot] = []
    for device, ebs in source.mappings.items():
        image.mappings[device] = ebs_members = dict(ebs)
        snapshot = snapshots.get(str(ebs.get("SnapshotId")))
        if snapshot is None:
            continue
        copy = _copy_snapshot(call, image, source, snapshot, flow, now)
        copies.append(copy)
        if copy.state != "completed":
            image.state, image.state_reason = "failed", copy.state_message
            failures_of(call.backend)[image.id] = failures_of(call.backend)[copy.id]
            break
        put_tags(call, copy.id, tags)
        ebs_members["SnapshotId"], ebs_members["Encrypted"] = copy.id, copy.is_encrypted
    if image.state == "failed":
        image.mappings.clear()
        for copy in copies:
            del here.snapshots[copy.id]
        return
    image.state = "available"


def _copy_snapshot(
    call: ServiceCall,
    image: Image,
    source: Image,
    snapshot: Snapshot,
    flow: CopyImage,
    now: datetime,
) -> Snapshot:
    """Copy one snapshot, which is completed or in state error afterwards."""
    copy = create_copy(
        call,
        f"Copied for DestinationAmi {image.id} from SourceAmi {source.id} for SourceSnapshot "
        f"{snapshot.id}.",
    )
    finish_copy(call, copy, snapshot, flow.copy_snapshot(snapshot), now)
    return copy
