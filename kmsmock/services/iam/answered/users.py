"""IAM users."""

from __future__ import annotations

from typing import Any

from kmsmock.aws.principals import PrincipalKind
from kmsmock.services.errors import DeleteConflict
from kmsmock.services.iam.answered.descriptions import describe_group, describe_user
from kmsmock.services.iam.answered.entities import (
    create_entity,
    list_entities,
    new_arn,
    require_no_policies,
)
from kmsmock.services.iam.answered.lookup import USER, find_user, paginate_response
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall


@operation("CreateUser", new_arn(USER))
def create_user(call: ServiceCall) -> dict[str, Any]:
    """Create a user without permissions."""
    return {"User": describe_user(create_entity(call, USER, PrincipalKind.USER))}


@operation("GetUser", USER.resource)
def get_user(call: ServiceCall) -> dict[str, Any]:
    """Describe a user, or the calling user when no name is given."""
    return {"User": describe_user(find_user(call))}


@operation("ListUsers", lambda call: call.iam_arn("user/"))
def list_users(call: ServiceCall) -> dict[str, Any]:
    """List the users of the account."""
    return list_entities(call, USER, PrincipalKind.USER, describe_user)


@operation("DeleteUser", USER.resource)
def delete_user(call: ServiceCall) -> None:
    """Delete a user without access keys, policies and groups."""
    user = find_user(call)
    if any(call.identities.credentials.keys_of(user.unique_id)):
        raise DeleteConflict("Cannot delete entity, must delete access keys first.")
    require_no_policies(user)
    if user.groups:
        raise DeleteConflict("Cannot delete entity, must remove users from group first.")
    call.identities.delete(user.arn)


@operation("ListGroupsForUser", USER.resource)
def list_groups_for_user(call: ServiceCall) -> dict[str, Any]:
    """List the groups of a user."""
    groups = map(describe_group, find_user(call).groups.values())
    return paginate_response(call, "ListGroupsForUser", "Groups", groups)
