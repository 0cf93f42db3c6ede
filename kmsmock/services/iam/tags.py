"""Tags of users, roles and managed policies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kmsmock.identities.entities import Entity, ManagedPolicy
from kmsmock.services.errors import InvalidInput, LimitExceeded
from kmsmock.services.iam import views
from kmsmock.services.iam.finding import ROLE, USER, find_managed, find_role, find_user, page
from kmsmock.services.iam.registry import operation
from kmsmock.services.registry import ServiceCall

Tagged = Callable[[ServiceCall], "Entity | ManagedPolicy"]

_MOST = 50


def _register(word: str, find: Tagged, resource: Callable[[ServiceCall], str]) -> None:
    @operation(f"Tag{word}", resource)
    def tag(call: ServiceCall) -> None:
        tagged = find(call)
        names = [given["Key"] for given in call.parameters["Tags"]]
        if len({name.lower() for name in names}) < len(names):
            raise InvalidInput(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive."
            )
        pairs = {**tagged.tags, **{t["Key"]: t["Value"] for t in call.parameters["Tags"]}}
        if len(pairs) > _MOST:
            raise LimitExceeded(f"Cannot exceed quota for TagsPer{word}: {_MOST}")
        tagged.tags = pairs

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
