"""Volumes and snapshots of EBS under keys of KMS, while another mock answers EC2.

EC2 looks at most keys after it has answered, and so do these steps: a volume without its key is
there no more, and a copy without one is in state error.

Source: Amazon EBS User Guide, "How Amazon EBS encryption works".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kmsmock.overlays.registry import Overlay, Refused, Steps
from kmsmock.services.ec2.copies import KEY_MESSAGE
from kmsmock.services.ec2.data_keys import opened_for_copy, opened_for_volume, seal_for_volume
from kmsmock.services.ec2.kms_calls import DataKey
from kmsmock.services.ec2.sharing import change_of_snapshot, require_shareable_key
from kmsmock.services.ec2.target_keys import DEFAULT_KEY, describe_target
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import KeyUnusableError


@dataclass(frozen=True, slots=True)
class Sealed:
    """The data key of a volume or snapshot, and the account that it belongs to."""

    key: DataKey
    owner: str


@dataclass(slots=True)
class Storage:
    """Encrypted volumes and snapshots by id; and what came to nothing, with the reason."""

    sealed: dict[str, Sealed] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def _create_volume(call: ServiceCall) -> Steps:
    answer = yield
    if not answer.get("Encrypted"):
        return
    held, volume = _storage(call), answer["VolumeId"]
    source = held.sealed.get(call.parameters.get("SnapshotId", ""))
    target = call.parameters.get("KmsKeyId")
    if target is None:
        is_own = source is not None and source.owner == call.account
        target = source.key.key_arn if source is not None and is_own else DEFAULT_KEY
    try:
        held.sealed[volume] = Sealed(_key_of_volume(call, volume, target, source), call.account)
    except KeyUnusableError as reason:
        held.failures[volume] = str(reason)
    _show(call, [answer], "VolumeId")


def _key_of_volume(call: ServiceCall, volume: str, target: str, source: Sealed | None) -> DataKey:
    sealed = None
    if source is not None:
        sealed = seal_for_volume(call, call.now, volume, target, source.key)
        if source.owner == call.account and sealed.key_arn == source.key.key_arn:
            return sealed
    with opened_for_volume(call, call.now, volume, target, sealed) as (key, _, _):
        return key


def _describe_volumes(call: ServiceCall) -> Steps:
    answer = yield
    failures = _storage(call).failures
    gone = [volume for volume in call.parameters.get("VolumeIds", ()) if volume in failures]
    if gone:
        raise Refused(
            "InvalidVolume.NotFound",
            f"The volume '{gone[0]}' does not exist.",
            explanation=failures[gone[0]],
        )
    answer["Volumes"] = [v for v in answer["Volumes"] if v["VolumeId"] not in failures]
    _show(call, answer["Volumes"], "VolumeId")


def _create_snapshot(call: ServiceCall) -> Steps:
    answer = yield
    held = _storage(call)
    sealed = held.sealed.get(call.parameters["VolumeId"])
    if sealed is not None:
        held.sealed[answer["SnapshotId"]] = sealed
    _show(call, [answer], "SnapshotId")


def _copy_snapshot(call: ServiceCall) -> Steps:
    held, parameters = _storage(call), call.parameters
    source = held.sealed.get(parameters["SourceSnapshotId"])
    target = None
    if source is not None or parameters.get("Encrypted"):
        target = describe_target(call, parameters.get("KmsKeyId") or DEFAULT_KEY)
    answer = yield
    if target is None:
        return
    copy = answer["SnapshotId"]
    try:
        source_key = None if source is None else source.key
        opened = opened_for_copy(call, call.now, copy, target, source_key)
        with opened as (key, _, _):
            held.sealed[copy] = Sealed(key, call.account)
    except KeyUnusableError as reason:
        held.failures[copy] = str(reason)


def _describe_snapshots(call: ServiceCall) -> Steps:
    answer = yield
    failures = _storage(call).failures
    for snapshot in answer["Snapshots"]:
        if snapshot["SnapshotId"] in failures:
            snapshot.update(State="error", StateMessage=KEY_MESSAGE)
    _show(call, answer["Snapshots"], "SnapshotId")


def _share_snapshot(call: ServiceCall) -> Steps:
    sealed = _storage(call).sealed.get(call.parameters["SnapshotId"])
    if sealed is not None:
        change = change_of_snapshot(call)
        if change.adds:
            require_shareable_key(call, sealed.key.key_arn, change)
    yield


def _show(call: ServiceCall, shown: Iterable[dict[str, Any]], name: str) -> None:
    """Show the ARNs of keys."""
    sealed = _storage(call).sealed
    for one in shown:
        if one[name] in sealed:
            one["KmsKeyId"] = sealed[one[name]].key.key_arn


def _storage(call: ServiceCall) -> Storage:
    return call.backend.service_state(Storage)


OVERLAY = Overlay(
    {
        "CreateVolume": _create_volume,
        "DescribeVolumes": _describe_volumes,
        "CreateSnapshot": _create_snapshot,
        "CopySnapshot": _copy_snapshot,
        "DescribeSnapshots": _describe_snapshots,
        "ModifySnapshotAttribute": _share_snapshot,
    },
    {},
)
