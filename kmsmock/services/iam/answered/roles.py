"""IAM roles and their trust policies."""

from __future__ import annotations

from typing import Any

from kmsmock.aws.principals import PrincipalKind
from kmsmock.services.iam.answered import views
from kmsmock.services.iam.answered.documents import read_trust
from kmsmock.services.iam.answered.entities import list_entities, make_entity, new_arn, require_bare
from kmsmock.services.iam.answered.finding import ROLE, find_role
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall


@operation("CreateRole", new_arn(ROLE))
def create_role(call: ServiceCall) -> dict[str, Any]:
    """Make a role, which its trust policy lets others assume."""
    parameters = call.parameters
    trust = read_trust(call, parameters["AssumeRolePolicyDocument"])
    role = make_entity(call, ROLE, PrincipalKind.ASSUMED_ROLE)
    call.identities.set_trust(role, trust)
    role.description = parameters.get("Description", "")
    role.longest_session = parameters.get("MaxSessionDuration", role.longest_session)
    return {"Role": views.role(role)}


@operation("GetRole", ROLE.resource)
def get_role(call: ServiceCall) -> dict[str, Any]:
    """Show a role."""
    return {"Role": views.role(find_role(call))}


@operation("ListRoles", lambda call: call.iam_arn("role/"))
def list_roles(call: ServiceCall) -> dict[str, Any]:
    """List the roles of the account."""
    return list_entities(call, ROLE, PrincipalKind.ASSUMED_ROLE, views.role)


@operation("UpdateRole", ROLE.resource)
def update_role(call: ServiceCall) -> None:
    """Change the description of a role, or how long its sessions may last."""
    role = find_role(call)
    role.description = call.parameters.get("Description", role.description)
    role.longest_session = call.parameters.get("MaxSessionDuration", role.longest_session)


@operation("UpdateRoleDescription", ROLE.resource)
def update_role_description(call: ServiceCall) -> dict[str, Any]:
    """Change the description of a role."""
    role = find_role(call)
    role.description = call.parameters["Description"]
    return {"Role": views.role(role)}


@operation("UpdateAssumeRolePolicy", ROLE.resource)
def update_assume_role_policy(call: ServiceCall) -> None:
    """Replace the trust policy of a role."""
    role = find_role(call)
    call.identities.set_trust(role, read_trust(call, call.parameters["PolicyDocument"]))


@operation("DeleteRole", ROLE.resource)
def delete_role(call: ServiceCall) -> None:
    """Delete a role that no policies belong to any more."""
    role = find_role(call)
    require_bare(role)
    call.identities.delete(role.arn)
