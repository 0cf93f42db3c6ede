"""Wrong values in error messages, and the check of types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from kmsmock.misuse.surrogates import require_encodable

#: Texts that can be key material: PEM, and at least 16 bytes in Base64 or hexadecimal digits.
_LIKE_MATERIAL = re.compile(r"(?s).*-----BEGIN.*|(?!alias/)(?=.*[\d+=])[A-Za-z0-9+/]{22,}={0,2}")
_LONGEST = 60
#: Numbers of more digits are not shown; Python does not even write those of very many.
_HUGE = 10**_LONGEST
#: Types of values that cannot be secrets, and are shown as Python writes them.
_SHOWN = (bool, int, float, Decimal, date, timedelta)


def describe(value: object) -> str:
    """Describe a wrong value: as Python writes it, shortened, or by its type.

    Bytes are not shown, nor what dicts and lists contain, since these may be secrets.
    """
    if value is None or isinstance(value, (str, *_SHOWN)):
        return quote(value) if type(value) is str else _describe_plain(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "bytes"
    if isinstance(value, Mapping):
        names = ", ".join(map(str, value))
        return f"a dict with {names[:_LONGEST]}" if names else "an empty dict"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, (FunctionType, BuiltinFunctionType, MethodType)):
        return f"the function {value.__name__}, which is not called"
    return with_article(type(value).__name__)


def _describe_plain(value: object) -> str:
    is_huge = isinstance(value, int) and abs(value) >= _HUGE
    return "a huge number" if is_huge else repr(value)


def quote(text: str) -> str:
    """Quote a text in an error message, shortened; just its length if it can be key material."""
    if _LIKE_MATERIAL.fullmatch(text):
        return f"<{len(text)} characters>"
    return repr(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def with_article(name: str) -> str:
    """Return the name of a type with its indefinite article."""
    return f"{'an' if name[:1] in tuple('aeioAEIO') else 'a'} {name}"


def require_type(value: object, types: type | tuple[type, ...], name: str, expected: str) -> None:
    """Require a value of one of these types. Raises TypeError.

    name: of the argument. expected: what it takes, such as ``a str``. A bool is no number here.
    """
    all_types = types if isinstance(types, tuple) else (types,)
    is_bool_for_number = isinstance(value, bool) and int in all_types and bool not in all_types
    if is_bool_for_number or not isinstance(value, types):
        raise TypeError(describe_wrong_type(value, name, expected))


def require_texts(value: Any, name: str) -> None:
    """Require a dict of texts without lone surrogates, such as an encryption context.

    name: of the argument. Raises TypeError, ValueError.
    """
    require_type(value, Mapping, name, "a dict")
    for key, item in value.items():
        require_type(key, str, f"a name in {name}", "a str")
        require_type(item, str, f"{name}[{key!r}]", "a str")
    require_encodable(value, name)


def describe_wrong_type(value: object, name: str, expected: str, *, is_shown: bool = True) -> str:
    """Return the sentence about a value of a wrong type. is_shown: whether it is no secret."""
    can_be_shown = is_shown and isinstance(value, (str, *_SHOWN))
    text = f": {describe(value)}" if can_be_shown else ""
    return f"{name} must be {expected}, not {type(value).__name__}{text}"
