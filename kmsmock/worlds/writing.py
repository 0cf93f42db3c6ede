"""Writing what a document says, in the forms that `kmsmock.worlds.reading` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def told(members: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out members that say nothing."""
    return {name: value for name, value in members.items() if value is not None}


def shown_time(moment: datetime | None) -> str | None:
    """Write a time."""
    if moment is None:
        return None
    smallest = "milliseconds" if moment.microsecond % 1000 == 0 and moment.microsecond else "auto"
    return moment.isoformat(timespec=smallest).replace("+00:00", "Z")


def written_policy(text: str) -> Any:
    """Write a policy: as an object where that gives its text again, as its text otherwise."""
    document = json.loads(text)
    return document if json.dumps(document) == text else text


def written_ids(bound: Mapping[str, str] | None, today: Mapping[str, str]) -> dict[str, str] | None:
    """Write whom the names in a policy or grant mean, ARN -> unique id.

    today: whom they would mean if they were given now; None is written for the same.
    """
    ids = dict(bound or {})
    return None if ids == today else ids
