"""The tag operations. Source: AWS KMS Developer Guide, "Tags in AWS KMS"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kmsmock.aws import errors
from kmsmock.aws.operations import PageSizes, per_second, read_event, write_event
from kmsmock.keys.key import Key
from kmsmock.keys.states import NOT_PENDING_DELETION
from kmsmock.operations.key_lookup import by_id_or_arn
from kmsmock.operations.registry import Call, Response, Target, operation
from kmsmock.operations.response_members import build_page

MAX_TAGS = 50


class _Tag(NamedTuple):
    sequence: int
    name: str
    value: str


def merge_tags(new: Sequence[Mapping[str, str]], existing: Mapping[str, str]) -> dict[str, str]:
    """Return a key's tags after new ones are added; raises TagException.

    new: with ``TagKey`` and ``TagValue``. existing, and the result: name -> value.
    """
    if not new:
        return dict(existing)
    names = [tag["TagKey"] for tag in new]
    if len(set(names)) != len(names):
        raise errors.TagException("Duplicate tag keys")
    _require_unreserved(names)
    merged = {**existing, **{tag["TagKey"]: tag["TagValue"] for tag in new}}
    if len(merged) > MAX_TAGS:
        raise errors.TagException(
            "Too many tags",
            explanation=f"A key can have {MAX_TAGS} tags; it would have {len(merged)}.",
        )
    return merged


def _require_unreserved(names: Sequence[str]) -> None:
    if any(name.lower().startswith("aws:") for name in names):
        raise errors.TagException("Tags beginning with aws: are reserved")


@operation(
    "TagResource",
    Target("kms:TagResource", by_id_or_arn("KeyId"), NOT_PENDING_DELETION),
    trail=write_event("KeyId", "Tags"),
    quota=per_second(10),
)
def tag_resource(call: Call, key: Key) -> None:
    """Add tags to a key, or replace the values of existing ones."""
    key.tags = merge_tags(call.parameters["Tags"], key.tags)


@operation(
    "UntagResource",
    Target("kms:UntagResource", by_id_or_arn("KeyId"), NOT_PENDING_DELETION),
    trail=write_event("KeyId", "TagKeys"),
    quota=per_second(5),
)
def untag_resource(call: Call, key: Key) -> None:
    """Remove tags from a key; names that it does not have are ignored."""
    names = call.parameters["TagKeys"]
    _require_unreserved(names)
    key.tags = {name: value for name, value in key.tags.items() if name not in names}


@operation(
    "ListResourceTags",
    Target("kms:ListResourceTags", by_id_or_arn("KeyId")),
    trail=read_event("KeyId", "Limit", "Marker"),
    quota=per_second(2000),
    pages=PageSizes(MAX_TAGS, MAX_TAGS),
)
def list_resource_tags(call: Call, key: Key) -> Response:
    """List the tags of a key in the order in which they were added."""
    tags = [_Tag(sequence, *pair) for sequence, pair in enumerate(key.tags.items(), 1)]
    return build_page(call, "Tags", tags, lambda tag: {"TagKey": tag.name, "TagValue": tag.value})
