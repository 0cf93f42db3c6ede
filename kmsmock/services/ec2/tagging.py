"""The tags that a call gives to what it makes.

Source: Amazon EC2 User Guide, "Tag your Amazon EC2 resources", tag restrictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kmsmock.context_keys import ContextKeys
from kmsmock.services.ec2.errors import InvalidParameterValue, TagLimitExceeded
from kmsmock.services.ec2.registry import arn, permit, place
from kmsmock.services.registry import ServiceCall

_MOST_TAGS = 50
_LONGEST_KEY, _LONGEST_VALUE = 127, 255

Tags = dict[str, str]


def tags_for(call: ServiceCall, kind: str, *others: str) -> Tags:
    """Read the tags for what a call is to make. kind: such as ``snapshot``.

    others: what else the operation makes, and takes tags for.
    """
    tags: Tags = {}
    for specification in call.parameters.get("TagSpecifications", ()):
        named = specification.get("ResourceType", "")
        if named not in (kind, *others):
            raise InvalidParameterValue(
                f"'{named}' is not a valid taggable resource type for this operation."
            )
        if named == kind:
            tags.update(read_tags(specification.get("Tags", ())))
    return tags


def read_tags(given: Iterable[Mapping[str, str]]) -> Tags:
    """Read tags, and require what tags must be."""
    tags = {tag.get("Key", ""): tag.get("Value", "") for tag in given}
    for key, value in tags.items():
        if not key or len(key) > _LONGEST_KEY:
            raise InvalidParameterValue(
                f"Tag key exceeds the maximum length of {_LONGEST_KEY} characters"
                if key
                else "Tag key cannot be empty"
            )
        if len(value) > _LONGEST_VALUE:
            raise InvalidParameterValue(
                f"Tag value exceeds the maximum length of {_LONGEST_VALUE} characters"
            )
        if key.startswith("aws:"):
            raise InvalidParameterValue(
                "Tag keys starting with 'aws:' are reserved for internal use"
            )
    return require_few(tags)


def require_few(tags: Tags) -> Tags:
    """Require no more tags than a resource can have."""
    if len(tags) > _MOST_TAGS:
        raise TagLimitExceeded(
            f"The maximum number of tags for a resource is {_MOST_TAGS}, not {len(tags)}."
        )
    return tags


def request_tags(tags: Tags) -> ContextKeys:
    """Give the condition keys of tags that a request brings."""
    keys: ContextKeys = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    if tags:
        keys["aws:TagKeys"] = list(tags)
    return keys


def permit_making(
    call: ServiceCall, action: str, made: str, tags: Tags, *also: str, context: ContextKeys
) -> None:
    """Require that the caller may make something, and tag it; ends a dry run.

    made: what, as in ARNs, such as ``snapshot/*``. also: ARNs of what else the action is about.
    context: condition keys of these.
    """
    asked = request_tags(tags)
    permit(call, action, arn(call, made), context=asked, dry_run_ends=False)
    permit(call, action, *also, context={**asked, **context}, dry_run_ends=False)
    if tags:
        creating = {"ec2:CreateAction": action, **asked}
        permit(call, "CreateTags", arn(call, made), context=creating, dry_run_ends=False)
    permit(call, action)


def keep_tags(call: ServiceCall, resource_id: str, tags: Tags) -> None:
    """Let what was made have its tags."""
    if tags:
        place(call).tags[resource_id] = dict(tags)


def shown_tags(call: ServiceCall, resource_id: str) -> list[dict[str, Any]]:
    """Give the tags that the account has put on something, in the form of answers."""
    tags = place(call).tags.get(resource_id, {})
    return [{"Key": key, "Value": value} for key, value in tags.items()]
