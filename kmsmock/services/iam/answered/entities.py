"""What the operations on users and on roles share: creating, listing and deleting them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.entities import Entity
from kmsmock.services.errors import DeleteConflict
from kmsmock.services.iam.answered.lookup import (
    Kind,
    add_tags,
    filter_by_path,
    find_boundary,
    paginate_response,
    require_free_name,
)
from kmsmock.services.registry import ServiceCall

Describe = Callable[..., "dict[str, Any]"]


def new_arn(kind: Kind) -> Callable[[ServiceCall], str]:
    """Return a function that returns the ARN of the identity that a call creates."""

    def resource(call: ServiceCall) -> str:
        path = call.parameters.get("Path", "/")
        return call.iam_arn(f"{kind.word.lower()}{path}{call.parameters[kind.member]}")

    return resource


def create_entity(call: ServiceCall, kind: Kind, principal_kind: PrincipalKind) -> Entity:
    """Create a user or role with path, boundary and tags, and without permissions."""
    parameters = call.parameters
    name = require_free_name(call, kind)
    boundary = find_boundary(call) if "PermissionsBoundary" in parameters else None
    path = parameters.get("Path", "/")
    tags = add_tags(call, kind.word, {})
    entity = call.identities.get_or_create_entity(
        principal_kind, call.account, name, path, call.partition
    )
    entity.set_boundary(boundary)
    entity.tags = tags
    return entity


def list_entities(
    call: ServiceCall, kind: Kind, principal_kind: PrincipalKind, describe: Describe
) -> dict[str, Any]:
    """Return a page of the users or roles of the account."""
    entities = call.identities.entities_of(call.account, call.partition, principal_kind)
    listed = (describe(entity, brief=True) for entity in filter_by_path(call, entities))
    return paginate_response(call, f"List{kind.word}s", f"{kind.word}s", listed)


def require_no_policies(entity: Entity) -> None:
    """Require that a user or role that is to be deleted has no policies. Raises DeleteConflict."""
    if entity.attached:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if entity.inline:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
