"""Tags: of new databases and snapshots, and the operations on tags.

The errors for a reserved prefix and for a tag key that a request repeats are those that AWS has
been seen to answer with; the others are made up.

Source: Amazon RDS User Guide, "Tagging Amazon RDS resources".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kmsmock.services.rds.answered.lookup import find_by_arn
from kmsmock.services.rds.answered.parameters import require_known
from kmsmock.services.rds.answered.registry import (
    account_region,
    operation,
    require_parameter,
    require_permission,
)
from kmsmock.services.rds.errors import InvalidParameterCombination, InvalidParameterValue
from kmsmock.services.registry import ServiceCall

_MOST_TAGS = 50
_LONGEST_KEY, _LONGEST_VALUE = 128, 256
#: Source: Amazon RDS API Reference, Tag: neither prefix may be used.
_RESERVED = ("aws:", "rds:")

Tags = dict[str, str]


def read_tags(members: Iterable[Mapping[str, str]]) -> Tags:
    """Read a list of tags, and require that they are valid."""
    tags: Tags = {}
    for tag in members:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        _require_valid(key, value)
        if key in tags:
            raise InvalidParameterCombination(f"Duplicate tag key found in request: {key}")
        tags[key] = value
    return _require_few(tags)


def _require_valid(key: str, value: str) -> None:
    """Refuse a tag that RDS does not accept, whatever else is in the request."""
    if not 0 < len(key) <= _LONGEST_KEY or len(value) > _LONGEST_VALUE:
        raise InvalidParameterValue(
            f"Tag keys must have 1 to {_LONGEST_KEY} characters and tag values up to "
            f"{_LONGEST_VALUE}: {key}"
        )
    for prefix in _RESERVED:
        if key.startswith(prefix):
            raise InvalidParameterValue(
                f'Tag keys cannot start with the reserved prefix "{prefix}".'
            )


def _require_few(tags: Tags) -> Tags:
    if len(tags) > _MOST_TAGS:
        raise InvalidParameterValue(
            f"A resource can have no more than {_MOST_TAGS} tags, not {len(tags)}."
        )
    return tags


def read_new_tags(call: ServiceCall) -> Tags:
    """Read the tags for what a call creates."""
    return read_tags(call.parameters.get("Tags", ()))


def put_tags(call: ServiceCall, arn: str, tags: Tags) -> None:
    """Add tags to what was created."""
    if tags:
        account_region(call).tags[arn] = dict(tags)


def show_tags(call: ServiceCall, arn: str) -> list[dict[str, Any]]:
    """Return tags in the form of answers; other accounts do not see them."""
    return [
        {"Key": key, "Value": value}
        for key, value in account_region(call).tags.get(arn, {}).items()
    ]


@operation("ListTagsForResource")
def list_tags_for_resource(call: ServiceCall) -> dict[str, Any]:
    """List the tags of a resource."""
    require_known(call, "ListTagsForResource", ("ResourceName",))
    return {"TagList": show_tags(call, _find_arn(call, "ListTagsForResource"))}


@operation("AddTagsToResource")
def add_tags_to_resource(call: ServiceCall) -> dict[str, Any]:
    """Add tags to a resource, or replace the values of existing tag keys."""
    tags = read_tags(require_parameter(call, "Tags"))
    arn = _find_arn(call, "AddTagsToResource")
    here = account_region(call)
    here.tags[arn] = _require_few({**here.tags.get(arn, {}), **tags})
    return {}


@operation("RemoveTagsFromResource")
def remove_tags_from_resource(call: ServiceCall) -> dict[str, Any]:
    """Remove tags from a resource; tag keys that it does not have are ignored."""
    keys = require_parameter(call, "TagKeys")
    arn = _find_arn(call, "RemoveTagsFromResource")
    here = account_region(call)
    here.tags[arn] = {k: v for k, v in here.tags.get(arn, {}).items() if k not in keys}
    return {}


def _find_arn(call: ServiceCall, action: str) -> str:
    name_or_arn = require_parameter(call, "ResourceName")
    require_permission(call, action, name_or_arn if name_or_arn.count(":") >= 6 else "*")
    return find_by_arn(call, name_or_arn).arn
