"""Volumes and snapshots of EBS under keys of KMS, while another mock answers EC2.

What EBS does later on AWS is done here as soon as the answer is there: a volume without its key is
there no more then, and a copy without one is in state error.

Source: Amazon EBS User Guide, "How Amazon EBS encryption works".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kmsmock.overlays.flows import until_stored
from kmsmock.overlays.registry import Overlay, Refused, Steps
from kmsmock.services.ec2.kms_use.kms_calls import DataKey
from kmsmock.services.ec2.kms_use.snapshots import CopyFailedError, CopySnapshot
from kmsmock.services.ec2.kms_use.state import failures_of
from kmsmock.services.ec2.kms_use.volumes import CreateVolume, VolumeLostError
from kmsmock.services.ec2.sharing import change_of_snapshot, require_shareable_key
from kmsmock.services.registry import ServiceCall


@dataclass(frozen=True, slots=True)
class StoredResource:
    """A volume or snapshot that something else stores. owner: account id.

    state_message: of a snapshot in state error, whose key could not be used.
    """

    owner: str
    key_arn: str | None
    key: DataKey | None
    state_message: str | None = None

    @property
    def is_encrypted(self) -> bool:
        """Whether it is encrypted."""
        return self.key_arn is not None


@dataclass(slots=True)
class StoredResources:
    """Volumes and snapshots by id, as far as they were made while the mock was active."""

    by_id: dict[str, StoredResource] = field(default_factory=dict)


def _create_volume(call: ServiceCall) -> Steps:
    stored = _stored(call)
    flow = CreateVolume(call, stored.get(call.parameters.get("SnapshotId", "")))
    answer = yield from until_stored(flow)
    volume_id = answer["VolumeId"]
    try:
        key = flow.complete(volume_id, call.now)
    except VolumeLostError as reason:
        failures_of(call.backend)[volume_id] = str(reason)
    else:
        if key is not None:
            stored[volume_id] = StoredResource(call.account, key.key.key_arn, key.key)
    _show_key(answer, is_encrypted=flow.is_encrypted, key_arn=flow.known_key)


def _describe_volumes(call: ServiceCall) -> Steps:
    answer = yield
    failures, stored = failures_of(call.backend), _stored(call)
    lost = failures.keys() - stored.keys()
    for volume_id in call.parameters.get("VolumeIds", ()):
        if volume_id in lost:
            raise Refused(
                "InvalidVolume.NotFound",
                f"The volume '{volume_id}' does not exist.",
                explanation=failures[volume_id],
            )
    answer["Volumes"] = [v for v in answer["Volumes"] if v["VolumeId"] not in lost]
    _show_keys(call, answer["Volumes"], "VolumeId")


def _create_snapshot(call: ServiceCall) -> Steps:
    answer = yield
    stored = _stored(call)
    volume = stored.get(call.parameters["VolumeId"])
    if volume is not None:
        stored[answer["SnapshotId"]] = volume
        answer["Encrypted"] = True


def _copy_snapshot(call: ServiceCall) -> Steps:
    stored = _stored(call)
    flow = CopySnapshot(call, stored.get(call.parameters["SourceSnapshotId"]))
    answer = yield from until_stored(flow)
    snapshot_id = answer["SnapshotId"]
    key, message = None, None
    try:
        completed = flow.complete(snapshot_id, call.now)
    except CopyFailedError as failure:
        message = failure.message
        failures_of(call.backend)[snapshot_id] = failure.why
    else:
        key = None if completed is None else completed.key
    stored[snapshot_id] = StoredResource(call.account, flow.target_arn, key, message)


def _describe_snapshots(call: ServiceCall) -> Steps:
    answer = yield
    stored = _stored(call)
    for snapshot in answer["Snapshots"]:
        known = stored.get(snapshot["SnapshotId"])
        if known is not None and known.state_message is not None:
            snapshot.update(State="error", StateMessage=known.state_message)
    _show_keys(call, answer["Snapshots"], "SnapshotId")


def _modify_snapshot_attribute(call: ServiceCall) -> Steps:
    snapshot = _stored(call).get(call.parameters["SnapshotId"])
    if snapshot is not None and snapshot.key_arn is not None:
        change = change_of_snapshot(call)
        if change.adds:
            require_shareable_key(call, snapshot.key_arn, change)
    yield


def _show_keys(call: ServiceCall, resources: Iterable[dict[str, Any]], id_member: str) -> None:
    stored = _stored(call)
    for resource in resources:
        known = stored.get(resource[id_member])
        if known is not None:
            _show_key(resource, is_encrypted=known.is_encrypted, key_arn=known.key_arn)


def _show_key(resource: dict[str, Any], *, is_encrypted: bool, key_arn: str | None) -> None:
    resource["Encrypted"] = is_encrypted
    resource.pop("KmsKeyId", None)
    if key_arn is not None:
        resource["KmsKeyId"] = key_arn


def _stored(call: ServiceCall) -> dict[str, StoredResource]:
    return call.backend.service_state(StoredResources).by_id


OVERLAY = Overlay(
    {
        "CreateVolume": _create_volume,
        "DescribeVolumes": _describe_volumes,
        "CreateSnapshot": _create_snapshot,
        "CopySnapshot": _copy_snapshot,
        "DescribeSnapshots": _describe_snapshots,
        "ModifySnapshotAttribute": _modify_snapshot_attribute,
    },
    {},
)
