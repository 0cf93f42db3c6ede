"""The parameters of the query protocols: fields of a form, in the query and the body.

Source: Smithy, "AWS query protocol" and "Amazon EC2 query protocol".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from kmsmock.protocols.errors import MalformedQueryString
from kmsmock.protocols.messages import HttpRequest

#: The largest number of fields.
MAX_FIELDS = 10_000
#: The largest number of names in the path of a field.
_MAX_PATH = 12
_FORM = "application/x-www-form-urlencoded"
#: A position in a list. Only its order counts, so that it needs no memory.
_POSITION = re.compile(r"[0-9]{1,10}", re.ASCII)


class Field:
    """A field of a form, and the fields whose names continue its name."""

    __slots__ = ("fields", "text")

    def __init__(self) -> None:
        #: The value; None if only fields below have one.
        self.text: str | None = None
        #: The next part of the name -> the field.
        self.fields: dict[str, Field] = {}

    def take(self, name: str) -> Field | None:
        """Remove the field below with a name, and return it; None if there is none."""
        return self.fields.pop(name, None)

    def take_items(self) -> Iterator[Field]:
        """Remove the fields below whose names are positions, and yield them in their order."""
        positions = [name for name in self.fields if _POSITION.fullmatch(name)]
        for name in sorted(positions, key=int):
            yield self.fields.pop(name)

    def first_name(self) -> str | None:
        """Return the first field below; None if there is none."""
        return next(iter(self.fields), None)


def read_form(request: HttpRequest) -> dict[str, str]:
    """Return the fields in the query and in the body of a request. Raises MalformedQueryString."""
    query = request.target.partition("?")[2]
    content_type = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
    try:
        body = request.body.decode() if content_type == _FORM else ""
        pairs = [
            pair
            for text in (query, body)
            for pair in parse_qsl(
                text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
            )
        ]
    except ValueError as reason:
        raise MalformedQueryString(
            explanation=f"The fields of the request cannot be read: {reason}."
        ) from None
    fields: dict[str, str] = {}
    for name, text in pairs:
        if name in fields:
            raise MalformedQueryString(explanation=f"The request has the field {name} repeatedly.")
        fields[name] = text
    return fields


def grow_tree(fields: Mapping[str, str]) -> Field:
    """Return fields as a tree, by the parts of their names.

    Left out are those that are for the protocol or the signature.
    """
    root = Field()
    for name, text in fields.items():
        if name in ("Action", "Version") or name.startswith("X-Amz-"):
            continue
        field = root
        for part in name.split(".", _MAX_PATH):
            field = field.fields.setdefault(part, Field())
        field.text = text
    return root
