"""Tags of users, roles and managed policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.identities.entities import Entity, ManagedPolicy
from kmsmock.services.iam.answered import views
from kmsmock.services.iam.answered.finding import (
    ROLE,
    USER,
    find_managed,
    find_role,
    find_user,
    page,
    with_new_tags,
)
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall

Tagged = Callable[[ServiceCall], "Entity | ManagedPolicy"]


def _register(word: str, find: Tagged, resource: Callable[[ServiceCall], str]) -> None:
    @operation(f"Tag{word}", resource)
    def tag(call: ServiceCall) -> None:
        tagged = find(call)
        tagged.tags = with_new_tags(call, word, tagged.tags)

    @operation(f"Untag{word}", resource)
    def untag(call: ServiceCall) -> None:
        tagged = find(call)
        gone = set(call.parameters["TagKeys"])
        tagged.tags = {name: value for name, value in tagged.tags.items() if name not in gone}

    @operation(f"List{word}Tags", resource)
    def list_tags(call: ServiceCall) -> dict[str, Any]:
        return page(call, f"List{word}Tags", "Tags", views.tags(find(call).tags))


def _policy(call: ServiceCall) -> str:
    arn: str = call.parameters["PolicyArn"]
    return arn


_register("User", find_user, USER.resource)
_register("Role", find_role, ROLE.resource)
_register("Policy", find_managed, _policy)
