"""CreateVolume, which looks at no key before it answers: a volume without its key vanishes.

Source: Amazon EC2 API Reference; Amazon EBS User Guide, "How Amazon EBS encryption works".
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.services.ec2 import errors, volume_types
from kmsmock.services.ec2.finding import facts, no_snapshot, required, snapshot_id
from kmsmock.services.ec2.kms_use.state import failures_of
from kmsmock.services.ec2.kms_use.volumes import CreateVolume, VolumeLostError
from kmsmock.services.ec2.registry import (
    OUTPOSTS,
    arn,
    later,
    new_id,
    operation,
    place,
    storage,
)
from kmsmock.services.ec2.storage import Snapshot, Volume, rewritten
from kmsmock.services.ec2.tagging import Tags, keep_tags, permit_making, tags_for
from kmsmock.services.ec2.volumes import ZONE_LETTERS, show_volume
from kmsmock.services.registry import ServiceCall

_DEFAULT_TYPE = "gp2"
_ZONE_ID = re.compile(r"[a-z]+[0-9]-az([1-6])")


@operation(
    "CreateVolume",
    lacks={"OutpostArn": OUTPOSTS, "Operator": "managed resources are not emulated"},
)
def create_volume(call: ServiceCall) -> dict[str, Any]:
    """Make a volume, empty or from a snapshot."""
    zone = _zone(call)
    name = call.parameters.get("SnapshotId") or ""
    source = None
    if name:
        source = storage(call).snapshot_for(call.account, call.region, snapshot_id(name))
    tags = tags_for(call, "volume")
    also = (arn(call, f"snapshot/{name}"),) if name else ()
    permit_making(call, "CreateVolume", "volume/*", tags, *also, context=facts(call, source))
    before = _made_before(call)
    if before is not None:
        return show_volume(call, before)
    if name:
        _require_complete(call, name, source)
    volume = _volume(call, zone, source)
    flow = CreateVolume(call, source)
    flow.request()
    volume.is_encrypted, volume.key_arn = flow.is_encrypted, flow.known_key
    return _keep(call, volume, source, flow, tags)


def _keep(
    call: ServiceCall, volume: Volume, source: Snapshot | None, flow: CreateVolume, tags: Tags
) -> dict[str, Any]:
    here = place(call)
    here.volumes[volume.id] = volume
    if "ClientToken" in call.parameters:
        here.tokens[call.parameters["ClientToken"]] = (_asked(call), volume.id)
    keep_tags(call, volume.id, tags)
    later(call, partial(_finish, call, volume, source, flow))
    return show_volume(call, volume)


def _zone(call: ServiceCall) -> str:
    """Give the Availability Zone; all Regions have the zones a to f here."""
    parameters = call.parameters
    zone_id = _ZONE_ID.fullmatch(parameters.get("AvailabilityZoneId", ""))
    if zone_id is not None and "AvailabilityZone" not in parameters:
        return call.region + ZONE_LETTERS[int(zone_id[1]) - 1]
    zone: str = required(call, "AvailabilityZone")
    if zone[:-1] != call.region or zone[-1] not in ZONE_LETTERS:
        raise errors.InvalidZoneNotFound(f"The zone '{zone}' does not exist.")
    return zone


def _asked(call: ServiceCall) -> object:
    return {name: value for name, value in call.parameters.items() if name != "ClientToken"}


def _made_before(call: ServiceCall) -> Volume | None:
    """Find the volume that an earlier call with the same client token has made."""
    here = place(call)
    asked, made = here.tokens.get(call.parameters.get("ClientToken", ""), (None, ""))
    if not made:
        return None
    if asked != _asked(call):
        raise errors.IdempotentParameterMismatch(
            "The parameters of this request do not match those of the earlier request with the "
            "same client token."
        )
    return here.volumes.get(made)


def _require_complete(call: ServiceCall, name: str, source: Snapshot | None) -> None:
    if source is None:
        raise no_snapshot(call, name, "Snapshot does not exist")
    if source.state != "completed":
        raise errors.IncorrectState(
            f"Snapshot is in invalid state - {source.state}",
            explanation=source.state_message,
        )


def _size(call: ServiceCall, source: Snapshot | None) -> int:
    size: int | None = call.parameters.get("Size")
    if source is None:
        if size is None:
            raise errors.MissingParameter("The request must contain the parameter size/snapshot")
        return size
    size = size or source.volume_size
    if size < source.volume_size:
        raise errors.InvalidParameterValue(
            f"Volume of {size}GiB is smaller than snapshot '{source.id}', expect size >= "
            f"{source.volume_size}GiB"
        )
    return size


def _volume(call: ServiceCall, zone: str, source: Snapshot | None) -> Volume:
    """Make the volume, with size, type and performance as they were asked for."""
    parameters = call.parameters
    kind = parameters.get("VolumeType", _DEFAULT_TYPE)
    volume_types.require_type(kind)
    size = _size(call, source)
    rate: int | None = parameters.get("VolumeInitializationRate")
    if rate is not None:
        volume_types.require_initialization_rate(rate, from_snapshot=source is not None)
    volume_types.require_size(kind, size)
    if parameters.get("MultiAttachEnabled"):
        volume_types.require_multi_attach(kind)
    iops, throughput = volume_types.performance(
        kind, size, parameters.get("Iops"), parameters.get("Throughput")
    )
    return Volume(
        new_id(call, "vol"),
        call.account,
        call.region,
        zone,
        size,
        kind,
        call.now,
        iops,
        throughput,
        parameters.get("MultiAttachEnabled", False),
        source.id if source is not None else "",
        initialization_rate=rate,
    )


def _finish(
    call: ServiceCall,
    volume: Volume,
    source: Snapshot | None,
    flow: CreateVolume,
    now: datetime,
) -> None:
    """Let the volume be available, or vanish when its key cannot be used."""
    here = place(call)
    if here.volumes.get(volume.id) is not volume:
        return
    try:
        key = flow.complete(volume.id, now)
    except VolumeLostError as reason:
        del here.volumes[volume.id]
        here.tags.pop(volume.id, None)
        failures_of(call.backend)[volume.id] = str(reason)
        return
    if key is not None:
        volume.key, volume.key_arn = key.key, key.key.key_arn
    if source is not None:
        volume.sectors = rewritten(source.sectors, key)
    volume.state = "available"
