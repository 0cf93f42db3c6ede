"""Values as JSON: what a control object takes and returns, so that it is the same at both ends.

What JSON has is written as it is, all else as an object with one member that begins with ``$``.
Data of this package is written with the name of its class, and made again at the other end, so
both ends must have the same version of kmsmock.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from importlib import import_module
from pathlib import Path, PurePath
from types import GeneratorType, MappingProxyType
from typing import Any

from kmsmock.analysis.least_privilege import LeastPrivilege
from kmsmock.authorization.explanation import Step
from kmsmock.authorization.missing import Missing
from kmsmock.aws.prices import Prices
from kmsmock.aws.principals import Principal
from kmsmock.aws.secret_values import SecretBytes, SecretInt, SecretText
from kmsmock.identities.credentials import Credentials
from kmsmock.keys.specs import KEY_SPECS, KeySpec
from kmsmock.ledger.invoice import Invoice, InvoiceLine
from kmsmock.ledger.usage import RequestCount
from kmsmock.timing.dates import LAST

#: The data classes whose objects are made again at the other end: they have plain values only.
DATA = (Credentials, Invoice, InvoiceLine, LeastPrivilege, Missing, Prices, Principal, Step)
_PACKAGE = "kmsmock."
#: The version of kmsmock. The package itself imports what imports this module.
VERSION: str = import_module("kmsmock").__version__
_PLAIN = frozenset({str, int, float, bool, type(None)})


class UnsendableError(TypeError):
    """A value that is only there in its own process."""


def name_class(kind: type) -> str:
    """Return the name by which the other end finds a class."""
    return f"{kind.__module__}:{kind.__qualname__}"


def find_class(name: str) -> Any:
    """Return a class of this package by the name that `name_class` gives.

    Raises ValueError for other names.
    """
    module, _, path = name.partition(":")
    if module.startswith(_PACKAGE) and not module.endswith("__main__"):
        try:
            found: Any = import_module(module)
            for part in path.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError):
            found = None
        if isinstance(found, type):
            return found
    raise ValueError(f"there is no class {name!r}")


class Codec:
    """Converts values to JSON and back.

    refer: returns the JSON object that stands for an object of this package which has a life of its
    own; raises UnsendableError for what cannot be sent. resolve: returns what such a JSON object
    stands for.
    """

    def __init__(
        self,
        refer: Callable[[Any], Mapping[str, Any]],
        resolve: Callable[[Mapping[str, Any]], Any],
    ) -> None:
        self._refer = refer
        self._resolve = resolve

    # --- to JSON -----------------------------------------------------------------------------

    def encode(self, value: Any) -> Any:
        """Return a value as JSON has it. Raises UnsendableError, ValueError if it is endless."""
        try:
            return self._encode(value)
        except RecursionError:
            raise ValueError("a value contains itself, or is nested too deeply") from None

    def _encode(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is list:
            return [self._encode(item) for item in value]
        if kind is dict:
            return self._encode_dict(value)
        write = _WRITERS.get(kind)
        if write is not None:
            return {f"${kind.__name__}": write(self, value)}
        return self._encode_by_base(value)

    def _encode_dict(self, value: Mapping[Any, Any]) -> Any:
        if all(type(name) is str and name[:1] != "$" for name in value):
            return {name: self._encode(item) for name, item in value.items()}
        return {"$dict": self._pairs(value)}

    def _pairs(self, value: Mapping[Any, Any]) -> list[Any]:
        return [[self._encode(name), self._encode(item)] for name, item in value.items()]

    def _encode_by_base(self, value: Any) -> Any:
        """Encode a value by what it is derived from."""
        for base, write in _BASES:
            if isinstance(value, base):
                return write(self, value)
        return dict(self._refer(value))

    # --- from JSON ---------------------------------------------------------------------------

    def decode(self, value: Any) -> Any:
        """Return the value of JSON. Raises ValueError for what `encode` does not write."""
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        tag = next(iter(value), "")
        if tag[:1] != "$":
            return {name: self.decode(item) for name, item in value.items()}
        if tag == "$error":
            return decode_error(value, self)
        read = _READERS.get(tag)
        if read is None:
            return self._resolve(value)
        try:
            return read(self, value[tag])
        except (TypeError, KeyError, ArithmeticError) as error:
            raise ValueError(f"{tag} has a value that it cannot have: {error}") from None


# --- each type --------------------------------------------------------------------------------


def _text(_: Codec, value: Any) -> str:
    return str(value)


def _base64(_: Codec, value: Any) -> str:
    return b64encode(bytes(value)).decode("ascii")


def _items(codec: Codec, value: Any) -> list[Any]:
    return [codec.encode(item) for item in value]


def _duration(_: Codec, value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


_WRITERS: dict[type, Callable[[Codec, Any], Any]] = {
    tuple: _items,
    set: _items,
    frozenset: _items,
    bytes: _base64,
    bytearray: _base64,
    SecretBytes: _base64,
    # `str` of a secret text is the plain one.
    SecretText: _text,
    SecretInt: lambda _, value: str(int(value)),
    Decimal: _text,
    Fraction: _text,
    timedelta: _duration,
    slice: lambda codec, value: _items(codec, (value.start, value.stop, value.step)),
    Counter: lambda codec, value: codec._pairs(value),  # noqa: SLF001 - of this module
    MappingProxyType: lambda codec, value: codec._pairs(value),  # noqa: SLF001 - as above
    RequestCount: lambda codec, value: _items(codec, (int(value), value.usd, value.storage)),
}


def _as_list(codec: Codec, value: Any) -> Any:
    return codec.encode(list(value))


def _write_data(codec: Codec, value: Any) -> Any:
    members = [codec.encode(getattr(value, field.name)) for field in fields(value)]
    return {"$data": [name_class(type(value)), members]}


def _write_record(codec: Codec, value: Any) -> Any:
    kind = type(value)
    if not kind.__module__.startswith(_PACKAGE):
        return codec.encode(tuple(value))
    return {"$record": [name_class(kind), _items(codec, value)]}


def _write_time(_: Codec, value: datetime) -> Any:
    return {"$datetime": value.isoformat()}


#: What a list does as well as.
_LISTED: tuple[type, ...] = (
    *(GeneratorType, map, filter, zip, deque),
    *(type({}.keys()), type({}.values()), type({}.items())),
)
#: What types of other packages, too, are derived from, such as the datetime of freezegun.
_BASES: tuple[tuple[Any, Callable[[Codec, Any], Any]], ...] = (
    (DATA, _write_data),
    (KeySpec, lambda _, value: {"$spec": value.name}),
    (Enum, lambda _, value: {"$enum": [name_class(type(value)), value.name]}),
    (tuple, _write_record),
    (BaseException, lambda codec, value: encode_error(value, codec)),
    (type(LAST), _write_time),
    (date, lambda _, value: {"$date": value.isoformat()}),
    (str, lambda _, value: str.__str__(value)),
    (memoryview, lambda codec, value: codec.encode(bytes(value))),
    (PurePath, lambda _, value: {"$path": str(value)}),
    (Mapping, lambda codec, value: codec._encode_dict(value)),  # noqa: SLF001 - of this module
    (_LISTED, _as_list),
)


def _require(is_right: bool, name: str) -> None:  # noqa: FBT001 - the condition
    if not is_right:
        raise ValueError(f"a value of this kind is no {name}")


def _read_data(codec: Codec, value: Any) -> Any:
    name, members = value
    kind = find_class(name)
    _require(kind in DATA, name)
    made = object.__new__(kind)
    for field, member in zip(fields(kind), members, strict=True):
        object.__setattr__(made, field.name, codec.decode(member))
    return made


def _read_record(codec: Codec, value: Any) -> Any:
    name, members = value
    kind = find_class(name)
    _require(issubclass(kind, tuple), name)
    return tuple.__new__(kind, [codec.decode(member) for member in members])


def _read_enum(_: Codec, value: Any) -> Any:
    name, member = value
    kind = find_class(name)
    _require(issubclass(kind, Enum), name)
    return kind[member]


def _read_count(codec: Codec, value: Any) -> RequestCount:
    number, usd, storage = map(codec.decode, value)
    count = RequestCount(number)
    count.usd, count.storage = usd, storage
    return count


def _read_pairs(codec: Codec, value: Any) -> dict[Any, Any]:
    return {codec.decode(name): codec.decode(item) for name, item in value}


_READERS: dict[str, Callable[[Codec, Any], Any]] = {
    "$tuple": lambda codec, value: tuple(codec.decode(value)),
    "$set": lambda codec, value: set(codec.decode(value)),
    "$frozenset": lambda codec, value: frozenset(codec.decode(value)),
    "$bytes": lambda _, value: b64decode(value),
    "$bytearray": lambda _, value: bytearray(b64decode(value)),
    "$SecretBytes": lambda _, value: SecretBytes(b64decode(value)),
    "$SecretText": lambda _, value: SecretText(value),
    "$SecretInt": lambda _, value: SecretInt(value),
    "$Decimal": lambda _, value: Decimal(value),
    "$Fraction": lambda _, value: Fraction(value),
    "$timedelta": lambda _, value: timedelta(*value),
    "$slice": lambda codec, value: slice(*codec.decode(value)),
    "$Counter": lambda codec, value: Counter(_read_pairs(codec, value)),
    "$mappingproxy": lambda codec, value: MappingProxyType(_read_pairs(codec, value)),
    "$RequestCount": _read_count,
    "$dict": _read_pairs,
    "$data": _read_data,
    "$record": _read_record,
    "$enum": _read_enum,
    "$spec": lambda _, value: KEY_SPECS[value],
    "$datetime": lambda _, value: datetime.fromisoformat(value),
    "$date": lambda _, value: date.fromisoformat(value),
    "$path": lambda _, value: Path(value),
}


# --- exceptions -------------------------------------------------------------------------------


def encode_error(error: BaseException, codec: Codec) -> dict[str, Any]:
    """Return an exception as JSON: its class, or the nearest that the other end has."""
    members = {name: value for name, value in vars(error).items() if name != "__notes__"}
    for name in ("name", "errno", "strerror", "filename"):
        if isinstance(getattr(error, name, None), (str, int)):
            members.setdefault(name, getattr(error, name))
    return {
        "$error": _name_error_class(type(error)),
        "arguments": [_encode_or_describe(argument, codec) for argument in error.args],
        "members": {name: _encode_or_describe(value, codec) for name, value in members.items()},
        "notes": list(map(str, getattr(error, "__notes__", ()))),
    }


def _encode_or_describe(value: Any, codec: Codec) -> Any:
    try:
        return codec.encode(value)
    except UnsendableError:
        return str(value)


def _name_error_class(kind: type) -> str:
    for base in kind.__mro__:
        if base.__module__ == "builtins":
            return base.__qualname__
        name = "ClientError" if base.__name__ == "ClientError" else name_class(base)
        if name == "ClientError":
            return name
        try:
            if find_class(name) is base:
                return name
        except ValueError:
            continue
    return "Exception"


def decode_error(value: Mapping[str, Any], codec: Codec) -> BaseException:
    """Return the exception that `encode_error` has written."""
    kind = _find_error_class(value["$error"])
    arguments = codec.decode(value["arguments"])
    error: BaseException = kind.__new__(kind, *arguments)
    error.args = tuple(arguments)
    for name, member in value["members"].items():
        setattr(error, name, codec.decode(member))
    if value["notes"]:
        vars(error)["__notes__"] = value["notes"]
    return error


def _find_error_class(name: str) -> Any:
    import builtins

    if name == "ClientError":
        from botocore.exceptions import ClientError

        return ClientError
    kind = getattr(builtins, name, object) if ":" not in name else find_class(name)
    _require(isinstance(kind, type) and issubclass(kind, BaseException), name)
    return kind
