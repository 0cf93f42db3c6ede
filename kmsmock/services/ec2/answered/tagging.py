"""The tags in requests that create something.

The errors for a reserved, an empty and a repeated tag key are those that AWS has been seen to
answer with; those for lengths and numbers are made up.

Source: Amazon EC2 User Guide, "Tag your Amazon EC2 resources", tag restrictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kmsmock.access.context import ContextKeys
from kmsmock.services.ec2.answered.lookup import require_parameter
from kmsmock.services.ec2.answered.registry import account_region, arn, require_permission
from kmsmock.services.ec2.errors import InvalidParameterValue, TagLimitExceeded
from kmsmock.services.registry import ServiceCall

_MOST_TAGS = 50
_LONGEST_KEY, _LONGEST_VALUE = 127, 255
_RESERVED_MESSAGE = "Tag keys starting with 'aws:' are reserved for internal use"

Tags = dict[str, str]


def read_new_tags(call: ServiceCall, kind: str, *others: str) -> Tags:
    """Read the tags for a resource that a call creates. kind: such as ``snapshot``.

    others: further kinds that the operation creates and takes tags for.
    """
    tags: Tags = {}
    for specification in call.parameters.get("TagSpecifications", ()):
        resource_type = specification.get("ResourceType", "")
        if resource_type not in (kind, *others):
            raise InvalidParameterValue(
                f"'{resource_type}' is not a valid taggable resource type for this operation."
            )
        if resource_type == kind:
            tags = _read_tags((*_members(tags), *specification.get("Tags", ())))
    return tags


def read_tags_to_add(call: ServiceCall) -> Tags:
    """Read the tags that CreateTags adds, whose message about a reserved key names it."""
    tags: Sequence[Mapping[str, str]] = require_parameter(call, "Tags")
    for tag in tags:
        if _is_reserved(tag.get("Key", "")):
            raise InvalidParameterValue(
                f"Value ( {tag['Key']} ) for parameter key is invalid. {_RESERVED_MESSAGE}"
            )
    return _read_tags(tags)


def require_valid_tags(call: ServiceCall) -> None:
    """Refuse tags that EC2 does not accept, in a request that another store answers."""
    if call.parameters.get("Tags"):
        read_tags_to_add(call)
    for specification in call.parameters.get("TagSpecifications", ()):
        _read_tags(specification.get("Tags", ()))


def _members(tags: Tags) -> list[dict[str, str]]:
    """Return tags in the form of parameters and answers."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _read_tags(members: Iterable[Mapping[str, str]]) -> Tags:
    """Read a list of tags, and require that they are valid."""
    tags: Tags = {}
    for tag in members:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        _require_valid(key, value)
        if key in tags:
            raise InvalidParameterValue(f"Duplicate tag key '{key}' specified.")
        tags[key] = value
    return require_few(tags)


def _is_reserved(key: str) -> bool:
    return key.startswith("aws:")


def _require_valid(key: str, value: str) -> None:
    """Refuse a tag that EC2 does not accept, whatever else is in the request."""
    if not key:
        raise InvalidParameterValue(
            "Value ( '' ) for parameter Tag key is invalid. Tag key cannot be null or empty."
        )
    if len(key) > _LONGEST_KEY:
        raise InvalidParameterValue(
            f"Tag key exceeds the maximum length of {_LONGEST_KEY} characters"
        )
    if len(value) > _LONGEST_VALUE:
        raise InvalidParameterValue(
            f"Tag value exceeds the maximum length of {_LONGEST_VALUE} characters"
        )
    if _is_reserved(key):
        raise InvalidParameterValue(_RESERVED_MESSAGE)


def require_few(tags: Tags) -> Tags:
    """Require that a resource has no more tags than the quota allows."""
    if len(tags) > _MOST_TAGS:
        raise TagLimitExceeded(
            f"The maximum number of tags for a resource is {_MOST_TAGS}, not {len(tags)}."
        )
    return tags


def requested_tags_context(tags: Tags) -> ContextKeys:
    """Return the condition keys for the tags in a request."""
    keys: ContextKeys = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags:
        keys["aws:TagKeys"] = list(tags)
    return keys


def require_create_permission(
    call: ServiceCall, action: str, created: str, tags: Tags, *others: str, context: ContextKeys
) -> None:
    """Require that the caller may create a resource, and tag it; ends a dry run.

    created: the resource, as in ARNs, such as ``snapshot/*``. others: ARNs of further resources of
    the action. context: condition keys of these.
    """
    requested = requested_tags_context(tags)
    require_permission(call, action, arn(call, created), context=requested, dry_run_ends=False)
    require_permission(call, action, *others, context={**requested, **context}, dry_run_ends=False)
    if tags:
        creating = {"ec2:CreateAction": action, **requested}
        require_permission(
            call, "CreateTags", arn(call, created), context=creating, dry_run_ends=False
        )
    require_permission(call, action)


def put_tags(call: ServiceCall, resource_id: str, tags: Tags) -> None:
    """Add tags to something that was created."""
    if tags:
        account_region(call).tags[resource_id] = dict(tags)


def show_tags(call: ServiceCall, resource_id: str) -> list[dict[str, Any]]:
    """Return the tags that the account has put on something, in the form of answers."""
    return _members(account_region(call).tags.get(resource_id, {}))
