"""KMS's JSON protocol: parse and validate requests by botocore's model, serialize responses.

With ``wire=True`` and without, requests arrive as JSON, so that one set of checks serves both.
"""

from __future__ import annotations

import binascii
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

from kmsmock.aws import errors
from kmsmock.aws.api_call import ApiCall
from kmsmock.aws.enums import ENUM_VALUES, PRINTED_ENUMS
from kmsmock.aws.operations import OPERATION_FACTS

#: Patterns that KMS enforces and the model does not have.
_ASCII = r"^\p{ASCII}+$"
_PATTERNS = {"KeyIdType": _ASCII}
#: Members whose value no error message contains, not even that it is null.
_SENSITIVE_MEMBERS = frozenset({"plaintext", "message"})
#: Called with value, path and the list of failures; returns the parsed value and appends what
#: constraints it does not satisfy. Raises SerializationException for a wrong type.
Check = Callable[[Any, str, "list[str]"], Any]


_CHECKS: dict[str, Check] = {}
_decode = json.JSONDecoder().raw_decode


def parse_request(call: ApiCall) -> dict[str, Any]:
    """Parse and validate the parameters of a request.

    Blobs become bytes and timestamps aware datetimes. Raises SerializationException for JSON
    that does not have the model's types, ValidationException for values outside of its limits.
    """
    text = call.body
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    try:
        # As json.loads, but without its overhead; white space around the object is rare.
        body, end = _decode(text)
    except (ValueError, RecursionError):
        body, end = None, -1
    if end != len(text):
        body = _parse(text)
    check = _CHECKS.get(call.operation)
    if check is None:
        shape = call.model.input_shape
        facts = OPERATION_FACTS.get(call.operation)  # None for operations of other services
        largest = facts.pages.most if facts is not None and facts.pages is not None else None
        check = _structure(shape, largest) if shape else _empty
        _CHECKS[call.operation] = check
    failures: list[str] = []
    parameters: dict[str, Any] = check(body, "", failures)
    if failures:
        count = len(failures)
        raise errors.ValidationException(
            f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(failures)}"
        )
    return parameters


def _parse(text: str) -> Any:
    """Parse JSON; an empty body is an empty object. Raises SerializationException."""
    try:
        return json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as reason:
        raise errors.SerializationException(
            explanation=f"The body of the request is not JSON: {reason}"
        ) from None


def serialize_response(result: Mapping[str, Any]) -> bytes:
    """Serialize a response as KMS does: blobs in base64, timestamps as epoch seconds."""
    return json.dumps(result, default=_to_json, separators=(",", ":")).encode() if result else b""


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return binascii.b2a_base64(value, newline=False).decode()
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{value!r} cannot be written as JSON")


# --- checks, one per type of shape --------------------------------------------------------


def _check(shape: Any) -> Check:
    return _MAKERS[shape.type_name](shape)


def _structure(shape: Any, page_limit: int | None = None) -> Check:
    members = [_member(name, shape, page_limit) for name in shape.members]
    known = frozenset(shape.members)

    def check_structure(value: Any, path: str, failures: list[str]) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong_type(value, path, "a structure")
        result = {}
        for name, lower, check, required, limits in members:
            if (member := value.get(name)) is not None:
                if limits is not None and type(member) is str:
                    # Most members are texts within their limits, and need no check of their own.
                    values, low, high, matches = limits
                    if (
                        member in values
                        if values
                        else low <= len(member) <= high and (matches is None or matches(member))
                    ):
                        result[name] = member
                        continue
                result[name] = check(member, f"{path}.{lower}" if path else lower, failures)
            elif required:
                subject = "Value" if lower in _SENSITIVE_MEMBERS else "Value null"
                member_path = f"{path}.{lower}" if path else lower
                failures.append(
                    f"{subject} at '{member_path}' failed to satisfy constraint: "
                    "Member must not be null"
                )
        if len(result) != len(value):
            _require_known(value, known)
        return result

    return check_structure


def _require_known(value: Mapping[str, Any], known: frozenset[str]) -> None:
    for name in value:
        if name not in known:
            raise errors.SerializationException(
                explanation=f"The operation has no parameter {name!r}; it has "
                f"{', '.join(sorted(known)) or 'none'}."
            )


def _member(
    name: str, shape: Any, page_limit: int | None
) -> tuple[str, str, Check, bool, _TextLimits | None]:
    """Return what a structure has to know of a member: names, check, and whether it is required."""
    member = shape.members[name]
    is_page_size = name == "Limit" and page_limit is not None
    return (
        name,
        name[0].lower() + name[1:],
        _integer_between(1, page_limit or 0) if is_page_size else _check(member),
        name in shape.required_members,
        _TextLimits.of(member) if member.type_name == "string" else None,
    )


def _empty(value: Any, path: str, failures: list[str]) -> dict[str, Any]:  # noqa: ARG001 - a Check
    return {}


class _TextLimits(NamedTuple):
    """What a text must satisfy: to be one of the values of an enum, or its length and pattern."""

    values: frozenset[str]
    low: float
    high: float
    matches: Callable[[str], object] | None

    @classmethod
    def of(cls, shape: Any) -> _TextLimits:
        """Return the limits of a string shape."""
        pattern = _pattern(shape)
        return cls(
            frozenset(shape.enum) | frozenset(ENUM_VALUES.get(shape.name) or _printed_enum(shape)),
            *_limits(shape),
            _compile(pattern).fullmatch if pattern else None,
        )

    @property
    def allow_any(self) -> bool:
        """Whether any text satisfies them."""
        return self == (frozenset(), -math.inf, math.inf, None)


def _pattern(shape: Any) -> str | None:
    pattern: str | None = _PATTERNS.get(shape.name) or shape.metadata.get("pattern")
    return pattern


def _printed_enum(shape: Any) -> tuple[str, ...]:
    return PRINTED_ENUMS.get(shape.name) or tuple(shape.enum)


def _string(shape: Any) -> Check:
    values, low, high, matches = _TextLimits.of(shape)
    pattern = _pattern(shape)
    sensitive = shape.metadata.get("sensitive", False)
    enum_text = f"satisfy enum value set: [{', '.join(_printed_enum(shape))}]"

    def check_string(value: Any, path: str, failures: list[str]) -> str:
        if type(value) is not str:
            raise _wrong_type(value, path, "a string")
        if values:
            if value not in values:
                failures.append(_failure(value, path, enum_text))
            return value
        length = len(value)
        printed_value = None if sensitive else value
        if length < low:
            failures.append(_failure(printed_value, path, _at_least("length", low)))
        elif length > high:
            failures.append(_failure(printed_value, path, _at_most("length", high)))
        if matches is not None and matches(value) is None:
            text = f"satisfy regular expression pattern: {pattern}"
            failures.append(_failure(printed_value, path, text))
        return value

    return check_string


def _blob(shape: Any) -> Check:
    low, high = _limits(shape)

    def check_blob(value: Any, path: str, failures: list[str]) -> bytes:
        if type(value) is not str:
            raise _wrong_type(value, path, "a blob in base64")
        raw = b""
        try:
            raw = binascii.a2b_base64(value.encode("ascii"))
            # a2b_base64 skips other characters; the length shows whether it did.
            is_valid = 4 * math.ceil(len(raw) / 3) == len(value)
        except (ValueError, binascii.Error):
            is_valid = False
        if not is_valid:
            raise errors.SerializationException(explanation=f"The value of {path!r} is not base64.")
        if len(raw) < low:
            failures.append(_failure(None, path, _at_least("length", low)))
        elif len(raw) > high:
            failures.append(_failure(None, path, _at_most("length", high)))
        return raw

    return check_blob


def _integer(shape: Any) -> Check:
    return _integer_between(*_limits(shape))


def _integer_between(low: float, high: float) -> Check:
    def check_integer(value: Any, path: str, failures: list[str]) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            raise _wrong_type(value, path, "an integer")
        if not -(2**31) <= value < 2**31:
            raise errors.SerializationException(
                explanation=f"The value of {path!r} does not fit into 32 bits."
            )
        if value < low:
            failures.append(_failure(value, path, _at_least("value", low)))
        elif value > high:
            failures.append(_failure(value, path, _at_most("value", high)))
        return value

    return check_integer


def _boolean(shape: Any) -> Check:  # noqa: ARG001 - one maker per type
    def check_boolean(value: Any, path: str, failures: list[str]) -> bool:  # noqa: ARG001 - a Check
        if type(value) is not bool:
            raise _wrong_type(value, path, "a boolean")
        return value

    return check_boolean


def _timestamp(shape: Any) -> Check:  # noqa: ARG001 - one maker per type
    def check_timestamp(value: Any, path: str, failures: list[str]) -> datetime:  # noqa: ARG001
        if type(value) not in (int, float):
            raise _wrong_type(value, path, "a timestamp in epoch seconds")
        try:
            return datetime.fromtimestamp(value, timezone.utc)
        except (ValueError, OverflowError, OSError):
            raise errors.SerializationException(
                explanation=f"The value of {path!r} is not a possible date."
            ) from None

    return check_timestamp


def _list(shape: Any) -> Check:
    low, high = _limits(shape)
    check = _check(shape.member)

    def check_list(value: Any, path: str, failures: list[str]) -> list[Any]:
        if type(value) is not list:
            raise _wrong_type(value, path, "a list")
        if len(value) < low:
            failures.append(_failure(_java(value), path, _at_least("length", low)))
        elif len(value) > high:
            failures.append(_failure(_java(value), path, _at_most("length", high)))
        return [
            check(item, f"{path}.{number}.member", failures) for number, item in enumerate(value, 1)
        ]

    return check_list


def _map(shape: Any) -> Check:
    check_key, check_value = _check(shape.key), _check(shape.value)
    takes_any_texts = all(
        each.type_name == "string" and _TextLimits.of(each).allow_any
        for each in (shape.key, shape.value)
    )

    def check_map(value: Any, path: str, failures: list[str]) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong_type(value, path, "a map")
        # Such as an encryption context; keys of a JSON object are texts anyway.
        if takes_any_texts and {str}.issuperset(map(type, value.values())):
            return value
        return {
            check_key(name, f"{path}.key", failures): check_value(
                item, f"{path}.{name}.member", failures
            )
            for name, item in value.items()
        }

    return check_map


_MAKERS: dict[str, Callable[[Any], Check]] = {
    "structure": _structure,
    "string": _string,
    "blob": _blob,
    "integer": _integer,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "list": _list,
    "map": _map,
}


def _limits(shape: Any) -> tuple[float, float]:
    return shape.metadata.get("min", -math.inf), shape.metadata.get("max", math.inf)


def _compile(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the model, which is one of Java: its character classes are ASCII."""
    if r"\p{L}" in pattern:
        for java, ours in ((r"\p{L}", r"\w"), (r"\p{Z}", r"\s"), (r"\p{N}", r"\d")):
            pattern = pattern.replace(java, ours)
        return re.compile(pattern)
    return re.compile(pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]"), re.ASCII)


def _failure(value: object, path: str, constraint: str) -> str:
    subject = "Value" if value is None else f"Value '{value}'"
    return f"{subject} at '{path}' failed to satisfy constraint: Member must {constraint}"


def _at_least(what: str, low: float) -> str:
    return f"have {what} greater than or equal to {low}"


def _at_most(what: str, high: float) -> str:
    return f"have {what} less than or equal to {high}"


def _java(value: Any) -> str:
    """Format a list as Java does, without quotes."""
    return f"[{', '.join(str(item) for item in value)}]"


def _wrong_type(value: object, path: str, expected: str) -> errors.SerializationException:
    return errors.SerializationException(
        explanation=f"The value of {path or 'the request'!r} must be {expected}, "
        f"not {type(value).__name__}."
    )
