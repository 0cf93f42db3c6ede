"""Tags of KMS keys. Source: AWS KMS Developer Guide, "Tags in AWS KMS"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kmsmock.aws import errors
from kmsmock.aws.operations import PageSizes, per_second, reads, writes
from kmsmock.keys.key import Key
from kmsmock.operations.locating import key_only
from kmsmock.operations.registry import NOT_PENDING_DELETION, Call, Response, Target, operation
from kmsmock.operations.views import page

LIMIT = 50


class _Tag(NamedTuple):
    sequence: int
    name: str
    value: str


def checked(given: Sequence[Mapping[str, str]], present: Mapping[str, str]) -> dict[str, str]:
    """Give the tags a key has after adding the given ones; raises TagException."""
    if not given:
        return dict(present)
    names = [tag["TagKey"] for tag in given]
    if len(set(names)) != len(names):
        raise errors.TagException("Duplicate tag keys")
    _require_unreserved(names)
    merged = {**present, **{tag["TagKey"]: tag["TagValue"] for tag in given}}
    if len(merged) > LIMIT:
        raise errors.TagException(
            "Too many tags", explanation=f"A key can have {LIMIT} tags; these are {len(merged)}."
        )
    return merged


def _require_unreserved(names: Sequence[str]) -> None:
    if any(name.lower().startswith("aws:") for name in names):
        raise errors.TagException("Tags beginning with aws: are reserved")


@operation(
    "TagResource",
    Target("kms:TagResource", key_only("KeyId"), NOT_PENDING_DELETION),
    trail=writes("KeyId", "Tags"),
    quota=per_second(10),
)
def tag_resource(call: Call, key: Key) -> None:
    """Add tags to a key, or give present ones other values."""
    key.tags = checked(call.parameters["Tags"], key.tags)


@operation(
    "UntagResource",
    Target("kms:UntagResource", key_only("KeyId"), NOT_PENDING_DELETION),
    trail=writes("KeyId", "TagKeys"),
    quota=per_second(5),
)
def untag_resource(call: Call, key: Key) -> None:
    """Remove tags from a key; absent ones are no error."""
    names = call.parameters["TagKeys"]
    _require_unreserved(names)
    key.tags = {name: value for name, value in key.tags.items() if name not in names}


@operation(
    "ListResourceTags",
    Target("kms:ListResourceTags", key_only("KeyId")),
    trail=reads("KeyId", "Limit", "Marker"),
    quota=per_second(2000),
    pages=PageSizes(LIMIT, LIMIT),
)
def list_resource_tags(call: Call, key: Key) -> Response:
    """List the tags of a key in the order in which they were added."""
    tags = [_Tag(place, *pair) for place, pair in enumerate(key.tags.items(), 1)]
    return page(call, "Tags", tags, lambda tag: {"TagKey": tag.name, "TagValue": tag.value})
