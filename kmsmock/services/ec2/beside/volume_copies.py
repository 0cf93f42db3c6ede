"""CopyVolumes, which the other mock may not have: then it creates a volume like the source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.aws.coded_error import CodedError
from kmsmock.services.beside import Steps
from kmsmock.services.ec2.answered.lookup import volume_not_found_error
from kmsmock.services.ec2.beside.settings import read_setting
from kmsmock.services.ec2.beside.stored_resources import require_volume, show_key
from kmsmock.services.ec2.beside.unrecorded import read_volume
from kmsmock.services.ec2.beside.volumes import complete_volume
from kmsmock.services.ec2.errors import DryRunOperation
from kmsmock.services.ec2.kms_use.volumes import CopyVolume, VolumeLostError
from kmsmock.services.members import as_plain
from kmsmock.services.registry import ServiceCall
from kmsmock.state.failures import failures_of

_OF_SOURCE = ("AvailabilityZone", "Size")
_OF_REQUEST = (
    *("Iops", "Size", "VolumeType", "MultiAttachEnabled", "Throughput", "TagSpecifications"),
    "ClientToken",
)


def _copy_volumes(call: ServiceCall) -> Steps:
    source_id = call.parameters["SourceVolumeId"]
    require_volume(call, source_id)
    if call.parameters.get("DryRun"):
        raise DryRunOperation("Request would have succeeded, but DryRun flag is set.")
    read_setting(call)
    flow = CopyVolume(call, read_volume(call, "SourceVolumeId"))
    flow.request()
    made = _copy(call, source_id, flow)
    if made is None:
        # Whoever does not know the operation, or cannot be asked, refuses it in its own words.
        answer = yield
        (made,) = answer["Volumes"]
    made["SourceVolumeId"] = source_id
    try:
        complete_volume(call, flow, made["VolumeId"])
    except VolumeLostError as reason:
        failures_of(call.backend)[made["VolumeId"]] = str(reason)
    if flow.is_encrypted:
        show_key(made, flow.known_key)
    return {"Volumes": [as_plain(made)]}


def _copy(call: ServiceCall, source_id: str, flow: CopyVolume) -> dict[str, Any] | None:
    """Create the copy in the other mock; return None if it cannot be asked."""
    source = _ask(call, "DescribeVolumes", {"VolumeIds": [source_id]})
    if source is None:
        return None
    if isinstance(source, str):
        raise volume_not_found_error(call, source_id)
    (volume,) = source["Volumes"]
    request = {name: volume[name] for name in _OF_SOURCE}
    request |= {name: call.parameters[name] for name in _OF_REQUEST if name in call.parameters}
    if flow.target is not None:
        request |= {"Encrypted": True, "KmsKeyId": flow.target}
    made = _ask(call, "CreateVolume", request)
    if isinstance(made, str):
        raise CodedError(
            made,
            f"The volume {source_id} cannot be copied with these parameters.",
            explanation="The mock that stores volumes refuses to create the copy.",
        )
    if made is None:
        return None
    return {name: value for name, value in made.items() if name != "ResponseMetadata"}


def _ask(
    call: ServiceCall, operation: str, parameters: Mapping[str, Any]
) -> Mapping[str, Any] | str | None:
    if call.store is None:
        return None
    answer: Mapping[str, Any] | str | None = call.store.ask(
        "ec2", operation, parameters, call.region
    )
    return answer


OPERATIONS = {"CopyVolumes": _copy_volumes}
