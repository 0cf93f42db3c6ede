"""Requests that change who may use a snapshot or an image, in the two forms that EC2 accepts.

Source: Amazon EC2 API Reference, ModifySnapshotAttribute, ModifyImageAttribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kmsmock.aws.arns import is_account_id
from kmsmock.services.ec2.errors import (
    InvalidAMIAttributeItemValue,
    InvalidParameterCombination,
    InvalidParameterValue,
)
from kmsmock.services.registry import ServiceCall

#: The attributes that say who may use a snapshot, and who may launch an image.
SNAPSHOT_PERMISSION, IMAGE_PERMISSION = "createVolumePermission", "launchPermission"
_MOST_CHANGES = 500
_EVERYBODY = "all"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of sharing."""

    #: Whether permissions are added; otherwise they are removed.
    adds: bool
    accounts: tuple[str, ...]
    #: Whether the change is about the group ``all``.
    everybody: bool


def read_snapshot_change(call: ServiceCall) -> Change:
    """Read with whom a call shares a snapshot, or stops sharing it."""
    if call.parameters.get("Attribute", SNAPSHOT_PERMISSION) != SNAPSHOT_PERMISSION:
        raise InvalidParameterValue(
            "Unrecognized attribute.",
            explanation=f"Of a snapshot's attributes only {SNAPSHOT_PERMISSION} can be changed.",
        )
    return _read_change(call, "CreateVolumePermission", SNAPSHOT_PERMISSION, "GroupNames")


def read_new_description(call: ServiceCall) -> str | None:
    """Read the new description of an image; return None when a call changes something else."""
    parameters = call.parameters
    description: str | None = None
    if "Description" in parameters:
        description = parameters["Description"].get("Value", "")
    elif parameters.get("Attribute") == "description":
        description = parameters.get("Value", "")
    return description


def read_image_change(call: ServiceCall) -> Change:
    """Read with whom a call shares an image, or stops sharing it."""
    if call.parameters.get("Attribute", IMAGE_PERMISSION) != IMAGE_PERMISSION:
        raise InvalidParameterValue(
            "Unrecognized attribute.", explanation="Supported: launchPermission, description."
        )
    return _read_change(call, "LaunchPermission", IMAGE_PERMISSION, "UserGroups")


def _read_change(call: ServiceCall, member: str, attribute: str, groups_member: str) -> Change:
    """Read what a call is to change.

    member: the parameter that holds Add and Remove. attribute, groups_member: the name of the
    attribute, and the parameter for groups, in the older form.
    """
    parameters = call.parameters
    if member in parameters:
        return _read_new_form(parameters[member], attribute)
    if "Attribute" not in parameters:
        raise InvalidParameterCombination("No attributes specified.")
    return _read_old_form(parameters, attribute, groups_member)


def _read_new_form(permission: Mapping[str, Any], attribute: str) -> Change:
    add, remove = permission.get("Add", []), permission.get("Remove", [])
    if bool(add) is bool(remove):
        raise InvalidParameterCombination(
            f"One and only one operation type may be specified for {attribute}s"
            if add
            else "No attributes specified."
        )
    entries = add or remove
    _require_few(len(entries))
    accounts = [entry["UserId"] for entry in entries if "UserId" in entry]
    for account in accounts:
        if not is_account_id(account):
            raise InvalidAMIAttributeItemValue(f"UserId {account}")
    return _new_change(bool(add), accounts, [e["Group"] for e in entries if "Group" in e])


def _read_old_form(parameters: Mapping[str, Any], attribute: str, groups_member: str) -> Change:
    operation_type = parameters.get("OperationType")
    if operation_type not in ("add", "remove"):
        raise InvalidParameterCombination(f"No operation specified for {attribute} attribute.")
    accounts, groups = parameters.get("UserIds", []), parameters.get(groups_member, [])
    _require_few(len(accounts) + len(groups))
    for account in accounts:
        if not is_account_id(account):
            raise InvalidAMIAttributeItemValue(f"UserId ({account}) is invalid.")
    return _new_change(operation_type == "add", accounts, groups)


def _new_change(adds: bool, accounts: list[str], groups: list[str]) -> Change:  # noqa: FBT001
    for group in groups:
        if group != _EVERYBODY:
            raise InvalidAMIAttributeItemValue(f"UserGroup {group}")
    return Change(adds, tuple(accounts), bool(groups))


def _require_few(count: int) -> None:
    if count > _MOST_CHANGES:
        raise InvalidParameterValue(f"Modification size must not be greater than {_MOST_CHANGES}.")
