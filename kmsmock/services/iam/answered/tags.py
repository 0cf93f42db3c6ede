"""Tags of users, roles and managed policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.identities.entities import Entity, ManagedPolicy
from kmsmock.services.iam.answered.descriptions import describe_tags
from kmsmock.services.iam.answered.lookup import (
    ROLE,
    USER,
    add_tags,
    find_managed_policy,
    find_role,
    find_user,
    paginate_response,
)
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall

FindTagged = Callable[[ServiceCall], "Entity | ManagedPolicy"]


def _register(word: str, find: FindTagged, resource: Callable[[ServiceCall], str]) -> None:
    """Register the three operations on the tags of a kind of entity.

    word: the kind in operation names. find: finds the entity that a call names. resource: returns
    its ARN for the authorization.
    """

    @operation(f"Tag{word}", resource)
    def tag(call: ServiceCall) -> None:
        tagged = find(call)
        tagged.tags = add_tags(call, word, tagged.tags)

    @operation(f"Untag{word}", resource)
    def untag(call: ServiceCall) -> None:
        tagged = find(call)
        removed = set(call.parameters["TagKeys"])
        tagged.tags = {key: value for key, value in tagged.tags.items() if key not in removed}

    @operation(f"List{word}Tags", resource)
    def list_tags(call: ServiceCall) -> dict[str, Any]:
        return paginate_response(call, f"List{word}Tags", "Tags", describe_tags(find(call).tags))


def _policy_arn(call: ServiceCall) -> str:
    arn: str = call.parameters["PolicyArn"]
    return arn


_register("User", find_user, USER.resource)
_register("Role", find_role, ROLE.resource)
_register("Policy", find_managed_policy, _policy_arn)
