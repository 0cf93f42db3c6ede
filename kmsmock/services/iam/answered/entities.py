"""What users and roles have in common: how they are made, listed and deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.entities import Entity
from kmsmock.services.errors import DeleteConflict
from kmsmock.services.iam.answered.finding import (
    Kind,
    find_boundary,
    page,
    require_free_name,
    under_path,
    with_new_tags,
)
from kmsmock.services.registry import ServiceCall

Show = Callable[..., "dict[str, Any]"]


def new_arn(kind: Kind) -> Callable[[ServiceCall], str]:
    """Make what gives the ARN of an identity that a call is to make."""

    def resource(call: ServiceCall) -> str:
        path = call.parameters.get("Path", "/")
        return call.iam_arn(f"{kind.word.lower()}{path}{call.parameters[kind.member]}")

    return resource


def make_entity(call: ServiceCall, kind: Kind, principal_kind: PrincipalKind) -> Entity:
    """Make a user or role with its path, boundary and tags, and without permissions."""
    parameters = call.parameters
    name = require_free_name(call, kind)
    boundary = find_boundary(call) if "PermissionsBoundary" in parameters else None
    path = parameters.get("Path", "/")
    tags = with_new_tags(call, kind.word, {})
    entity = call.identities.get_or_create_entity(
        principal_kind, call.account, name, path, call.partition
    )
    entity.set_boundary(boundary)
    entity.tags = tags
    return entity


def list_entities(
    call: ServiceCall, kind: Kind, principal_kind: PrincipalKind, show: Show
) -> dict[str, Any]:
    """List the users or roles of the account, one page of them."""
    entities = call.identities.entities_of(call.account, call.partition, principal_kind)
    shown = (show(entity, brief=True) for entity in under_path(call, entities))
    return page(call, f"List{kind.word}s", f"{kind.word}s", shown)


def require_bare(entity: Entity) -> None:
    """Require that no policies belong to a user or role that is to be deleted."""
    if entity.attached:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")
    if entity.inline:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
