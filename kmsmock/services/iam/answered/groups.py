"""IAM groups and their members."""

from __future__ import annotations

from typing import Any

from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.entities import Entity, Group
from kmsmock.identities.iam_names import GROUPS_PER_USER
from kmsmock.services.errors import DeleteConflict, LimitExceeded
from kmsmock.services.iam.answered.descriptions import describe_group, describe_user
from kmsmock.services.iam.answered.entities import new_arn
from kmsmock.services.iam.answered.lookup import (
    GROUP,
    filter_by_path,
    find_group,
    find_user,
    paginate_response,
    require_free_name,
)
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall


@operation("CreateGroup", new_arn(GROUP))
def create_group(call: ServiceCall) -> dict[str, Any]:
    """Create a group without members."""
    name = require_free_name(call, GROUP)
    group = Group(
        new_arn(GROUP)(call),
        name,
        call.parameters.get("Path", "/"),
        call.identities.credentials.new_id("AGPA"),
        call.now,
    )
    call.identities.add_group(group)
    return {"Group": describe_group(group)}


@operation("GetGroup", GROUP.resource)
def get_group(call: ServiceCall) -> dict[str, Any]:
    """Describe a group and its members."""
    group = find_group(call)
    users = (describe_user(user, brief=True) for user in _members(call, group))
    return {"Group": describe_group(group), **paginate_response(call, "GetGroup", "Users", users)}


@operation("ListGroups", lambda call: call.iam_arn("group/"))
def list_groups(call: ServiceCall) -> dict[str, Any]:
    """List the groups of the account."""
    groups = call.identities.groups_of(call.account, call.partition)
    listed = map(describe_group, filter_by_path(call, groups))
    return paginate_response(call, "ListGroups", "Groups", listed)


@operation("DeleteGroup", GROUP.resource)
def delete_group(call: ServiceCall) -> None:
    """Delete a group without members and policies."""
    group = find_group(call)
    if _members(call, group):
        raise DeleteConflict("Cannot delete entity, must remove users from group first.")
    if group.attached:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if group.inline:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    call.identities.remove_group(group)


@operation("AddUserToGroup", GROUP.resource)
def add_user_to_group(call: ServiceCall) -> None:
    """Add a user to a group."""
    group, user = find_group(call), find_user(call)
    if group.arn not in user.groups and len(user.groups) == GROUPS_PER_USER.most:
        raise LimitExceeded(f"Cannot exceed quota for GroupsPerUser: {GROUPS_PER_USER.most}")
    user.groups[group.arn] = group
    call.identities.update_policies(user)


@operation("RemoveUserFromGroup", GROUP.resource)
def remove_user_from_group(call: ServiceCall) -> None:
    """Remove a user from a group."""
    group, user = find_group(call), find_user(call)
    user.groups.pop(group.arn, None)
    call.identities.update_policies(user)


def _members(call: ServiceCall, group: Group) -> list[Entity]:
    users = call.identities.entities_of(call.account, call.partition, PrincipalKind.USER)
    return [user for user in users if group.arn in user.groups]
