"""Tags of trails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kmsmock.aws.arns import looks_like_arn
from kmsmock.services.cloudtrail import errors
from kmsmock.services.cloudtrail.answered.finding import find_own_trail, find_trail, named
from kmsmock.services.cloudtrail.answered.registry import operation
from kmsmock.services.registry import ServiceCall
from kmsmock.trail.configured_trails import ConfiguredTrail

_MOST = 50


@operation("AddTags", named("ResourceId"))
def add_tags(call: ServiceCall) -> None:
    """Put tags on a trail; of keys that are there the values are replaced."""
    trail = _find(call, call.parameters["ResourceId"], find_own_trail)
    add(trail, read(call.parameters["TagsList"]))


@operation("RemoveTags", named("ResourceId"))
def remove_tags(call: ServiceCall) -> None:
    """Take tags off a trail, by their keys."""
    trail = _find(call, call.parameters["ResourceId"], find_own_trail)
    for key in read(call.parameters["TagsList"]):
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
                    for key, value in _find(call, arn, find_trail).tags.items()
                ],
            }
            for arn in call.parameters["ResourceIdList"]
        ]
    }


def read(given: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Read a list of tags; raises InvalidTagParameterException."""
    tags: dict[str, str] = {}
    for tag in given:
        key = tag["Key"]
        if key in tags or key.lower().startswith("aws:"):
            raise errors.InvalidTagParameterException(f"Invalid tag key: {key}")
        tags[key] = tag.get("Value", "")
    return tags


def add(trail: ConfiguredTrail, tags: Mapping[str, str]) -> None:
    """Put tags on a trail; raises TagsLimitExceededException."""
    if len(trail.tags.keys() | tags.keys()) > _MOST:
        raise errors.TagsLimitExceededException(f"A trail can have {_MOST} tags at most.")
    trail.tags.update(tags)


def _find(call: ServiceCall, arn: str, find: Any) -> ConfiguredTrail:
    """Find a trail by the ARN alone, as operations on tags do."""
    if not looks_like_arn(arn):
        raise errors.CloudTrailARNInvalidException(f"The ARN is not valid: {arn}")
    try:
        trail: ConfiguredTrail = find(call, arn)
    except errors.TrailNotFoundException as error:
        raise errors.ResourceNotFoundException(error.message) from None
    return trail
