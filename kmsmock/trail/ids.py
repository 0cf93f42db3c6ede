"""Ids of records: functions of what they are about, so that nothing need be kept of them."""

from __future__ import annotations

import hashlib


def derived_id(*parts: str) -> str:
    """Make a UUID out of texts, the same for the same (in the manner of RFC 9562, version 5)."""
    h = hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
    return f"{h[:8]}-{h[8:12]}-5{h[13:16]}-a{h[17:20]}-{h[20:]}"


def event_id(request_id: str, name: str, account: str, region: str) -> str:
    """Give the eventID of the record that a request left in an account and Region."""
    return derived_id(request_id, name, account, region)
