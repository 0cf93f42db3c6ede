"""Check the parameters of a call that is not made, as boto3 checks those of a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kmsmock.aws.installed_model import get_operation_model
from kmsmock.aws.limits import TextLimits
from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.aws.secret_values import hide, is_secret
from kmsmock.misuse.suggestions import suggest
from kmsmock.misuse.surrogates import require_encodable
from kmsmock.misuse.values import require_texts, require_type


def check_parameters(action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Check the parameters of a call that requires an action; return them with boto3's types.

    Required parameters can be absent. Blobs become bytes, timestamps aware datetimes. Raises
    ValueError for unknown names and values, TypeError for wrong types.
    """
    require_type(parameters, Mapping, "parameters", "a dict")
    operations = _operations_of(action)
    models = [model for name in operations if (model := get_operation_model(name)) is not None]
    if not parameters or len(models) < len(operations) or not models:
        return dict(parameters)  # of another service, or newer than the installed botocore
    shapes = [() if model.input_shape is None else model.input_shape.members for model in models]
    members = next((shape for shape in shapes if parameters.keys() <= set(shape)), shapes[0])
    return _read_members(parameters, members, operations[0], "parameter")


def _operations_of(action: str) -> list[str]:
    """Return the operations that require an action, that with its name first."""
    own = action.removeprefix("kms:")
    operations = [
        facts.name
        for facts in OPERATION_FACTS.values()
        if any(permission.action == action for permission in facts.permissions)
    ]
    return sorted(operations, key=lambda name: name != own)


def check_condition_values(context: Any, name: str = "context") -> None:
    """Require a dict with the values of condition keys: strings or lists of them (TypeError).

    name: of the argument.
    """
    require_type(context, Mapping, name, "a dict")
    for key, value in context.items():
        require_type(key, str, f"a name in {name}", "a str")
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if type(item) is not str:  # a list can be long
                require_type(item, str, f"{name}[{key!r}]", "a str or a list of these")
    require_encodable(context, name)


# --- values by type of shape -------------------------------------------------------------------


def _read(value: Any, shape: Any, name: str) -> Any:
    kind = shape.type_name
    if kind == "structure":
        require_type(value, Mapping, name, "a dict")
        return _read_members(value, shape.members, name, "member")
    if kind == "map":
        require_texts(value, name)  # all maps of KMS are of strings
        return dict(value)
    if kind == "list":
        require_type(value, (list, tuple), name, "a list")
        return [_read(item, shape.member, f"{name}[{n}]") for n, item in enumerate(value)]
    read = _READERS[kind](value, shape, name)
    return hide(read) if is_secret(shape) else read


def _read_members(value: Mapping[str, Any], members: Any, name: str, word: str) -> dict[str, Any]:
    """Read a structure. name: of the operation or member. word: what its members are called."""
    read = {}
    for key, item in value.items():
        if key not in members:
            raise ValueError(f"{name} has no {word} {key!r}{suggest(key, members)}")
        inner = f"parameters[{key!r}]" if word == "parameter" else f"{name}[{key!r}]"
        read[key] = _read(item, members[key], inner)
    return read


def _read_string(value: Any, shape: Any, name: str) -> str:
    require_type(value, str, name, "a str")
    require_encodable(value, name)
    values = TextLimits.of(shape).values
    if values and value not in values:
        raise ValueError(f"{name} cannot be {value!r}{suggest(value, sorted(values))}")
    return str(value)


def _read_blob(value: Any, _: Any, name: str) -> bytes:
    require_type(value, (bytes, bytearray, str), name, "bytes")
    require_encodable(value, name)
    return value.encode() if isinstance(value, str) else bytes(value)


def _read_integer(value: Any, _: Any, name: str) -> int:
    require_type(value, int, name, "an int")
    return int(value)


def _read_boolean(value: Any, _: Any, name: str) -> bool:
    require_type(value, bool, name, "a bool")
    return bool(value)


def _read_timestamp(value: Any, _: Any, name: str) -> datetime:
    from botocore.utils import parse_to_aware_datetime

    require_type(value, (datetime, str, int, float), name, "a datetime")
    try:
        read: datetime = parse_to_aware_datetime(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{name} is not a time: {value!r}") from None
    return read


_READERS: dict[str, Callable[[Any, Any, str], Any]] = {
    "string": _read_string,
    "blob": _read_blob,
    "integer": _read_integer,
    "boolean": _read_boolean,
    "timestamp": _read_timestamp,
}
