"""Samples of requests and answers, generated from botocore's model."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

#: Times have no more than seconds, as botocore sends them to some services.
_MOMENT = datetime(2026, 12, 1, 6, 30, 59, tzinfo=timezone.utc)


def make_sample(shape: Any, text: str, count: int, depth: int = 0) -> Any:
    """Return a value of a shape, with all its members.

    text: each text. count: of items in lists and maps, which differ; two at most inside of others.
    """
    kind = shape.type_name
    inner = min(count, 2)
    if kind == "structure":
        if depth > 8:
            return {}
        return {
            name: make_sample(member, text, count, depth + 1)
            for name, member in shape.members.items()
        }
    if kind == "list":
        return [make_sample(shape.member, f"{text}{n}", inner, depth + 1) for n in range(count)]
    if kind == "map":
        return {
            f"{text}{n}": make_sample(shape.value, f"{text}{n}", inner, depth + 1)
            for n in range(count)
        }
    return {
        "string": text,
        "character": text[:1],
        "blob": text.encode(),
        "boolean": count % 2 == 0,
        "integer": -(2**31) + count,
        "long": 2**53 + count,
        "float": count + 0.5,
        "double": count + 0.25,
        "timestamp": _MOMENT,
    }[kind]
