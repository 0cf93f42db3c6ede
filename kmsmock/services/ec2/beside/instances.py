"""RunInstances, StartInstances, StopInstances, TerminateInstances and DescribeInstances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kmsmock.services.beside import Changes, Steps
from kmsmock.services.ec2.beside.stored_resources import (
    AttachedVolume,
    StoredImage,
    StoredResource,
    list_attached,
    stored_resources,
)
from kmsmock.services.ec2.beside.unrecorded import read_snapshot_by_id, read_volumes_of
from kmsmock.services.ec2.beside.volumes import complete_volume, encryption_of
from kmsmock.services.ec2.kms_use.attachments import (
    NotAttachedError,
    attach_volume,
    detach_volume,
)
from kmsmock.services.ec2.kms_use.instances import KEY_REASON, create_volume_of_instance
from kmsmock.services.ec2.kms_use.snapshots import require_completed
from kmsmock.services.ec2.kms_use.volumes import CreateVolume, VolumeLostError
from kmsmock.services.registry import ServiceCall
from kmsmock.state.failures import failures_of

#: State of an instance -> its code.
_STATES = {"terminated": 48, "stopped": 80}


# --- launching ----------------------------------------------------------------------------------


def _run_instances(call: ServiceCall) -> Steps:
    given: Mapping[str, Any] = call.parameters
    template = _read_template(call, given.get("LaunchTemplate"))
    image = stored_resources(call).images.get(
        given.get("ImageId", template.get("ImageId", "")), StoredImage()
    )
    mappings = given.get("BlockDeviceMappings", template.get("BlockDeviceMappings", ()))
    flows = {
        mapping.get("DeviceName", ""): _request_volume(
            call, image, mapping.get("DeviceName", ""), mapping["Ebs"]
        )
        for mapping in mappings
        if "Ebs" in mapping
    }
    answer = yield _changes(given.get("BlockDeviceMappings", ()), flows)
    for instance in answer["Instances"]:
        _launch(call, image, flows, instance)


def _read_template(call: ServiceCall, named: Mapping[str, str] | None) -> Mapping[str, Any]:
    """Return what a launch template says; nothing if the call names none.

    named: the LaunchTemplate of the request.
    """
    if named is None or call.store is None:
        return {}
    request: dict[str, Any] = {k: v for k, v in named.items() if k != "Version"}
    request["Versions"] = [named.get("Version", "$Default")]
    answer = call.store.ask("ec2", "DescribeLaunchTemplateVersions", request, call.region)
    versions = answer.get("LaunchTemplateVersions", ()) if isinstance(answer, Mapping) else ()
    return next((each["LaunchTemplateData"] for each in versions), {})


def _request_volume(
    call: ServiceCall, image: StoredImage, device: str, ebs: Mapping[str, Any]
) -> CreateVolume:
    """Do the first half of a volume, from its snapshot or from that of the image."""
    source: StoredResource | None
    if "SnapshotId" in ebs:
        source = read_snapshot_by_id(call, ebs["SnapshotId"])
    else:
        source = image.get_snapshot(device)
    if source is not None:
        require_completed(source)
    flow = create_volume_of_instance(call, ebs, source)
    flow.request()
    return flow


def _changes(mappings: Iterable[Mapping[str, Any]], flows: Mapping[str, CreateVolume]) -> Changes:
    """Return the changes of a request: that volumes are encrypted, and their keys."""
    changes: dict[str, str | None] = {}
    for number, mapping in enumerate(mappings, 1):
        flow = flows.get(mapping.get("DeviceName", ""))
        if flow is not None:
            changes.update(encryption_of(flow, f"BlockDeviceMapping.{number}.Ebs."))
    return changes


def _launch(
    call: ServiceCall,
    image: StoredImage,
    flows: Mapping[str, CreateVolume],
    instance: Mapping[str, Any],
) -> None:
    """Make the data keys of an instance's volumes, and decrypt them for the instance."""
    stored, instance_id = stored_resources(call), instance["InstanceId"]
    for mapping in instance.get("BlockDeviceMappings", ()):
        device, volume_id = mapping["DeviceName"], mapping["Ebs"]["VolumeId"]
        flow = flows.get(device) or _request_volume(call, image, device, {})
        try:
            volume = complete_volume(call, flow, volume_id)
            data_key = None if volume is None else volume.key
            key = attach_volume(call, data_key, instance_id, call.now)
        except (VolumeLostError, NotAttachedError) as reason:
            failures_of(call.backend)[volume_id] = str(reason)
            _fail(call, instance_id, "terminated", "TerminateInstances", str(reason))
            _release(call, instance_id, is_terminated=True)
            return
        if volume is not None:
            stored.attached[volume_id, instance_id] = AttachedVolume(device, key)


def _fail(call: ServiceCall, instance_id: str, state: str, operation: str, why: str) -> None:
    """Terminate or stop an instance that cannot decrypt its volumes, in the other mock as well."""
    stored_resources(call).failed_instances[instance_id] = state
    failures_of(call.backend)[instance_id] = why
    if call.store is not None:
        call.store.ask("ec2", operation, {"InstanceIds": [instance_id]}, call.region)


# --- starting and stopping ----------------------------------------------------------------------


def _read_volumes(call: ServiceCall) -> None:
    """Take the volumes of the instances that a call names from the other mock."""
    for instance_id in call.parameters.get("InstanceIds", ()):
        read_volumes_of(call, instance_id)


def _start_instances(call: ServiceCall) -> Steps:
    _read_volumes(call)
    answer = yield
    for change in answer["StartingInstances"]:
        _start(call, change["InstanceId"])


def _start(call: ServiceCall, instance_id: str) -> None:
    """Decrypt the data keys of an instance's volumes, unless it has them already."""
    stored = stored_resources(call)
    stored.failed_instances.pop(instance_id, None)
    failures_of(call.backend).pop(instance_id, None)
    for volume_id, attached in list_attached(call, instance_id).items():
        volume = stored.resources.get(volume_id)
        if attached.key is not None or volume is None:
            continue
        try:
            attached.key = attach_volume(call, volume.key, instance_id, call.now)
        except NotAttachedError as reason:
            _fail(call, instance_id, "stopped", "StopInstances", str(reason))
            _release(call, instance_id, is_terminated=False)
            return


def _stop_instances(call: ServiceCall) -> Steps:
    _read_volumes(call)
    answer = yield
    for change in answer["StoppingInstances"]:
        _release(call, change["InstanceId"], is_terminated=False)


def _terminate_instances(call: ServiceCall) -> Steps:
    _read_volumes(call)
    answer = yield
    for change in answer["TerminatingInstances"]:
        _release(call, change["InstanceId"], is_terminated=True)
        stored_resources(call).failed_instances.pop(change["InstanceId"], None)


def _release(call: ServiceCall, instance_id: str, *, is_terminated: bool) -> None:
    """Retire the grants of an instance. is_terminated: whether its volumes are detached, too."""
    for volume_id, attached in list_attached(call, instance_id).items():
        detach_volume(call, attached.key, call.now)
        attached.key = None
        if is_terminated:
            del stored_resources(call).attached[volume_id, instance_id]


def _describe_instances(call: ServiceCall) -> Steps:
    answer = yield
    failed = stored_resources(call).failed_instances
    for reservation in answer["Reservations"]:
        for instance in reservation["Instances"]:
            state = failed.get(instance["InstanceId"])
            if state is not None:
                instance.update(
                    State={"Code": _STATES[state], "Name": state},
                    StateReason=dict(KEY_REASON),
                    StateTransitionReason="",
                )


OPERATIONS = {
    "RunInstances": _run_instances,
    "StartInstances": _start_instances,
    "StopInstances": _stop_instances,
    "TerminateInstances": _terminate_instances,
    "DescribeInstances": _describe_instances,
}
