"""CreateVolume, which calls KMS after its answer: a volume whose key cannot be used vanishes.

Source: Amazon EC2 API Reference; Amazon EBS User Guide, "How Amazon EBS encryption works".
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.answered import volume_types
from kmsmock.services.ec2.answered.lookup import (
    read_snapshot_id,
    require_parameter,
    resource_context,
    snapshot_not_found_error,
)
from kmsmock.services.ec2.answered.registry import (
    OUTPOSTS,
    account_region,
    arn,
    operation,
    storage,
)
from kmsmock.services.ec2.answered.storage import Snapshot, Volume, rewritten
from kmsmock.services.ec2.answered.tagging import (
    Tags,
    put_tags,
    read_new_tags,
    require_create_permission,
)
from kmsmock.services.ec2.answered.volumes import ZONE_LETTERS, show_volume
from kmsmock.services.ec2.ids import new_id
from kmsmock.services.ec2.kms_use.snapshots import require_completed
from kmsmock.services.ec2.kms_use.state import SNAPSHOT_STATE, VOLUME_STATE
from kmsmock.services.ec2.kms_use.volumes import CreateVolume, VolumeLostError
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_states import begin
from kmsmock.state.failures import failures_of

_DEFAULT_TYPE = "gp2"
#: Of how many requests the client tokens are kept.
_TOKENS_KEPT = 10_000
_ZONE_ID = re.compile(r"[a-z]+[0-9]-az([1-6])")


@operation(
    "CreateVolume",
    not_emulated={"OutpostArn": OUTPOSTS, "Operator": "managed resources are not emulated"},
)
def create_volume(call: ServiceCall) -> dict[str, Any]:
    """Create a volume, empty or from a snapshot."""
    zone = _read_zone(call)
    name = call.parameters.get("SnapshotId") or ""
    source = None
    if name:
        source = storage(call).snapshot_for(call.account, call.region, read_snapshot_id(name))
    tags = read_new_tags(call, "volume")
    also = (arn(call, f"snapshot/{name}"),) if name else ()
    require_create_permission(
        call, "CreateVolume", "volume/*", tags, *also, context=resource_context(call, source)
    )
    earlier = get_earlier_volume(call)
    if earlier is not None:
        return show_volume(call, earlier)
    if name:
        if source is None:
            raise snapshot_not_found_error(call, name, "Snapshot does not exist")
        require_completed(source, call.backend.passing.explain(SNAPSHOT_STATE, name))
    volume = new_volume(call, zone, _read_size(call, source), source)
    return store_volume(call, volume, source, CreateVolume(call, source), tags)


def store_volume(
    call: ServiceCall,
    volume: Volume,
    source: Snapshot | Volume | None,
    flow: CreateVolume,
    tags: Tags,
) -> dict[str, Any]:
    """Store a new volume, which becomes available after a delay; return its description.

    source: whose contents it has. flow: of which nothing has been done yet.
    """
    flow.request()
    volume.is_encrypted, volume.key_arn = flow.is_encrypted, flow.known_key
    here = account_region(call)
    here.volumes[volume.id] = volume
    if "ClientToken" in call.parameters:
        here.tokens[call.parameters["ClientToken"]] = (_compared_parameters(call), volume.id)
        if len(here.tokens) > _TOKENS_KEPT:
            del here.tokens[next(iter(here.tokens))]
    put_tags(call, volume.id, tags)
    begin(
        call.backend,
        call.now,
        VOLUME_STATE,
        volume.id,
        partial(_finish_volume, call, volume, source, flow),
        until="State is available",
        name=volume.state,
    )
    return show_volume(call, volume)


def _read_zone(call: ServiceCall) -> str:
    """Return the Availability Zone; each Region has the zones a to f."""
    parameters = call.parameters
    zone_id = _ZONE_ID.fullmatch(parameters.get("AvailabilityZoneId", ""))
    if zone_id is not None and "AvailabilityZone" not in parameters:
        return call.region + ZONE_LETTERS[int(zone_id[1]) - 1]
    zone: str = require_parameter(call, "AvailabilityZone")
    if zone[:-1] != call.region or zone[-1] not in ZONE_LETTERS:
        raise errors.InvalidZoneNotFound(f"The zone '{zone}' does not exist.")
    return zone


def _compared_parameters(call: ServiceCall) -> object:
    return {name: value for name, value in call.parameters.items() if name != "ClientToken"}


def get_earlier_volume(call: ServiceCall) -> Volume | None:
    """Find the volume that an earlier call with the same client token has created."""
    here = account_region(call)
    compared, volume_id = here.tokens.get(call.parameters.get("ClientToken", ""), (None, ""))
    if not volume_id:
        return None
    if compared != _compared_parameters(call):
        raise errors.IdempotentParameterMismatch(
            "The parameters of this request do not match those of the earlier request with the "
            "same client token."
        )
    return here.volumes.get(volume_id)


def _read_size(call: ServiceCall, source: Snapshot | None) -> int:
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


def new_volume(call: ServiceCall, zone: str, size: int, source: Snapshot | None) -> Volume:
    """Return a new volume that is not stored yet, with the requested type and performance.

    size: in GiB. source: the snapshot that it is created from.
    """
    parameters = call.parameters
    kind = parameters.get("VolumeType", _DEFAULT_TYPE)
    volume_types.require_type(kind)
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


def _finish_volume(
    call: ServiceCall,
    volume: Volume,
    source: Snapshot | Volume | None,
    flow: CreateVolume,
    now: datetime,
) -> None:
    """Make the volume available, or remove it when its key cannot be used."""
    here = account_region(call)
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
