"""CloudTrail records meet the schema that says what they may hold."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from kmsmock.trail.trail import Trail

try:
    import fastjsonschema
except ImportError:  # where the oldest versions are tested
    fastjsonschema = None


def check_record(record: dict[str, Any]) -> None:
    """Raise JsonSchemaException for a record that does not meet the schema."""
    if fastjsonschema is not None:
        _schema_check()(record)


@lru_cache(maxsize=1)
def _schema_check() -> Callable[[Any], Any]:
    return fastjsonschema.compile(Trail.schema())
