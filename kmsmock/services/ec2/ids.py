"""Ids of EC2 resources, such as ``vol-0123456789abcdef0``."""

from __future__ import annotations

import re

from kmsmock.services.registry import ServiceCall

_IDS = {
    prefix: re.compile(rf"{prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})")
    for prefix in ("vol", "snap", "ami", "i")
}


def new_id(call: ServiceCall, prefix: str) -> str:
    """Return a new id of a resource. prefix: such as ``vol``."""
    return f"{prefix}-0{call.backend.entropy(8).hex()}"


def is_id(prefix: str, text: str) -> bool:
    """Return whether a text has the form of an id. prefix: such as ``snap``."""
    return _IDS[prefix].fullmatch(text) is not None
