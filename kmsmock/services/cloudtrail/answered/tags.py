"""Tags of trails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kmsmock.aws.arns import looks_like_arn
from kmsmock.services.cloudtrail import errors
from kmsmock.services.cloudtrail.answered.lookup import arn_from, find_own_trail, find_trail
from kmsmock.services.cloudtrail.answered.registry import operation
from kmsmock.services.registry import ServiceCall
from kmsmock.trail.configured_trails import ConfiguredTrail

_MAX_TAGS = 50


@operation("AddTags", arn_from("ResourceId"))
def add_tags(call: ServiceCall) -> None:
    """Add tags to a trail, or replace the values of existing tag keys."""
    trail = _find_trail(call, call.parameters["ResourceId"], find_own_trail)
    add_to_trail(trail, read_tags(call.parameters["TagsList"]))


@operation("RemoveTags", arn_from("ResourceId"))
def remove_tags(call: ServiceCall) -> None:
    """Remove tags from a trail, by their keys."""
    trail = _find_trail(call, call.parameters["ResourceId"], find_own_trail)
    for key in read_tags(call.parameters["TagsList"]):
        trail.tags.pop(key, None)


@operation("ListTags")
def list_tags(call: ServiceCall) -> dict[str, Any]:
    """List the tags of trails."""
    return {
        "ResourceTagList": [
            {
                "ResourceId": arn,
                "TagsList": [
                    {"Key": key, "Value": value}
                    for key, value in _find_trail(call, arn, find_trail).tags.items()
                ],
            }
            for arn in call.parameters["ResourceIdList"]
        ]
    }


def read_tags(tags_list: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return tags as key -> value. Raises InvalidTagParameterException.

    tags_list: the member TagsList of a request.
    """
    tags: dict[str, str] = {}
    for tag in tags_list:
        key = tag["Key"]
        if key in tags or key.lower().startswith("aws:"):
            raise errors.InvalidTagParameterException(f"Invalid tag key: {key}")
        tags[key] = tag.get("Value", "")
    return tags


def add_to_trail(trail: ConfiguredTrail, tags: Mapping[str, str]) -> None:
    """Add tags to a trail. Raises TagsLimitExceededException."""
    if len(trail.tags.keys() | tags.keys()) > _MAX_TAGS:
        raise errors.TagsLimitExceededException(f"A trail can have {_MAX_TAGS} tags at most.")
    trail.tags.update(tags)


def _find_trail(
    call: ServiceCall, arn: str, find: Callable[[ServiceCall, str], ConfiguredTrail]
) -> ConfiguredTrail:
    """Find a trail by its ARN; operations on tags take no name.

    find: `find_trail` or `find_own_trail`. Raises CloudTrailARNInvalidException,
    ResourceNotFoundException.
    """
    if not looks_like_arn(arn):
        raise errors.CloudTrailARNInvalidException(f"The ARN is not valid: {arn}")
    try:
        return find(call, arn)
    except errors.TrailNotFoundException as error:
        raise errors.ResourceNotFoundException(error.message) from None
