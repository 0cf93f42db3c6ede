"""XML of the query protocols: write the members of answers by botocore's model.

Source: Smithy, "AWS query protocol", "Amazon EC2 query protocol" and "XML bindings".
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any
from xml.sax.saxutils import escape

#: The code points that XML 1.0 cannot have, not even as references.
_NO_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: A parser would read a carriage return as a line feed.
_REFERENCES = {"\r": "&#xD;"}


def to_xml_text(text: str) -> str:
    """Return a text as the content of an element.

    What XML cannot have, such as most control characters, becomes U+FFFD.
    """
    return escape(_NO_CHARACTERS.sub("\ufffd", text), _REFERENCES)


def write_members(value: Mapping[str, Any], shape: Any) -> str:
    """Return the elements of the members of a structure, in the order of the model.

    Members that are None, or that the model does not have, are left out.
    """
    return "".join(
        _write(name, value[name], member)
        for name, member in shape.members.items()
        if value.get(name) is not None
    )


def _write(name: str, value: Any, shape: Any) -> str:
    """Return the element of a member, or the several ones of a flat list or map."""
    wire_name = shape.serialization.get("name", name)
    if not shape.serialization.get("flattened"):
        return _element(wire_name, _write_content(value, shape))
    if shape.type_name == "map":
        return "".join(_element(wire_name, entry) for entry in _write_entries(value, shape))
    item_name = shape.member.serialization.get("name", wire_name)
    return "".join(_element(item_name, _write_content(item, shape.member)) for item in value)


def _write_content(value: Any, shape: Any) -> str:
    """Return the content of the element of a value."""
    kind = shape.type_name
    if kind == "structure":
        return write_members(value, shape)
    if kind == "list":
        name = shape.member.serialization.get("name", "member")
        return "".join(_element(name, _write_content(item, shape.member)) for item in value)
    if kind == "map":
        return "".join(_element("entry", entry) for entry in _write_entries(value, shape))
    return to_xml_text(_to_text(value))


def _write_entries(value: Mapping[str, Any], shape: Any) -> Iterator[str]:
    """Yield the content of each entry of a map."""
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    for key, item in value.items():
        key_element = _element(key_name, _write_content(key, shape.key))
        yield key_element + _element(value_name, _write_content(item, shape.value))


def _element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>" if content else f"<{name}/>"


def _to_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (bytes, bytearray)):
        return b64encode(value).decode()
    if isinstance(value, datetime):
        return _to_iso_8601(value)
    return str(value)


def _to_iso_8601(moment: datetime) -> str:
    """Return a time as ``2026-01-01T00:00:00Z``, with milliseconds if there are some."""
    utc = moment.astimezone(timezone.utc).replace(tzinfo=None)
    precision = "milliseconds" if utc.microsecond else "seconds"
    return f"{utc.isoformat(timespec=precision)}Z"
