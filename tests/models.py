"""The API as the installed botocore knows it."""

from __future__ import annotations

from typing import Any


def installed(client: Any, shape: str, members: dict[str, Any]) -> dict[str, Any]:
    """Leave out the members that an older model does not have, as its parser does."""
    known = client.meta.service_model.shape_for(shape).members
    return {name: value for name, value in members.items() if name in known}
