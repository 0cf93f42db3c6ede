"""Parameters of the query protocols: read the fields of a form by botocore's model."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any, NoReturn

from botocore.utils import parse_to_aware_datetime

from kmsmock.protocols.errors import MalformedInput, MalformedQueryString, UnknownParameter
from kmsmock.protocols.forms import Field, grow_tree

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_FLOAT = re.compile(
    r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?|NaN|-?Infinity", re.ASCII
)
_BOOLEANS = {"true": True, "false": False}


class QueryReader:
    """Reads parameters of the query protocol, as IAM, RDS and STS have it."""

    def read(self, fields: Mapping[str, str], shape: Any) -> dict[str, Any]:
        """Return the parameters of a request, as boto3 takes them.

        fields: of the form. shape: the input in botocore's model; None for an operation without
        parameters. A scalar that is not of its type is left as text, which the service refuses.
        Raises MalformedQueryString and, if a parameter is unknown or its structure is another,
        MalformedInput or EC2's UnknownParameter.
        """
        root = grow_tree(fields)
        parameters = {} if shape is None else self._structure(root, shape, "")
        self._require_end(root, "")
        return parameters

    def _value(self, field: Field, shape: Any, path: str) -> Any:
        kind = shape.type_name
        if kind in ("structure", "list", "map") and field.text:
            self._refuse(path, "is one value, and not several")
        if kind == "structure":
            value: Any = self._structure(field, shape, path)
        elif kind == "list":
            value = self._list(field, shape, path)
        elif kind == "map":
            value = self._map(field, shape, path)
        else:
            value = self._scalar(field, kind, path)
        self._require_end(field, path)
        return value

    def _structure(self, field: Field, shape: Any, path: str) -> dict[str, Any]:
        value = {}
        for name, member in shape.members.items():
            wire_name = self._name_of(member, name)
            below = self._take(field, member, wire_name)
            if below is not None:
                value[name] = self._value(below, member, f"{path}{wire_name}.")
        return value

    def _list(self, field: Field, shape: Any, path: str) -> list[Any]:
        items = self._items_of(field, shape)
        value = [
            self._value(item, shape.member, f"{path}{number}.")
            for number, item in enumerate(items.take_items(), 1)
        ]
        self._require_end(items, path)
        return value

    def _map(self, field: Field, shape: Any, path: str) -> dict[str, Any]:
        is_flat = shape.serialization.get("flattened")
        entries = field if is_flat else field.take("entry") or Field()
        names = shape.key.serialization.get("name", "key")
        values = shape.value.serialization.get("name", "value")
        value = {}
        for number, entry in enumerate(entries.take_items(), 1):
            where = f"{path}{number}."
            name, item = entry.take(names), entry.take(values)
            if name is None or item is None:
                self._refuse(where, "has no key or no value")
            key = self._value(name, shape.key, where)
            value[key] = self._value(item, shape.value, where)
            self._require_end(entry, where)
        self._require_end(entries, path)
        return value

    def _scalar(self, field: Field, kind: str, path: str) -> Any:
        text = field.text
        if text is None:
            self._refuse(path, "is a structure, and not one value")
        if kind == "boolean":
            return _BOOLEANS.get(text, text)
        if kind in ("integer", "long"):
            return int(text) if _INTEGER.fullmatch(text) else text
        if kind in ("float", "double"):
            return self._float(text, path)
        if kind == "timestamp":
            return _time(text)
        if kind == "blob":
            try:
                return b64decode(text, validate=True)
            except ValueError:
                raise _no_value(path, "base64") from None
        return text

    @staticmethod
    def _float(text: str, path: str) -> float:
        if not _FLOAT.fullmatch(text):
            raise _no_value(path, "a number")
        return float(text)

    def _name_of(self, shape: Any, name: str) -> str:
        """Return the name of a member in the form."""
        return str(shape.serialization.get("name", name))

    def _items_of(self, field: Field, shape: Any) -> Field:
        """Return the field whose fields below are the items of a list."""
        if shape.serialization.get("flattened"):
            return field
        # Documentation and older SDKs write "member" also where the model has another name.
        items = field.take(shape.member.serialization.get("name", "member")) or field.take("member")
        return items or Field()

    def _take(self, field: Field, shape: Any, name: str) -> Field | None:
        """Remove the field of a member, and return it; None if it is missing."""
        if shape.type_name == "list" and shape.serialization.get("flattened"):
            # The items of a flat list have the name of an item, an empty one has its own.
            items = field.take(shape.member.serialization.get("name", name))
            if items is not None:
                return items
        return field.take(name)

    def _require_end(self, field: Field, path: str) -> None:
        """Require that nothing is left in a field."""
        name = field.first_name()
        if name is not None:
            self._refuse(f"{path}{name}", "is not a parameter of the operation")

    def _refuse(self, path: str, what: str) -> NoReturn:
        raise MalformedInput(
            "Unexpected complex element termination", explanation=f"{path.rstrip('.')} {what}."
        )


class Ec2Reader(QueryReader):
    """Reads parameters of EC2's query protocol."""

    def _name_of(self, shape: Any, name: str) -> str:
        names = shape.serialization
        if "queryName" in names:
            return str(names["queryName"])
        wire_name: str = names.get("name", name)
        return wire_name[:1].upper() + wire_name[1:]

    def _items_of(self, field: Field, shape: Any) -> Field:  # noqa: ARG002 - all are flat
        return field

    def _take(self, field: Field, shape: Any, name: str) -> Field | None:  # noqa: ARG002 - as above
        return field.take(name)

    def _refuse(self, path: str, what: str) -> NoReturn:
        top = path.partition(".")[0]
        raise UnknownParameter(
            f"The parameter {top} is not recognized", explanation=f"{path.rstrip('.')} {what}."
        )


def _time(text: str) -> Any:
    try:
        return parse_to_aware_datetime(text)
    except (ValueError, TypeError, AttributeError, OverflowError):
        return text


def _no_value(path: str, what: str) -> MalformedQueryString:
    return MalformedQueryString(explanation=f"The value of {path.rstrip('.')} is not {what}.")
