"""KMS's JSON protocol: parse and validate requests by botocore's model, serialize responses.

With ``wire=True`` and without, requests arrive as JSON, so that one set of checks serves both.
"""

from __future__ import annotations

import binascii
import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from kmsmock.aws import errors
from kmsmock.aws.api_call import ApiCall
from kmsmock.aws.limits import TextLimits, limits_of, pattern_of, printed_enum
from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.aws.secret_values import SecretBytes, SecretText, is_secret
from kmsmock.aws.value_hints import explain_values
from kmsmock.misuse.surrogates import find_lone_surrogate

#: Members whose value no error message contains, not even that it is null.
_SENSITIVE_MEMBERS = frozenset({"plaintext", "message"})
#: Called with value, path and the list of failures; returns the parsed value and appends what
#: constraints it does not satisfy. Raises SerializationException for a wrong type.
Check = Callable[[Any, str, "list[str]"], Any]


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_CHECKS: dict[str, Check] = {}
_decode = json.JSONDecoder().raw_decode


def parse_request(call: ApiCall) -> dict[str, Any]:
    """Parse and validate the parameters of a request.

    Blobs become bytes, timestamps aware datetimes, and sensitive members secret values. Raises
    SerializationException for JSON that does not have the model's types, ValidationException for
    values outside of its limits.
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
    if "\\ud" in text or "\\uD" in text:
        _require_characters(body, "body")
    user_agent, access_key = call.user_agent, call.access_key
    if user_agent is not None and not user_agent.isascii():
        _require_characters(user_agent, "User-Agent header")
    if access_key is not None and not access_key.isascii():
        _require_characters(access_key, "access key")
    check = _CHECKS.get(call.operation)
    if check is None:
        shape = call.model.input_shape
        facts = OPERATION_FACTS.get(call.operation)  # None for operations of other services
        largest = facts.pages.maximum if facts is not None and facts.pages is not None else None
        check = _structure(shape, largest) if shape else _empty
        _CHECKS[call.operation] = check
    failures: list[str] = []
    parameters: dict[str, Any] = check(body, "", failures)
    if failures:
        count = len(failures)
        raise errors.ValidationException(
            f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(failures)}",
            explanation=explain_values(call.operation, body or {}, call.model.input_shape),
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


def _require_characters(value: Any, name: str) -> None:
    """Refuse texts that are not Unicode. Raises SerializationException. name: of the part."""
    found = find_lone_surrogate(value)
    if found is not None:
        raise errors.SerializationException(
            explanation=f"The {name} of the request has the lone surrogate {found}, which is no "
            "character: UTF-8 cannot encode it."
        )


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


class _Member(NamedTuple):
    """A member of a structure."""

    #: The member as error messages name it.
    path: str
    check: Check
    is_required: bool
    #: The limits of a string; None for other types, and for a secret one.
    limits: TextLimits | None


def _structure(shape: Any, page_limit: int | None = None) -> Check:
    members = {name: _member(name, shape, page_limit) for name in shape.members}
    required = frozenset(shape.required_members)

    def check_structure(value: Any, path: str, failures: list[str]) -> dict[str, Any]:
        if type(value) is not dict:
            raise _wrong_type(value, path, "a structure")
        if not value.keys() <= members.keys():
            raise _unknown_member(value, members)
        prefix = f"{path}." if path else ""
        found: list[str] = []
        result = {}
        for name, member in value.items():
            member_path, check, _, limits = members[name]
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
            if member is not None:
                result[name] = check(member, prefix + member_path, found)
        if found or not required <= result.keys():
            return _check_in_order(value, members, prefix, failures)
        return result

    return check_structure


def _check_in_order(
    value: Mapping[str, Any], members: Mapping[str, _Member], prefix: str, failures: list[str]
) -> dict[str, Any]:
    """Check the members in the order of the model, in which KMS lists what is wrong with them."""
    result = {}
    for name, (member_path, check, is_required, _) in members.items():
        if (member := value.get(name)) is not None:
            result[name] = check(member, prefix + member_path, failures)
        elif is_required:
            subject = "Value" if member_path in _SENSITIVE_MEMBERS else "Value null"
            failures.append(
                f"{subject} at '{prefix}{member_path}' failed to satisfy constraint: "
                "Member must not be null"
            )
    return result


def _unknown_member(
    value: Mapping[str, Any], members: Mapping[str, _Member]
) -> errors.SerializationException:
    unknown = next(name for name in value if name not in members)
    return errors.SerializationException(
        explanation=f"The operation has no parameter {unknown!r}; it has "
        f"{', '.join(sorted(members)) or 'none'}."
    )


def _member(name: str, shape: Any, page_limit: int | None) -> _Member:
    member = shape.members[name]
    is_page_size = name == "Limit" and page_limit is not None
    return _Member(
        name[0].lower() + name[1:],
        _integer_between(1, page_limit or 0) if is_page_size else _check(member),
        name in shape.required_members,
        TextLimits.of(member) if member.type_name == "string" and not is_secret(member) else None,
    )


def _empty(value: Any, path: str, failures: list[str]) -> dict[str, Any]:  # noqa: ARG001 - a Check
    return {}


def _string(shape: Any) -> Check:
    values, low, high, matches = TextLimits.of(shape)
    pattern = pattern_of(shape)
    sensitive = is_secret(shape)
    enum_text = f"satisfy enum value set: [{', '.join(printed_enum(shape))}]"

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
        return SecretText(value) if sensitive else value

    return check_string


def _blob(shape: Any) -> Check:
    low, high = limits_of(shape)
    sensitive = is_secret(shape)

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
        return SecretBytes(raw) if sensitive else raw

    return check_blob


def _integer(shape: Any) -> Check:
    return _integer_between(*limits_of(shape))


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
            # Of Python's own class also while freezegun is active, unlike fromtimestamp.
            return _EPOCH + timedelta(seconds=value)
        except (ValueError, OverflowError):
            raise errors.SerializationException(
                explanation=f"The value of {path!r} is not a possible date."
            ) from None

    return check_timestamp


def _list(shape: Any) -> Check:
    low, high = limits_of(shape)
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
        each.type_name == "string" and TextLimits.of(each).allow_any
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
