"""CreateTags, DeleteTags and DescribeTags, on volumes, snapshots and images.

Each account has tags of its own on what others share with it; the owner does not see them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.answered.lists import FilterTable, apply_filters, paginate_response
from kmsmock.services.ec2.answered.lookup import (
    image_not_found_error,
    require_parameter,
    resource_context,
    snapshot_not_found_error,
    volume_not_found_error,
)
from kmsmock.services.ec2.answered.registry import (
    account_region,
    arn,
    operation,
    require_permission,
    storage,
)
from kmsmock.services.ec2.answered.storage import Image, Snapshot, Volume
from kmsmock.services.ec2.answered.tagging import (
    read_tags_to_add,
    requested_tags_context,
    require_few,
)
from kmsmock.services.ec2.ids import is_id
from kmsmock.services.registry import ServiceCall

#: Prefix of an id -> the type of resource, as in ARNs and answers.
_KINDS = {"vol": "volume", "snap": "snapshot", "ami": "image"}
#: id of the resource, key, value.
_Tag = tuple[str, str, str]


@operation("CreateTags")
def create_tags(call: ServiceCall) -> None:
    """Add tags to resources, or replace the values of existing tag keys."""
    tags = read_tags_to_add(call)
    names = _require_resources(call, "CreateTags", list(tags), requested_tags_context(tags))
    all_tags = account_region(call).tags
    merged = {name: require_few({**all_tags.get(name, {}), **tags}) for name in names}
    all_tags.update(merged)


@operation("DeleteTags")
def delete_tags(call: ServiceCall) -> None:
    """Delete tags of resources: by key, by key and value, or all of them."""
    requested = call.parameters.get("Tags")
    keys = [tag.get("Key", "") for tag in requested or ()]
    names = _require_resources(call, "DeleteTags", keys, {})
    all_tags = account_region(call).tags
    for name in names:
        tags = all_tags.get(name, {})
        removed = [
            tag["Key"]
            for tag in requested or ()
            if tag.get("Value") in (None, tags.get(tag.get("Key", "")))
        ]
        remaining = (
            {k: v for k, v in tags.items() if k not in removed} if requested is not None else {}
        )
        all_tags[name] = remaining
        if not remaining:
            del all_tags[name]


def _require_resources(
    call: ServiceCall, action: str, keys: list[str], context: dict[str, Any]
) -> list[str]:
    """Return the ids that a call names.

    Each must exist, and the caller must be allowed to tag it.
    """
    names: list[str] = require_parameter(call, "Resources")
    requested_tags = {"aws:TagKeys": keys} if keys else {}
    resources = [_get_resource(call, name) for name in names]
    for name, resource in zip(names, resources, strict=True):
        kind = _KINDS[name.partition("-")[0]]
        keys_of_resource = {**resource_context(call, resource), **requested_tags, **context}
        require_permission(
            call, action, arn(call, f"{kind}/{name}"), context=keys_of_resource, dry_run_ends=False
        )
    require_permission(call, action)
    for name, resource in zip(names, resources, strict=True):
        if resource is None:
            raise _not_found(call, name)
    return names


def _get_resource(call: ServiceCall, name: str) -> Volume | Snapshot | Image | None:
    prefix = name.partition("-")[0]
    if prefix not in _KINDS or not is_id(prefix, name):
        raise errors.InvalidID(
            f"The ID '{name}' is not valid",
            explanation="Only volumes, snapshots and images can be tagged.",
        )
    stored = storage(call)
    if prefix == "vol":
        return account_region(call).volumes.get(name)
    if prefix == "snap":
        return stored.snapshot_for(call.account, call.region, name)
    return stored.image_for(call.account, call.region, name)


def _not_found(call: ServiceCall, name: str) -> errors.Ec2Error:
    if name.startswith("vol"):
        return volume_not_found_error(call, name)
    return (
        snapshot_not_found_error(call, name)
        if name.startswith("snap")
        else image_not_found_error(name)
    )


_FILTERS: FilterTable[_Tag] = {
    "key": lambda tag: [tag[1]],
    "resource-id": lambda tag: [tag[0]],
    "resource-type": lambda tag: [_kind(tag)],
    "value": lambda tag: [tag[2]],
}


def _kind(tag: _Tag) -> str:
    return _KINDS[tag[0].partition("-")[0]]


@operation("DescribeTags")
def describe_tags(call: ServiceCall) -> dict[str, Any]:
    """Describe the tags that the account has added to its resources."""
    require_permission(call, "DescribeTags", "*")
    resources = apply_filters(call, _list_tags(call), _FILTERS, lambda tag: tag[0])
    return paginate_response(call, "DescribeTags", "Tags", resources, _show_tag)


def _list_tags(call: ServiceCall) -> Iterator[_Tag]:
    for name, tags in account_region(call).tags.items():
        for key, value in tags.items():
            yield name, key, value


def _show_tag(tag: _Tag) -> dict[str, str]:
    name, key, value = tag
    return {"ResourceId": name, "ResourceType": _kind(tag), "Key": key, "Value": value}
