"""The JSON form: write and read the members of `Report` according to their type hints.

Decimals and times are strings, named tuples are arrays, and a `Name` is written as its index in the
list ``names``.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from kmsmock.aws.prices import ARITHMETIC
from kmsmock.reports.report import Report

FORMAT = "kmsmock-report"
#: Incremented when a reader of the previous version would misinterpret the form.
VERSION = 1
#: The largest file that is read.
MOST_BYTES = 128 * 2**20
#: Numbers are smaller than this.
_LARGEST = 2**53
#: The largest and smallest exponents of amounts: to format others takes forever.
_LARGEST_EXPONENT = 50
#: How many characters of a wrong value an error shows.
_LONGEST = 50


class BadReportError(ValueError):
    """A file that is not a report, or that this version of kmsmock cannot read."""


def write(report: Report) -> str:
    """Return a report as JSON in ASCII, with one line for each of its members.

    Raises TypeError for a value of another type than its type hint.
    """
    names: dict[str, int] = {}
    members = {
        each.name: _encode(getattr(report, each.name), _HINTS[Report][each.name], names)
        for each in fields(report)
    }
    head = {"format": FORMAT, "version": VERSION, **members, "names": list(names)}
    lines = [f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in head.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def read(text: str) -> Report:
    """Read a report from JSON; raises BadReportError with the problem and its path."""
    try:
        members = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as reason:
        raise BadReportError(f"this is not JSON: {reason}") from None
    if not isinstance(members, dict) or members.pop("format", None) != FORMAT:
        raise BadReportError(f"this is not a report: it has no format {FORMAT!r}")
    version = members.pop("version", None)
    if type(version) is not int or not 1 <= version <= VERSION:
        raise BadReportError(
            f"the report has version {_show(version)}, but this kmsmock reads versions up to "
            f"{VERSION}: use a newer kmsmock"
        )
    names = members.pop("names", None)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadReportError("names: expected a list of strings")
    report: Report = _decode(members, Report, names, "report")
    return report


def _collect_hints(hint: Any, found: dict[Any, dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """Collect the type hints of the members of a class, and of all classes in them."""
    for inner in get_args(hint):
        _collect_hints(inner, found)
    if isinstance(hint, type) and hasattr(hint, "__annotations__") and hint not in found:
        found[hint] = get_type_hints(hint, include_extras=True)
        for member in found[hint].values():
            _collect_hints(member, found)
    return found


#: Class -> its type hints. They are evaluated here, since later on a test can have frozen the time:
#: then the module of the class has another class in the place of datetime.
_HINTS = _collect_hints(Report, {})


# --- writing --------------------------------------------------------------------------------


def _encode(value: Any, hint: Any, names: dict[str, int]) -> Any:  # noqa: PLR0911
    if value is None:
        return None
    hint = _unwrap_optional(hint)
    origin = get_origin(hint)
    if origin is Annotated:
        return names.setdefault(str.__str__(value), len(names))
    if origin is list:
        return [_encode(item, get_args(hint)[0], names) for item in value]
    if origin is dict:
        of = get_args(hint)[1]
        return {str.__str__(name): _encode(value[name], of, names) for name in sorted(value)}
    if is_dataclass(hint):
        hints = _HINTS[hint]
        return {name: _encode(getattr(value, name), of, names) for name, of in hints.items()}
    if isinstance(value, tuple):
        return [_encode(v, of, names) for v, of in zip(value, _HINTS[hint].values(), strict=True)]
    return _ENCODERS[hint](value)


#: Type hint -> encoder. Values can be of a subclass, such as freezegun's of datetime, whose own
#: methods are not called.
_ENCODERS: dict[type, Callable[[Any], Any]] = {
    Decimal: lambda value: format(value.normalize(ARITHMETIC) or Decimal(0), "f"),
    datetime: datetime.isoformat,
    float: lambda value: round(float(value), 6),
    int: int,
    bool: bool,
    str: str.__str__,
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
            raise BadReportError(f"{path}: {_show(value)} is not an index of names")
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
        hints = _HINTS[inner]
        row: list[Any] = _require(value, list, path)
        defaults: dict[str, Any] = vars(inner)["_field_defaults"]
        if not len(hints) - len(defaults) <= len(row) <= len(hints):
            raise BadReportError(f"{path}: expected [{', '.join(hints)}], not {len(row)} items")
        members = zip(row, hints.items(), strict=False)
        return inner(*[_decode(v, of, names, f"{path}.{name}") for v, (name, of) in members])
    return _decode_plain(value, inner, path)


def _decode_members(value: dict[str, Any], cls: Any, names: list[str], path: str) -> Any:
    """Read the members of a dataclass; raises BadReportError for unknown members."""
    hints = _HINTS[cls]
    unknown = value.keys() - hints.keys()
    if unknown:
        raise BadReportError(f"{path}: unknown member {_show(min(unknown))}")
    missing = [each.name for each in fields(cls) if each.name not in value and _is_required(each)]
    if missing:
        raise BadReportError(f"{path}: {missing[0]!r} is missing")
    members = {name: _decode(v, hints[name], names, f"{path}.{name}") for name, v in value.items()}
    return cls(**members)


def _is_required(member: Field[Any]) -> bool:
    return member.default is MISSING and member.default_factory is MISSING


def _decode_plain(value: Any, kind: type, path: str) -> Any:
    decode = _TEXTS.get(kind)
    if decode is not None:
        return decode(_require(value, str, path), path)
    number = float(value) if kind is float and _is_possible(value) else value
    if kind in (int, float) and type(number) is kind and not _is_possible(number):
        raise BadReportError(f"{path}: {_show(value)} is not a possible number")
    return _require(number, kind, path)


def _is_possible(number: Any) -> bool:
    """Return whether a value is a number that a report can have, and JavaScript exactly too."""
    return type(number) in (int, float) and abs(number) < _LARGEST


def _decode_amount(text: str, path: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount.adjusted()) > _LARGEST_EXPONENT:
        raise BadReportError(f"{path}: {_show(text)} is not an amount")
    return amount


def _decode_time(text: str, path: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise BadReportError(f"{path}: {_show(text)} is not a time with its UTC offset")
    return time


#: Types that are texts in JSON -> the function that reads the text.
_TEXTS: dict[type, Callable[[str, str], Any]] = {Decimal: _decode_amount, datetime: _decode_time}


def _require(value: Any, kind: type, path: str) -> Any:
    if type(value) is not kind:
        raise BadReportError(f"{path}: expected {kind.__name__}, not {_show(value)}")
    return value


def _show(value: Any) -> str:
    """Show a wrong value in one short line."""
    if isinstance(value, (list, dict)):
        return f"a {type(value).__name__}"
    if type(value) is int and abs(value) >= _LARGEST:
        return "a huge number"
    text = ascii(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


@cache
def _unwrap_optional(hint: Any) -> Any:
    """Return the type inside of an optional type hint; other hints unchanged."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(of for of in get_args(hint) if of is not type(None))
    return hint
