"""Properties of KMS resources in templates of CloudFormation, read before they are used.

Source: AWS CloudFormation Template Reference, "AWS::KMS::Key", "AWS::KMS::ReplicaKey",
"AWS::KMS::Alias"; CloudFormation makes texts of numbers and Booleans, and the reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

Properties = Mapping[str, Any]
#: Type of a resource -> the properties that CloudFormation requires.
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "AWS::KMS::Alias": ("AliasName", "TargetKeyId"),
    "AWS::KMS::ReplicaKey": ("PrimaryKeyArn",),
}


def refusal(message: str) -> Exception:
    """Return the error of a call of CloudFormation."""
    error: Exception = import_module("moto.cloudformation.exceptions").ValidationError(
        message=message
    )
    return error


def read_properties(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of a resource in a template, with values of their types.

    Raises CloudFormation's error for one that is missing or of another type.
    """
    given = {n: v for n, v in (resource.get("Properties") or {}).items() if v is not None}
    for name in _REQUIRED.get(resource.get("Type", ""), ()):
        if name not in given:
            raise refusal(f"Properties validation failed: required key [{name}] not found")
    return {
        name: _READERS[name](name, value) if name in _READERS else value
        for name, value in given.items()
    }


def _to_text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    raise _wrong(name, "String", value)


def _to_bool(name: str, value: Any) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise _wrong(name, "Boolean", value)
    return text == "true"


def _to_number(name: str, value: Any) -> int:
    try:
        return int(_to_text(name, value))
    except ValueError:
        raise _wrong(name, "Integer", value) from None


def _to_policy(name: str, value: Any) -> Any:
    if not isinstance(value, (str, Mapping)):
        raise _wrong(name, "JSONObject", value)
    return value


def _to_tags(name: str, value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list):
        raise _wrong(name, "JSONArray", value)
    for tag in value:
        if not isinstance(tag, Mapping) or not {"Key", "Value"} <= tag.keys():
            raise _wrong(name, "tags with Key and Value", value)
    return [{part: _to_text(f"{name}/{part}", tag[part]) for part in tag} for tag in value]


def _wrong(name: str, expected: str, value: Any) -> Exception:
    return refusal(f"Properties validation failed: {name} is to be {expected}, not {value!r}")


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("AliasName", "TargetKeyId", "PrimaryKeyArn"), _to_text),
    **dict.fromkeys(("Description", "KeySpec", "KeyUsage", "Origin"), _to_text),
    **dict.fromkeys(("EnableKeyRotation", "Enabled", "MultiRegion"), _to_bool),
    "BypassPolicyLockoutSafetyCheck": _to_bool,
    **dict.fromkeys(("RotationPeriodInDays", "PendingWindowInDays"), _to_number),
    "KeyPolicy": _to_policy,
    "Tags": _to_tags,
}
