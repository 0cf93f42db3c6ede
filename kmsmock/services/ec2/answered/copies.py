"""CopySnapshot, which almost always answers with a new snapshot; most copies fail later.

Source: Amazon EC2 API Reference, CopySnapshot; Amazon EBS User Guide, "Copy an Amazon EBS
snapshot".
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kmsmock.aws.regions import is_known_region
from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.answered.lookup import (
    explain_not_found,
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
from kmsmock.services.ec2.answered.storage import Snapshot, rewritten
from kmsmock.services.ec2.answered.tagging import (
    put_tags,
    read_new_tags,
    require_create_permission,
    show_tags,
)
from kmsmock.services.ec2.ids import is_id, new_id
from kmsmock.services.ec2.kms_use.snapshots import CopyFailedError, CopySnapshot, copy_of_incomplete
from kmsmock.services.ec2.kms_use.state import SNAPSHOT_STATE
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_states import begin
from kmsmock.state.failures import failures_of

#: Source: Amazon EC2 service quotas, concurrent copies per destination Region.
_MOST_COPIES = 20
_DURATIONS = range(15, 2880 + 1, 15)
_NO_VOLUME = "vol-ffffffff"


@operation(
    "CopySnapshot", {"DestinationOutpostArn": OUTPOSTS, "DestinationAvailabilityZone": OUTPOSTS}
)
def copy_snapshot(call: ServiceCall) -> dict[str, Any]:
    """Copy a snapshot into the Region of the call, encrypted with the requested key."""
    source_id, source_region = _read_source(call)
    _require_valid_parameters(call, source_id)
    source = storage(call).snapshot_for(call.account, source_region, source_id)
    tags = read_new_tags(call, "snapshot")
    source_arn = arn(call, f"snapshot/{source_id}", region=source_region)
    require_create_permission(
        call, "CopySnapshot", "snapshot/*", tags, source_arn, context=resource_context(call, source)
    )
    flow = CopySnapshot(call, source)
    flow.request()
    copy = _start_copy(call, source, source_id, flow)
    put_tags(call, copy.id, tags)
    answer: dict[str, Any] = {"SnapshotId": copy.id}
    if tags:
        answer["Tags"] = show_tags(call, copy.id)
    return answer


def _read_source(call: ServiceCall) -> tuple[str, str]:
    source_id: str = require_parameter(call, "SourceSnapshotId")
    region: str | None = call.parameters.get("SourceRegion")
    if region is None:
        raise errors.InternalError(
            "An internal error has occurred", explanation="SourceRegion is missing."
        )
    if not is_id("snap", source_id) or set(source_id.removeprefix("snap-")) == {"0"}:
        raise errors.InvalidParameterValue("The specified snapshotId is invalid")
    if not is_known_region(region):
        raise errors.InvalidRegion(f"{region} is not a valid region name.")
    return source_id, region


def _require_valid_parameters(call: ServiceCall, source_id: str) -> None:
    parameters = call.parameters
    duration = parameters.get("CompletionDurationMinutes")
    if duration is not None and duration not in _DURATIONS:
        raise errors.InvalidParameterValue(
            f"'{duration}' is not a valid value for completion duration. Specify a value between "
            "15 and 2880 minutes, in 15 minute increments only"
        )
    here = parameters.get("DestinationRegion", call.region)
    if here != call.region:
        raise errors.InvalidParameterValue(
            f"DestinationRegion '{here}' does not match the current region ({call.region})",
            explanation="Call CopySnapshot in the Region of the copy.",
        )
    if "PresignedUrl" in parameters:
        _require_valid_url(call, parameters["PresignedUrl"], source_id)


def _require_valid_url(call: ServiceCall, url: str, source_id: str) -> None:
    """Check a presigned URL as EC2 does, which never checks the signature."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise errors.InvalidParameterValue("The protocol in PresignedUrl should be http or https")
    query = parse_qs(parts.query)
    in_url = query.get("SourceSnapshotId", [source_id])[0]
    if in_url != source_id:
        raise errors.InvalidParameterValue(
            f"The source snapshot specified in PresignedUrl '{in_url}' does not match the source "
            f"snapshot in the request: '{source_id}'"
        )
    destination = query.get("DestinationRegion", [call.region])[0]
    if destination != call.region:
        raise errors.InvalidParameterValue(
            f"The destination region specified in PresignedUrl: '{destination}' is incorrect"
        )


def create_copy(call: ServiceCall, description: str, duration: int | None = None) -> Snapshot:
    """Create the snapshot that becomes the copy of another one."""
    copy = Snapshot(
        new_id(call, "snap"),
        call.account,
        call.region,
        _NO_VOLUME,
        call.now,
        description,
        state_message="Metadata not updated",
        duration=duration,
    )
    account_region(call).snapshots[copy.id] = copy
    return copy


def _start_copy(
    call: ServiceCall, source: Snapshot | None, source_id: str, flow: CopySnapshot
) -> Snapshot:
    """Create a copy, which completes or fails later.

    source: None when the caller cannot see it.
    """
    parameters = call.parameters
    _require_few_copies(call)
    copy = create_copy(
        call, parameters.get("Description", ""), parameters.get("CompletionDurationMinutes")
    )
    if source is None:
        message = "Source snapshot is not found"
        why = explain_not_found(call, source_id, parameters["SourceRegion"])
        finish = partial(_fail, call, copy, message, f"{message}: {why}")
    elif source.state != "completed":
        failure = copy_of_incomplete(source_id, source)
        waiting = call.backend.passing.explain(SNAPSHOT_STATE, source_id)
        why = failure.why if waiting is None else f"{failure.why} {waiting}"
        finish = partial(_fail, call, copy, failure.message, why)
    else:
        finish = partial(finish_copy, call, copy, source, flow)
    until = "State is completed"
    begin(call.backend, call.now, SNAPSHOT_STATE, copy.id, finish, until=until)
    return copy


def _require_few_copies(call: ServiceCall) -> None:
    snapshots = account_region(call).snapshots.values()
    pending = sum(s.state == "pending" and s.volume_id == _NO_VOLUME for s in snapshots)
    if pending >= _MOST_COPIES:
        raise errors.ResourceLimitExceeded(
            f"Too many snapshot copies in progress. The limit is {_MOST_COPIES} for this "
            "destination region."
        )


def _fail(call: ServiceCall, copy: Snapshot, message: str, why: str, now: datetime) -> None:  # noqa: ARG001
    copy.fail(message)
    failures_of(call.backend)[copy.id] = why


def finish_copy(
    call: ServiceCall, copy: Snapshot, source: Snapshot, flow: CopySnapshot, now: datetime
) -> None:
    """Complete a copy, or put it in state error when a key cannot be used."""
    copy.volume_size = source.volume_size
    try:
        key = flow.complete(copy.id, now)
    except CopyFailedError as failure:
        _fail(call, copy, failure.message, failure.why, now)
    else:
        copy.key = None if key is None else key.key
        copy.sectors = rewritten(source.sectors, key)
        copy.complete(now)
    copy.is_encrypted, copy.key_arn = flow.target_arn is not None, flow.target_arn
