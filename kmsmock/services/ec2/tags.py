"""CreateTags, DeleteTags and DescribeTags, on volumes, snapshots and images.

Each account has tags of its own on what others share with it; the owner does not see them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.finding import facts, is_id, no_image, no_snapshot, no_volume, required
from kmsmock.services.ec2.lists import FilterTable, filtered, page
from kmsmock.services.ec2.registry import arn, operation, permit, place, storage
from kmsmock.services.ec2.storage import Image, Snapshot, Volume
from kmsmock.services.ec2.tagging import read_tags, request_tags, require_few
from kmsmock.services.registry import ServiceCall

#: Prefix of an id -> the type of resource, as in ARNs and answers.
_KINDS = {"vol": "volume", "snap": "snapshot", "ami": "image"}
#: id of the resource, key, value.
_Tag = tuple[str, str, str]


@operation("CreateTags")
def create_tags(call: ServiceCall) -> None:
    """Put tags on resources, in place of those with the same keys."""
    tags = read_tags(required(call, "Tags"))
    names = _resources(call, "CreateTags", list(tags), request_tags(tags))
    held = place(call).tags
    merged = {name: require_few({**held.get(name, {}), **tags}) for name in names}
    held.update(merged)


@operation("DeleteTags")
def delete_tags(call: ServiceCall) -> None:
    """Take tags from resources: those with a key, or with just that value, or all."""
    given = call.parameters.get("Tags")
    keys = [tag.get("Key", "") for tag in given or ()]
    names = _resources(call, "DeleteTags", keys, {})
    held = place(call).tags
    for name in names:
        tags = held.get(name, {})
        gone = [
            tag["Key"]
            for tag in given or ()
            if tag.get("Value") in (None, tags.get(tag.get("Key", "")))
        ]
        left = {k: v for k, v in tags.items() if k not in gone} if given is not None else {}
        held[name] = left
        if not left:
            del held[name]


def _resources(
    call: ServiceCall, action: str, keys: list[str], context: dict[str, Any]
) -> list[str]:
    """Give the ids that a call names, each of which must be there and may be tagged."""
    names: list[str] = required(call, "Resources")
    asked = {"aws:TagKeys": keys} if keys else {}
    found = [_find(call, name) for name in names]
    for name, resource in zip(names, found, strict=True):
        kind = _KINDS[name.partition("-")[0]]
        known = {**facts(call, resource), **asked, **context}
        permit(call, action, arn(call, f"{kind}/{name}"), context=known, dry_run_ends=False)
    permit(call, action)
    for name, resource in zip(names, found, strict=True):
        if resource is None:
            raise _nothing(call, name)
    return names


def _find(call: ServiceCall, name: str) -> Volume | Snapshot | Image | None:
    prefix = name.partition("-")[0]
    if prefix not in _KINDS or not is_id(prefix, name):
        raise errors.InvalidID(
            f"The ID '{name}' is not valid",
            explanation="Volumes, snapshots and images can be tagged here.",
        )
    held = storage(call)
    if prefix == "vol":
        return place(call).volumes.get(name)
    if prefix == "snap":
        return held.snapshot_for(call.account, call.region, name)
    return held.image_for(call.account, call.region, name)


def _nothing(call: ServiceCall, name: str) -> errors.Ec2Error:
    if name.startswith("vol"):
        return no_volume(call, name)
    return no_snapshot(call, name) if name.startswith("snap") else no_image(name)


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
    """Show the tags that the account has put on anything."""
    permit(call, "DescribeTags", "*")
    found = filtered(call, _all(call), _FILTERS, lambda tag: tag[0])
    return page(call, "DescribeTags", "Tags", found, _shown)


def _all(call: ServiceCall) -> Iterator[_Tag]:
    for name, tags in place(call).tags.items():
        for key, value in tags.items():
            yield name, key, value


def _shown(tag: _Tag) -> dict[str, str]:
    name, key, value = tag
    return {"ResourceId": name, "ResourceType": _kind(tag), "Key": key, "Value": value}
