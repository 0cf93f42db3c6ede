"""Write values of a document, in the formats that `kmsmock.worlds.reading` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members whose value is not None."""
    return {name: value for name, value in members.items() if value is not None}


def write_time(moment: datetime | None) -> str | None:
    """Return a time in ISO 8601; None for None."""
    if moment is None:
        return None
    smallest = "milliseconds" if moment.microsecond % 1000 == 0 and moment.microsecond else "auto"
    return moment.isoformat(timespec=smallest).replace("+00:00", "Z")


def write_policy(text: str) -> Any:
    """Return a policy as an object if that results in the same text again, otherwise as text."""
    document = json.loads(text)
    return document if json.dumps(document) == text else text


def write_ids(bound: Mapping[str, str] | None, current: Mapping[str, str]) -> dict[str, str] | None:
    """Return ARN -> unique id of the principals in a policy or grant.

    bound: ids from when the policy or grant was made. current: ids of now. None if they are equal.
    """
    ids = dict(bound or {})
    return None if ids == current else ids
