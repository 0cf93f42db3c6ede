"""IAM users."""

from __future__ import annotations

from typing import Any

from kmsmock.aws.principals import PrincipalKind
from kmsmock.services.errors import DeleteConflict
from kmsmock.services.iam.answered import views
from kmsmock.services.iam.answered.entities import list_entities, make_entity, new_arn, require_bare
from kmsmock.services.iam.answered.finding import USER, find_user, page
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall


@operation("CreateUser", new_arn(USER))
def create_user(call: ServiceCall) -> dict[str, Any]:
    """Make a user, who has no permissions yet."""
    return {"User": views.user(make_entity(call, USER, PrincipalKind.USER))}


@operation("GetUser", USER.resource)
def get_user(call: ServiceCall) -> dict[str, Any]:
    """Show a user, or who calls."""
    return {"User": views.user(find_user(call))}


@operation("ListUsers", lambda call: call.iam_arn("user/"))
def list_users(call: ServiceCall) -> dict[str, Any]:
    """List the users of the account."""
    return list_entities(call, USER, PrincipalKind.USER, views.user)


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


@operation("ListGroupsForUser", USER.resource)
def list_groups_for_user(call: ServiceCall) -> dict[str, Any]:
    """List the groups of a user."""
    shown = (views.group(group) for group in find_user(call).groups.values())
    return page(call, "ListGroupsForUser", "Groups", shown)
