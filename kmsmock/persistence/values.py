"""Values as JSON texts, and back. Reading creates objects of the declared types, and nothing else.

A JSON object is a dict with texts as keys. All other values that JSON does not have are arrays,
whose first item says what they are: the letter in `_Tag`, or the name of a class in `VALUES`.
"""

from __future__ import annotations

import json
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache, partial
from operator import attrgetter
from types import FunctionType, MethodType
from typing import Any

from kmsmock.authorization.policy import Policy, parse
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.aws.prices import Charge
from kmsmock.aws.secret_values import SecretBytes, SecretInt, SecretText
from kmsmock.crypto import PrivateKey
from kmsmock.crypto.rsa import RsaKey
from kmsmock.keys.specs import KEY_SPECS, KeySpec
from kmsmock.ledger.call_record import NO_RARE_FIELDS, RareFields
from kmsmock.persistence.persisted_types import (
    CLASSES,
    ENUMS,
    FUNCTIONS,
    METHODS,
    OMITTED,
    SHOWN_STATES,
    TYPES,
    VALUES,
)
from kmsmock.services.members import Members
from kmsmock.services.rds.kinds import Kind, kind_named
from kmsmock.timing.passing_states import ShownState

_dump = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class NotPersistedError(TypeError):
    """A value of a type that is not declared as persisted: a defect of this package."""


class _Tag:
    """The first items of arrays."""

    REFERENCE = "@"
    TUPLE, LIST, SET, FROZEN_SET, DICT = "t", "l", "s", "z", "d"
    BYTES, SECRET_BYTES, SECRET_TEXT, SECRET_INT = "b", "B", "T", "I"
    TIME, DURATION, DECIMAL, ENUM = "D", "i", "n", "e"
    POLICY, KEY_SPEC, KIND, SHOWN_STATE, PRIVATE_KEY = "P", "k", "K", "S", "R"
    PARTIAL, FUNCTION, METHOD, CLASS, MEMBERS = "p", "f", "m", "c", "M"
    NUMBERS = "N"


# --- writing --------------------------------------------------------------------------------------


class Writer:
    """Writes values. number_of: returns the number of an object that has rows of its own."""

    def __init__(self, number_of: Callable[[Any], int]) -> None:
        self._number_of = number_of
        #: The numbers of the objects that the last text refers to.
        self.references: list[int] = []

    def dump(self, value: Any) -> str:
        """Return a value as JSON text, and note its references. Raises NotPersistedError."""
        self.references = []
        return _dump(self.write(value))

    def write(self, value: Any) -> Any:
        """Return a value as JSON has it. Raises NotPersistedError."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        write = _WRITERS.get(kind) or _find_writer(kind)
        return write(self, value)

    def refer(self, value: Any) -> list[Any]:
        """Return a reference to an object that has rows of its own."""
        number = self._number_of(value)
        self.references.append(number)
        return [_Tag.REFERENCE, number]


_PLAIN = frozenset({str, int, float, bool, type(None)})
_Write = Callable[[Writer, Any], Any]


def _find_writer(kind: type) -> _Write:
    if issubclass(kind, datetime):  # freezegun's
        return _write_time
    raise NotPersistedError(f"{kind.__module__}.{kind.__qualname__} is not persisted")


def _write_dict(writer: Writer, value: Mapping[Any, Any]) -> Any:
    write = writer.write
    if all(type(key) is str for key in value):
        return {key: write(item) for key, item in value.items()}
    return [_Tag.DICT, *([write(key), write(item)] for key, item in value.items())]


def _write_items(tag: str) -> _Write:
    def write_items(writer: Writer, value: Any) -> Any:
        write = writer.write
        return [tag, *(item if type(item) in _PLAIN else write(item) for item in value)]

    return write_items


def _write_set(tag: str) -> _Write:
    return lambda writer, value: [tag, *sorted(map(writer.write, value), key=_dump)]


def _write_text(tag: str, to_text: Callable[[Any], Any]) -> _Write:
    return lambda _, value: [tag, to_text(value)]


def _encode_bytes(value: bytes) -> str:
    return b64encode(value).decode()


_write_time = _write_text(_Tag.TIME, datetime.isoformat)


def _write_partial(writer: Writer, value: partial[Any]) -> Any:
    assert not value.keywords, "scheduled work has positional arguments"
    return [_Tag.PARTIAL, writer.write(value.func), *map(writer.write, value.args)]


def _write_method(writer: Writer, value: MethodType) -> Any:
    for name, method in METHODS.items():
        if value.__func__ is method:
            return [_Tag.METHOD, name, writer.refer(value.__self__)]
    raise NotPersistedError(f"the method {value.__qualname__} is not persisted")


def _write_named(tag: str, names: Mapping[str, Any]) -> _Write:
    known = {id(value): name for name, value in names.items()}

    def write_named(_: Writer, value: Any) -> Any:
        if id(value) not in known:
            raise NotPersistedError(f"{value!r} is not persisted")
        return [tag, known[id(value)]]

    return write_named


def _write_value(name: str, cls: type) -> _Write:
    get_fields = attrgetter(*list_value_fields(cls))

    def write_value(writer: Writer, value: Any) -> Any:
        write = writer.write
        made = [item if type(item) in _PLAIN else write(item) for item in get_fields(value)]
        made.insert(0, name)
        return made

    return write_value


def list_value_fields(cls: type) -> tuple[str, ...]:
    """Return the fields of a class in `VALUES` that are written, in their order."""
    own: Any = cls
    names = own._fields if issubclass(cls, tuple) else [field.name for field in fields(own)]
    return tuple(name for name in names if name not in OMITTED.get(cls, ()))


def _write_rare_fields(writer: Writer, value: RareFields) -> Any:
    return (
        None if value == NO_RARE_FIELDS else _write_value("RareFields", RareFields)(writer, value)
    )


def _write_charge(_: Writer, value: Charge) -> Any:
    return _make_charge(value)


# There are few, and each call has one.
@lru_cache(maxsize=256)
def _make_charge(charge: Charge) -> Any:
    return _write_value("Charge", Charge)(Writer(id), charge)


_WRITERS: dict[type, _Write] = {
    dict: _write_dict,
    Members: lambda writer, value: [_Tag.MEMBERS, _write_dict(writer, value)],
    tuple: _write_items(_Tag.TUPLE),
    list: _write_items(_Tag.LIST),
    set: _write_set(_Tag.SET),
    frozenset: _write_set(_Tag.FROZEN_SET),
    bytes: _write_text(_Tag.BYTES, _encode_bytes),
    SecretBytes: _write_text(_Tag.SECRET_BYTES, _encode_bytes),
    SecretText: _write_text(_Tag.SECRET_TEXT, str),
    SecretInt: _write_text(_Tag.SECRET_INT, int),
    datetime: _write_time,
    array: _write_text(_Tag.NUMBERS, _encode_bytes),
    timedelta: lambda _, value: [_Tag.DURATION, value.days, value.seconds, value.microseconds],
    Decimal: _write_text(_Tag.DECIMAL, str),
    Policy: lambda _, value: [_Tag.POLICY, value.kind.name, value.text, value.name],
    KeySpec: _write_text(_Tag.KEY_SPEC, lambda spec: spec.name),
    Kind: _write_text(_Tag.KIND, lambda kind: kind.name),
    ShownState: _write_named(_Tag.SHOWN_STATE, SHOWN_STATES),
    RsaKey: lambda _, key: [_Tag.PRIVATE_KEY, f"RSA_{key.bits}", _encode_bytes(key.private_der())],
    partial: _write_partial,
    MethodType: _write_method,
    FunctionType: _write_named(_Tag.FUNCTION, FUNCTIONS),
    type: _write_named(_Tag.CLASS, CLASSES),
    **{cls: _write_value(name, cls) for name, cls in VALUES.items()},
    RareFields: _write_rare_fields,
    Charge: _write_charge,
    **dict.fromkeys(ENUMS.values(), lambda _, value: [_Tag.ENUM, type(value).__name__, value.name]),
    **dict.fromkeys(TYPES, Writer.refer),
}


def get_secret(material: Any) -> SecretBytes | None:
    """Return the secret of a key material, also if it is known only as an opened private key."""
    secret: SecretBytes | None = material.secret
    opened: PrivateKey | None = material.opened
    if secret is None and opened is not None:
        return SecretBytes(opened.private_der())
    return secret


# --- reading --------------------------------------------------------------------------------------


class Reader:
    """Reads values. find: returns the object with a number. Raises `READING_ERRORS`."""

    def __init__(self, find: Callable[[int], Any]) -> None:
        self._find = find
        #: Long texts that are equal are one object, such as the default key policy.
        self._texts: dict[str, str] = {}
        self._charges: dict[Charge, Charge] = {}
        #: The numbers of the objects that the last text refers to.
        self.references: list[int] = []

    def load(self, text: str) -> Any:
        """Return the value of a JSON text, and note its references."""
        self.references = []
        return self.read(json.loads(text))

    def read(self, value: Any) -> Any:
        """Return the value of what JSON has."""
        kind = type(value)
        if kind is str:
            return self._texts.setdefault(value, value) if len(value) > _SHORT else value
        if kind is dict:
            return {key: self.read(item) for key, item in value.items()}
        if kind is not list:
            return value
        tag, items = value[0], value[1:]
        read = _READERS.get(tag)
        return self._read_value(VALUES[tag], items) if read is None else read(self, *items)

    def refer(self, number: int) -> Any:
        """Return the object with a number."""
        self.references.append(number)
        return self._find(number)

    def _read_value(self, cls: Any, items: list[Any]) -> Any:
        names = list_value_fields(cls)
        values = dict(zip(names, map(self.read, items), strict=True))
        values.update(dict.fromkeys(OMITTED.get(cls, ())))
        if "rare" in values and values["rare"] is None:
            values["rare"] = NO_RARE_FIELDS
        if issubclass(cls, tuple):
            made: Any = cls(**values)
            # Calls of the same price share one object.
            return self._charges.setdefault(made, made) if cls is Charge else made
        made = object.__new__(cls)
        for name, item in values.items():
            object.__setattr__(made, name, item)
        return made


_SHORT = 64
#: What a file with wrong content raises.
READING_ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError)


def _read_pairs(reader: Reader, *pairs: Any) -> dict[Any, Any]:
    return {reader.read(key): reader.read(item) for key, item in pairs}


def _read_time(_: Reader, text: str) -> datetime:
    time = datetime.fromisoformat(text)
    # So that all have the same object as their zone.
    return time.astimezone(timezone.utc) if time.utcoffset() == timedelta() else time


def _read_partial(reader: Reader, function: Any, *arguments: Any) -> partial[Any]:
    return partial(reader.read(function), *map(reader.read, arguments))


def _read_private_key(_: Reader, spec: str, der: str) -> Any:
    reopen = KEY_SPECS[spec].reopen
    assert reopen is not None
    return reopen(b64decode(der))


_READERS: Mapping[str, Callable[..., Any]] = {
    _Tag.REFERENCE: Reader.refer,
    _Tag.TUPLE: lambda reader, *items: tuple(map(reader.read, items)),
    _Tag.LIST: lambda reader, *items: list(map(reader.read, items)),
    _Tag.SET: lambda reader, *items: set(map(reader.read, items)),
    _Tag.FROZEN_SET: lambda reader, *items: frozenset(map(reader.read, items)),
    _Tag.DICT: _read_pairs,
    _Tag.MEMBERS: lambda reader, value: Members(reader.read(value)),
    _Tag.BYTES: lambda _, text: b64decode(text),
    _Tag.SECRET_BYTES: lambda _, text: SecretBytes(b64decode(text)),
    _Tag.SECRET_TEXT: lambda _, text: SecretText(text),
    _Tag.SECRET_INT: lambda _, number: SecretInt(number),
    _Tag.TIME: _read_time,
    _Tag.NUMBERS: lambda _, text: array("Q", b64decode(text)),
    _Tag.DURATION: lambda _, *parts: timedelta(*parts),
    _Tag.DECIMAL: lambda _, text: Decimal(text),
    _Tag.ENUM: lambda _, cls, name: ENUMS[cls][name],
    _Tag.POLICY: lambda _, kind, text, name: parse(text, PolicyKind[kind], name),
    _Tag.KEY_SPEC: lambda _, name: KEY_SPECS[name],
    _Tag.KIND: lambda _, name: kind_named(name),
    _Tag.SHOWN_STATE: lambda _, name: SHOWN_STATES[name],
    _Tag.PRIVATE_KEY: _read_private_key,
    _Tag.PARTIAL: _read_partial,
    _Tag.FUNCTION: lambda _, name: FUNCTIONS[name],
    _Tag.METHOD: lambda reader, name, owner: METHODS[name].__get__(reader.read(owner)),
    _Tag.CLASS: lambda _, name: CLASSES[name],
}
