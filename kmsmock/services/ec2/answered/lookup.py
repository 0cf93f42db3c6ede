"""The lookup of what a call names, and the errors for what does not exist."""

from __future__ import annotations

from typing import Any

from kmsmock.access.context import ContextKeys
from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.answered.registry import account_region, storage
from kmsmock.services.ec2.answered.storage import Image, Snapshot, Volume
from kmsmock.services.ec2.ids import is_id
from kmsmock.services.registry import ServiceCall
from kmsmock.state.failures import failures_of


def require_parameter(call: ServiceCall, member: str) -> Any:
    """Return a parameter that a call must have."""
    value = call.parameters.get(member)
    if value is None or value == "":
        raise errors.MissingParameter(f"The request must contain the parameter {member}")
    return value


def read_volume_id(text: str) -> str:
    """Require a well-formed volume id."""
    if not is_id("vol", text):
        raise errors.InvalidVolumeIDMalformed(
            f'Invalid id: "{text}" (expecting "vol-...")'
            if not text.startswith("vol-")
            else f'Invalid id: "{text}"'
        )
    return text


def read_snapshot_id(text: str) -> str:
    """Require a well-formed snapshot id."""
    if not is_id("snap", text):
        raise errors.InvalidSnapshotIDMalformed(
            f"Value ( {text} ) for parameter SNAPSHOT is invalid. "
        )
    return text


def read_image_id(text: str) -> str:
    """Require a well-formed image id."""
    if not is_id("ami", text):
        raise errors.InvalidAMIIDMalformed(f'Invalid id: "{text}" (expecting "ami-...")')
    return text


def read_instance_id(text: str) -> str:
    """Require a well-formed instance id; every such instance exists."""
    if not is_id("i", text):
        raise errors.InvalidInstanceIDMalformed(f'Invalid id: "{text}"')
    return text


def find_volume(call: ServiceCall, name: str) -> Volume:
    """Find a volume of the account."""
    volume = account_region(call).volumes.get(name)
    if volume is None:
        raise volume_not_found_error(call, name)
    return volume


def volume_not_found_error(call: ServiceCall, name: str) -> errors.InvalidVolumeNotFound:
    """Return the error for an unknown volume, with a note why the volume may have vanished."""
    why = failures_of(call.backend).get(name)
    return errors.InvalidVolumeNotFound(f"The volume '{name}' does not exist.", explanation=why)


def snapshot_not_found_error(
    call: ServiceCall, name: str, message: str | None = None
) -> errors.InvalidSnapshotNotFound:
    """Return the error for an unknown snapshot, with a note where the snapshot is.

    message: for operations with another text than the usual one.
    """
    return errors.InvalidSnapshotNotFound(
        message or f"The snapshot '{name}' does not exist.",
        explanation=explain_not_found(call, name, call.region),
    )


def explain_not_found(call: ServiceCall, name: str, region: str) -> str:
    """Explain, for a note, why a call does not find a snapshot in a Region."""
    everything = storage(call)
    for (owner, region_name), stored in everything.account_regions.items():
        if name not in stored.snapshots:
            continue
        if region_name != region:
            return f"{name} is in {region_name} of account {owner}, not in {region}."
        if everything.is_usable_by(stored.snapshots[name], call.account):
            return (
                f"Account {owner} shares {name} with account {call.account}, but only its owner "
                "may do this."
            )
        return (
            f"{name} belongs to account {owner}, which has not shared it with account "
            f"{call.account} (ModifySnapshotAttribute)."
        )
    return f"No account of this mock has {name}: it was never created, or has been deleted."


def image_not_found_error(name: str) -> errors.InvalidAMIIDNotFound:
    """Return the error for an unknown image."""
    return errors.InvalidAMIIDNotFound(f"The image id '[{name}]' does not exist")


def resource_context(call: ServiceCall, resource: Volume | Snapshot | Image | None) -> ContextKeys:
    """Return the condition keys that describe a resource; none for one that does not exist.

    Source: Service Authorization Reference, "Condition keys for Amazon EC2".
    """
    if resource is None:
        return {}
    keys: ContextKeys = {"ec2:Owner": resource.owner}
    for name, value in account_region(call).tags.get(resource.id, {}).items():
        keys[f"aws:ResourceTag/{name}"] = keys[f"ec2:ResourceTag/{name}"] = value
    if isinstance(resource, Volume):
        keys["ec2:VolumeType"], keys["ec2:VolumeSize"] = resource.type, str(resource.size)
    if isinstance(resource, Snapshot):
        keys["ec2:VolumeSize"] = str(resource.volume_size)
    if not isinstance(resource, Image):
        keys["ec2:Encrypted"] = "true" if resource.is_encrypted else "false"
    return keys
