"""Event ids, which are derived from the content of a record, so that they need not be stored."""

from __future__ import annotations

import hashlib


def derived_id(*parts: str) -> str:
    """Derive a UUID from texts (similar to RFC 9562, version 5)."""
    h = hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()
    return f"{h[:8]}-{h[8:12]}-5{h[13:16]}-a{h[17:20]}-{h[20:]}"


def event_id(request_id: str, name: str, account: str, region: str) -> str:
    """Return the eventID of the record of a request in an account and Region."""
    return derived_id(request_id, name, account, region)
