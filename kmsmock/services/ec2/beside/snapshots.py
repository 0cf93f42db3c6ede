"""CreateSnapshot, CreateSnapshots, CopySnapshot, DescribeSnapshots and ModifySnapshotAttribute."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kmsmock.services.beside import Steps, until_stored
from kmsmock.services.ec2.beside.filters import FILTER_VALUES, FILTERS
from kmsmock.services.ec2.beside.stored_resources import (
    StoredResource,
    require_volume,
    show_keys,
    stored_resources,
)
from kmsmock.services.ec2.beside.unrecorded import (
    keep_snapshot,
    read_snapshot,
    read_volume,
    read_volumes_of,
)
from kmsmock.services.ec2.kms_use.sharing import require_shareable_snapshot
from kmsmock.services.ec2.kms_use.snapshots import CopyFailedError, CopySnapshot, copy_of_incomplete
from kmsmock.services.ec2.sharing_requests import read_snapshot_change
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_filters import select
from kmsmock.state.failures import failures_of


def _create_snapshot(call: ServiceCall) -> Steps:
    require_volume(call, call.parameters["VolumeId"])
    read_volume(call)
    answer = yield
    _take_keys_of_volumes(call, [answer])


def _create_snapshots(call: ServiceCall) -> Steps:
    read_volumes_of(call, call.parameters["InstanceSpecification"]["InstanceId"])
    answer = yield
    _take_keys_of_volumes(call, answer["Snapshots"])


def _take_keys_of_volumes(call: ServiceCall, snapshots: Iterable[dict[str, Any]]) -> None:
    """Record that snapshots have the keys of their volumes, which the answer does not include."""
    resources = stored_resources(call).resources
    for snapshot in snapshots:
        volume = resources.get(snapshot["VolumeId"])
        if volume is not None:
            resources[snapshot["SnapshotId"]] = volume
            snapshot["Encrypted"] = True


def _copy_snapshot(call: ServiceCall) -> Steps:
    source_id = call.parameters["SourceSnapshotId"]
    source = read_snapshot(call, "SourceSnapshotId", call.parameters["SourceRegion"])
    flow = CopySnapshot(call, source)
    answer = yield from until_stored(
        flow, lambda: {} if flow.target_arn is None else {"KmsKeyId": flow.target_arn}
    )
    snapshot_id = answer["SnapshotId"]
    try:
        if source is not None and source.state != "completed":
            raise copy_of_incomplete(source_id, source)
        copy = complete_copy(call, flow, snapshot_id)
    except CopyFailedError as failure:
        failures_of(call.backend)[snapshot_id] = failure.why
        assert flow.target_arn is not None
        copy = StoredResource(call.account, flow.target_arn, None, failure.message)
    if copy is not None:
        stored_resources(call).resources[snapshot_id] = copy


def complete_copy(call: ServiceCall, flow: CopySnapshot, snapshot_id: str) -> StoredResource | None:
    """Complete the copy of a snapshot; return None for one that is not encrypted.

    Raises `CopyFailedError`.
    """
    key = flow.complete(snapshot_id, call.now)
    return None if key is None else StoredResource(call.account, key.key.key_arn, key.key)


def _describe_snapshots(call: ServiceCall) -> Steps:
    filters = call.parameters.get("Filters", ())
    answer = yield FILTERS.without(filters, FILTER_VALUES)
    resources = stored_resources(call).resources
    for snapshot in answer["Snapshots"]:
        keep_snapshot(call, snapshot)
        resource = resources.get(snapshot["SnapshotId"])
        if resource is not None and resource.state_message is not None:
            snapshot.update(State="error", StateMessage=resource.state_message)
    show_keys(call, answer["Snapshots"], "SnapshotId")
    answer["Snapshots"] = select(answer["Snapshots"], filters, FILTER_VALUES, has_wildcards=True)


def _modify_snapshot_attribute(call: ServiceCall) -> Steps:
    snapshot = read_snapshot(call)
    if snapshot is not None:
        change = read_snapshot_change(call)
        if change.adds:
            require_shareable_snapshot(call, snapshot.key_arn, change)
    yield


OPERATIONS = {
    "CreateSnapshot": _create_snapshot,
    "CreateSnapshots": _create_snapshots,
    "CopySnapshot": _copy_snapshot,
    "DescribeSnapshots": _describe_snapshots,
    "ModifySnapshotAttribute": _modify_snapshot_attribute,
}
