"""The JSON form: write and read the members of `Report` according to their type hints.

Decimals and times are strings, named tuples are arrays, and a `Name` is written as its index in the
list ``names``.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from kmsmock.reports.report import Report

FORMAT = "kmsmock-report"
#: Incremented when a reader of the previous version would misinterpret the form.
VERSION = 1


class BadReportError(ValueError):
    """A file that is not a report, or that this version of kmsmock cannot read."""


def write(report: Report) -> str:
    """Return a report as JSON, with one line for each of its members."""
    names: dict[str, int] = {}
    members = {
        each.name: _encode(getattr(report, each.name), _get_hints(Report)[each.name], names)
        for each in fields(report)
    }
    head = {"format": FORMAT, "version": VERSION, **members, "names": list(names)}
    lines = [f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in head.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read(text: str) -> Report:
    """Read a report from JSON; raises BadReportError with the problem and its path."""
    try:
        members = json.loads(text)
    except ValueError as reason:
        raise BadReportError(f"this is not JSON: {reason}") from None
    if not isinstance(members, dict) or members.pop("format", None) != FORMAT:
        raise BadReportError(f"this is not a report: it has no format {FORMAT!r}")
    version = members.pop("version", None)
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        raise BadReportError(
            f"the report has version {version}, but this kmsmock reads versions up to {VERSION}: "
            "use a newer kmsmock"
        )
    names = members.pop("names", None)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadReportError("names: expected a list of strings")
    report: Report = _decode(members, Report, names, "report")
    return report


@cache
def _get_hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


# --- writing --------------------------------------------------------------------------------


def _encode(value: Any, hint: Any, names: dict[str, int]) -> Any:  # noqa: PLR0911
    if value is None:
        return None
    hint = _unwrap_optional(hint)
    origin = get_origin(hint)
    if origin is Annotated:
        return names.setdefault(value, len(names))
    if origin is list:
        return [_encode(item, get_args(hint)[0], names) for item in value]
    if origin is dict:
        of = get_args(hint)[1]
        return {name: _encode(value[name], of, names) for name in sorted(value)}
    if is_dataclass(hint):
        hints = _get_hints(hint)  # type: ignore[arg-type] # a type
        return {name: _encode(getattr(value, name), of, names) for name, of in hints.items()}
    if isinstance(value, tuple):
        return [
            _encode(v, of, names) for v, of in zip(value, _get_hints(hint).values(), strict=True)
        ]
    return _ENCODERS.get(type(value), _keep)(value)


def _keep(value: Any) -> Any:
    return value


_ENCODERS: dict[type, Callable[[Any], Any]] = {
    Decimal: lambda value: format(value.normalize() + 0, "f"),
    datetime: datetime.isoformat,
    float: lambda value: round(value, 6),
}


# --- reading --------------------------------------------------------------------------------


def _decode(  # noqa: PLR0911
    value: Any, hint: Any, names: list[str], path: str
) -> Any:
    inner = _unwrap_optional(hint)
    if value is None and inner is not hint:
        return None
    origin = get_origin(inner)
    if origin is Annotated:
        if type(value) is not int or not 0 <= value < len(names):
            raise BadReportError(f"{path}: {value!r} is not an index of names")
        return names[value]
    if origin is list:
        of = get_args(inner)[0]
        items = enumerate(_require(value, list, path))
        return [_decode(item, of, names, f"{path}[{n}]") for n, item in items]
    if origin is dict:
        of = get_args(inner)[1]
        pairs = _require(value, dict, path).items()
        return {name: _decode(item, of, names, f"{path}.{name}") for name, item in pairs}
    if is_dataclass(inner):
        return _decode_members(_require(value, dict, path), inner, names, path)
    if issubclass(inner, tuple):
        hints = _get_hints(inner)
        row: list[Any] = _require(value, list, path)
        if len(row) != len(hints):
            raise BadReportError(f"{path}: expected [{', '.join(hints)}], not {row!r}")
        members = zip(row, hints.items(), strict=True)
        return inner(*[_decode(v, of, names, f"{path}.{name}") for v, (name, of) in members])
    return _decode_plain(value, inner, path)


def _decode_members(value: dict[str, Any], cls: Any, names: list[str], path: str) -> Any:
    """Read the members of a dataclass; raises BadReportError for unknown members."""
    hints = _get_hints(cls)
    unknown = value.keys() - hints.keys()
    if unknown:
        raise BadReportError(f"{path}: unknown member {min(unknown)!r}")
    members = {name: _decode(v, hints[name], names, f"{path}.{name}") for name, v in value.items()}
    try:
        return cls(**members)
    except TypeError as reason:
        raise BadReportError(f"{path}: {reason}") from None


def _decode_plain(value: Any, kind: type, path: str) -> Any:
    if kind is Decimal or kind is datetime:
        text = _require(value, str, path)
        try:
            return Decimal(text) if kind is Decimal else datetime.fromisoformat(text)
        except (InvalidOperation, ValueError):
            raise BadReportError(f"{path}: {text!r} is not a {kind.__name__}") from None
    if kind is float and type(value) is int:
        return float(value)
    return _require(value, kind, path)


def _require(value: Any, kind: type, path: str) -> Any:
    if type(value) is not kind:
        raise BadReportError(f"{path}: expected {kind.__name__}, not {value!r:.50}")
    return value


def _unwrap_optional(hint: Any) -> Any:
    """Return the type inside of an optional type hint; other hints unchanged."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(of for of in get_args(hint) if of is not type(None))
    return hint
