"""CopyVolumes, which copies a volume within its Availability Zone.

Source: Amazon EC2 API Reference, CopyVolumes; Amazon EBS User Guide, "Copy an Amazon EBS volume".
"""

from __future__ import annotations

from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.answered.lookup import (
    read_volume_id,
    require_parameter,
    resource_context,
    volume_not_found_error,
)
from kmsmock.services.ec2.answered.registry import account_region, arn, operation
from kmsmock.services.ec2.answered.tagging import read_new_tags, require_create_permission
from kmsmock.services.ec2.answered.volume_creation import (
    get_earlier_volume,
    new_volume,
    store_volume,
)
from kmsmock.services.ec2.answered.volumes import show_volume
from kmsmock.services.ec2.kms_use.state import VOLUME_STATE
from kmsmock.services.ec2.kms_use.volumes import CopyVolume
from kmsmock.services.registry import ServiceCall


@operation("CopyVolumes")
def copy_volumes(call: ServiceCall) -> dict[str, Any]:
    """Copy a volume, whether or not it is attached; the copy is encrypted if the volume is."""
    name = read_volume_id(require_parameter(call, "SourceVolumeId"))
    source = account_region(call).volumes.get(name)
    tags = read_new_tags(call, "volume")
    source_arn = arn(call, f"volume/{name}")
    require_create_permission(
        call, "CopyVolumes", "volume/*", tags, source_arn, context=resource_context(call, source)
    )
    earlier = get_earlier_volume(call)
    if earlier is not None:
        return {"Volumes": [show_volume(call, earlier)]}
    if source is None:
        raise volume_not_found_error(call, name)
    if source.state not in ("available", "in-use"):
        raise errors.IncorrectState(
            f"The volume '{name}' is '{source.state}'",
            explanation=call.backend.passing.explain(VOLUME_STATE, name),
        )
    size = call.parameters.get("Size", source.size)
    if size < source.size:
        raise errors.InvalidParameterValue(
            f"Volume of {size}GiB is smaller than volume '{name}', expect size >= {source.size}GiB"
        )
    copy = new_volume(call, source.zone, size, None)
    copy.source_volume_id = name
    return {"Volumes": [store_volume(call, copy, source, CopyVolume(call, source), tags)]}
