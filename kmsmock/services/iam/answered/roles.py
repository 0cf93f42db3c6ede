"""IAM roles and their trust policies."""

from __future__ import annotations

from typing import Any

from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.entities import Entity
from kmsmock.identities.service_linked_roles import is_service_linked
from kmsmock.services.errors import UnmodifiableEntity
from kmsmock.services.iam.answered.descriptions import describe_role
from kmsmock.services.iam.answered.documents import read_trust_policy
from kmsmock.services.iam.answered.entities import (
    create_entity,
    list_entities,
    new_arn,
    require_no_policies,
)
from kmsmock.services.iam.answered.lookup import ROLE, find_role
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall


@operation("CreateRole", new_arn(ROLE))
def create_role(call: ServiceCall) -> dict[str, Any]:
    """Create a role, with the trust policy that says who may assume it."""
    parameters = call.parameters
    trust = read_trust_policy(call, parameters["AssumeRolePolicyDocument"])
    role = create_entity(call, ROLE, PrincipalKind.ASSUMED_ROLE)
    call.identities.set_trust(role, trust)
    role.description = parameters.get("Description", "")
    role.longest_session = parameters.get("MaxSessionDuration", role.longest_session)
    return {"Role": describe_role(role)}


@operation("GetRole", ROLE.resource)
def get_role(call: ServiceCall) -> dict[str, Any]:
    """Describe a role."""
    return {"Role": describe_role(find_role(call))}


@operation("ListRoles", lambda call: call.iam_arn("role/"))
def list_roles(call: ServiceCall) -> dict[str, Any]:
    """List the roles of the account."""
    return list_entities(call, ROLE, PrincipalKind.ASSUMED_ROLE, describe_role)


@operation("UpdateRole", ROLE.resource)
def update_role(call: ServiceCall) -> None:
    """Change the description or the maximum session duration of a role."""
    role = find_role(call)
    role.description = call.parameters.get("Description", role.description)
    role.longest_session = call.parameters.get("MaxSessionDuration", role.longest_session)


@operation("UpdateRoleDescription", ROLE.resource)
def update_role_description(call: ServiceCall) -> dict[str, Any]:
    """Change the description of a role."""
    role = find_role(call)
    role.description = call.parameters["Description"]
    return {"Role": describe_role(role)}


@operation("UpdateAssumeRolePolicy", ROLE.resource)
def update_assume_role_policy(call: ServiceCall) -> None:
    """Replace the trust policy of a role."""
    role = _find_modifiable_role(call)
    call.identities.set_trust(role, read_trust_policy(call, call.parameters["PolicyDocument"]))


@operation("DeleteRole", ROLE.resource)
def delete_role(call: ServiceCall) -> None:
    """Delete a role without policies."""
    role = _find_modifiable_role(call)
    require_no_policies(role)
    call.identities.delete(role.arn)


def _find_modifiable_role(call: ServiceCall) -> Entity:
    """Find the role that a call names, which must not be linked to a service.

    Source: IAM User Guide, "Edit a service-linked role" and "Delete a service-linked role".
    """
    role = find_role(call)
    if is_service_linked(role.path):
        raise UnmodifiableEntity(
            f"Cannot perform the operation on the protected role '{role.name}' - this role is only "
            "modifiable by AWS"
        )
    return role
