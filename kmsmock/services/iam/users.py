"""IAM users."""

from __future__ import annotations

from typing import Any

from kmsmock.identities.entities import Entity
from kmsmock.principals import PrincipalKind
from kmsmock.services.errors import DeleteConflict
from kmsmock.services.iam import views
from kmsmock.services.iam.finding import (
    USER,
    find_boundary,
    find_user,
    page,
    require_free_name,
    under_path,
)
from kmsmock.services.iam.registry import operation
from kmsmock.services.registry import ServiceCall


def _new(call: ServiceCall) -> str:
    path = call.parameters.get("Path", "/")
    return call.arn(f"user{path}{call.parameters['UserName']}")


@operation("CreateUser", _new)
def create_user(call: ServiceCall) -> dict[str, Any]:
    """Make a user, who has no permissions yet."""
    name = require_free_name(call, USER)
    parameters = call.parameters
    boundary = find_boundary(call) if "PermissionsBoundary" in parameters else None
    path = parameters.get("Path", "/")
    call.identities.user(call.account, name, path, call.partition)
    user = find_user(call)
    user.set_boundary(boundary)
    user.tags = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags", ())}
    return {"User": views.user(user)}


@operation("GetUser", USER.resource)
def get_user(call: ServiceCall) -> dict[str, Any]:
    """Show a user, or who calls."""
    return {"User": views.user(find_user(call))}


@operation("ListUsers", lambda call: call.arn("user/"))
def list_users(call: ServiceCall) -> dict[str, Any]:
    """List the users of the account."""
    users = call.identities.entities_of(call.account, call.partition, PrincipalKind.USER)
    shown = (views.user(user, brief=True) for user in under_path(call, users))
    return page(call, "ListUsers", "Users", shown)


@operation("DeleteUser", USER.resource)
def delete_user(call: ServiceCall) -> None:
    """Delete a user that nothing belongs to any more."""
    user = find_user(call)
    if any(call.identities.credentials.keys_of(user.unique_id)):
        raise DeleteConflict("Cannot delete entity, must delete access keys first.")
    require_bare(user)
    if user.groups:
        raise DeleteConflict("Cannot delete entity, must remove users from group first.")
    call.identities.delete(user.arn)


def require_bare(entity: Entity) -> None:
    """Require that no policies belong to a user or role that is to be deleted."""
    if entity.attached:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if entity.inline:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")


@operation("ListGroupsForUser", USER.resource)
def list_groups_for_user(call: ServiceCall) -> dict[str, Any]:
    """List the groups of a user."""
    shown = (views.group(group) for group in find_user(call).groups.values())
    return page(call, "ListGroupsForUser", "Groups", shown)
