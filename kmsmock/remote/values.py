"""Values as JSON: what a control object takes and returns, so that it is the same at both ends.

What JSON has is written as it is, all else as an object with one member that begins with ``$``.
Data of this package is written with the name of its class, and made again at the other end, so
both ends must have the same version of kmsmock.
"""

from __future__ import annotations

import functools
from base64 import b64decode, b64encode
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
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


@functools.lru_cache(maxsize=1000)
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

    def encode(self, value: Any) -> Any:
        """Return a value as JSON has it. Raises UnsendableError, ValueError if it is endless."""
        try:
            return _Encoder(self._refer).encode(value)
        except RecursionError:
            raise ValueError("a value contains itself, or is nested too deeply") from None

    def decode(self, value: Any) -> Any:
        """Return the value of JSON. Raises ValueError for what `encode` does not write."""
        return _Decoder(self._resolve).decode(value)


class _Encoder:
    """Writes one value; what does not change and occurs in it several times is written once."""

    def __init__(self, refer: Callable[[Any], Mapping[str, Any]]) -> None:
        self._refer = refer
        #: Id of a value -> the value, which so keeps its id, and the number by which it is named.
        self._written: dict[int, tuple[Any, int]] = {}

    def encode(self, value: Any) -> Any:
        kind: type = type(value)
        if kind in _PLAIN:
            return value
        if kind is list:
            return [self.encode(item) for item in value]
        if kind is dict:
            return self.encode_dict(value)
        write = _find_writer(kind)
        return dict(self._refer(value)) if write is None else write(self, value)

    def encode_dict(self, value: Mapping[Any, Any]) -> Any:
        if all(type(name) is str and name[:1] != "$" for name in value):
            return {name: self.encode(item) for name, item in value.items()}
        return {"$dict": self.encode_pairs(value)}

    def encode_pairs(self, value: Mapping[Any, Any]) -> list[Any]:
        return [[self.encode(name), self.encode(item)] for name, item in value.items()]

    def encode_items(self, value: Iterable[Any]) -> list[Any]:
        return [self.encode(item) for item in value]

    def encode_once(self, value: Any, write: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        known = self._written.get(id(value))
        if known is not None:
            return {"$same": known[1]}
        number = len(self._written)
        self._written[id(value)] = (value, number)
        return {**write(), "number": number}


class _Decoder:
    """Reads one value."""

    def __init__(self, resolve: Callable[[Mapping[str, Any]], Any]) -> None:
        self._resolve = resolve
        self._read: dict[int, Any] = {}

    def decode(self, value: Any) -> Any:
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
            found = read(self, value[tag])
        except (TypeError, KeyError, ArithmeticError) as error:
            raise ValueError(f"{tag} has a value that it cannot have: {error}") from None
        if "number" in value:
            self._read[value["number"]] = found
        return found

    def get_same(self, number: int) -> Any:
        return self._read[number]

    def decode_pairs(self, value: Any) -> dict[Any, Any]:
        return {self.decode(name): self.decode(item) for name, item in value}


# --- each type --------------------------------------------------------------------------------

_Writer = Callable[[_Encoder, Any], Any]


def _tagged(tag: str, write: _Writer) -> _Writer:
    return lambda encoder, value: {tag: write(encoder, value)}


def _text(_: _Encoder, value: Any) -> str:
    return str(value)


def _base64(_: _Encoder, value: Any) -> str:
    return b64encode(bytes(value)).decode("ascii")


def _write_tuple(encoder: _Encoder, value: Any) -> Any:
    return encoder.encode_once(value, lambda: {"$tuple": encoder.encode_items(value)})


def _write_data(encoder: _Encoder, value: Any) -> Any:
    return encoder.encode_once(
        value,
        lambda: {
            "$data": [
                name_class(type(value)),
                [encoder.encode(getattr(value, field.name)) for field in fields(value)],
            ]
        },
    )


def _write_record(encoder: _Encoder, value: Any) -> Any:
    kind = type(value)
    if not kind.__module__.startswith(_PACKAGE):
        return encoder.encode(tuple(value))
    return encoder.encode_once(
        value, lambda: {"$record": [name_class(kind), encoder.encode_items(tuple.__iter__(value))]}
    )


#: Type -> how its values are written.
_WRITERS: dict[type, _Writer] = {
    tuple: _write_tuple,
    **{
        kind: _tagged(f"${kind.__name__}", write)
        for kind, write in (
            *((kind, _Encoder.encode_items) for kind in (set, frozenset)),
            *((kind, _base64) for kind in (bytes, bytearray, SecretBytes)),
            # `str` of a secret text is the plain one.
            *((kind, _text) for kind in (SecretText, Decimal, Fraction)),
            *((kind, _Encoder.encode_pairs) for kind in (Counter, MappingProxyType)),
            (SecretInt, lambda _, value: str(int(value))),
            (timedelta, lambda _, value: [value.days, value.seconds, value.microseconds]),
            (slice, lambda encoder, v: encoder.encode_items((v.start, v.stop, v.step))),
            (RequestCount, lambda encoder, v: encoder.encode_items((int(v), v.usd, v.storage))),
        )
    },
}
#: What a list does as well as.
_LISTED: tuple[type, ...] = (
    *(GeneratorType, map, filter, zip, deque),
    *(type({}.keys()), type({}.values()), type({}.items())),
)
#: What types of other packages, too, are derived from, such as the datetime of freezegun.
_BASES: tuple[tuple[Any, _Writer], ...] = (
    (DATA, _write_data),
    (KeySpec, lambda _, value: {"$spec": value.name}),
    (Enum, lambda _, value: {"$enum": [name_class(type(value)), value.name]}),
    (tuple, _write_record),
    (BaseException, lambda encoder, value: encode_error(value, encoder)),
    (type(LAST), lambda _, value: {"$datetime": value.isoformat()}),
    (date, lambda _, value: {"$date": value.isoformat()}),
    (str, lambda _, value: str.__str__(value)),
    (memoryview, lambda encoder, value: encoder.encode(bytes(value))),
    (PurePath, lambda _, value: {"$path": str(value)}),
    (Mapping, _Encoder.encode_dict),
    (_LISTED, lambda encoder, value: encoder.encode(list(value))),
)


@functools.lru_cache(maxsize=1000)
def _find_writer(kind: type) -> _Writer | None:
    """Return how values of a type are written; None for what is only referred to."""
    if kind in _WRITERS:
        return _WRITERS[kind]
    return next((write for base, write in _BASES if issubclass(kind, base)), None)


def _require(is_right: bool, name: str) -> None:  # noqa: FBT001 - the condition
    if not is_right:
        raise ValueError(f"a value of this kind is no {name}")


def _read_data(decoder: _Decoder, value: Any) -> Any:
    name, members = value
    kind = find_class(name)
    _require(kind in DATA, name)
    made = object.__new__(kind)
    for field, member in zip(fields(kind), members, strict=True):
        object.__setattr__(made, field.name, decoder.decode(member))
    return made


def _read_record(decoder: _Decoder, value: Any) -> Any:
    name, members = value
    kind = find_class(name)
    _require(issubclass(kind, tuple), name)
    return tuple.__new__(kind, [decoder.decode(member) for member in members])


def _read_enum(_: _Decoder, value: Any) -> Any:
    name, member = value
    kind = find_class(name)
    _require(issubclass(kind, Enum), name)
    return kind[member]


def _read_count(decoder: _Decoder, value: Any) -> RequestCount:
    number, usd, storage = map(decoder.decode, value)
    count = RequestCount(number)
    count.usd, count.storage = usd, storage
    return count


_READERS: dict[str, Callable[[_Decoder, Any], Any]] = {
    "$tuple": lambda decoder, value: tuple(decoder.decode(value)),
    "$set": lambda decoder, value: set(decoder.decode(value)),
    "$frozenset": lambda decoder, value: frozenset(decoder.decode(value)),
    "$bytes": lambda _, value: b64decode(value),
    "$bytearray": lambda _, value: bytearray(b64decode(value)),
    "$SecretBytes": lambda _, value: SecretBytes(b64decode(value)),
    "$SecretText": lambda _, value: SecretText(value),
    "$SecretInt": lambda _, value: SecretInt(value),
    "$Decimal": lambda _, value: Decimal(value),
    "$Fraction": lambda _, value: Fraction(value),
    "$timedelta": lambda _, value: timedelta(*value),
    "$slice": lambda decoder, value: slice(*decoder.decode(value)),
    "$Counter": lambda decoder, value: Counter(decoder.decode_pairs(value)),
    "$mappingproxy": lambda decoder, value: MappingProxyType(decoder.decode_pairs(value)),
    "$RequestCount": _read_count,
    "$dict": _Decoder.decode_pairs,
    "$same": _Decoder.get_same,
    "$data": _read_data,
    "$record": _read_record,
    "$enum": _read_enum,
    "$spec": lambda _, value: KEY_SPECS[value],
    "$datetime": lambda _, value: datetime.fromisoformat(value),
    "$date": lambda _, value: date.fromisoformat(value),
    "$path": lambda _, value: Path(value),
}


# --- exceptions -------------------------------------------------------------------------------


def encode_error(error: BaseException, codec: Codec | _Encoder) -> dict[str, Any]:
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


def _encode_or_describe(value: Any, codec: Codec | _Encoder) -> Any:
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


def decode_error(value: Mapping[str, Any], codec: Codec | _Decoder) -> BaseException:
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
