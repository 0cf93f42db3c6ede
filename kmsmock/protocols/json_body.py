"""The JSON protocol: read the parameters of requests by botocore's model.

Source: Smithy, "AWS JSON 1.1 protocol".
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from kmsmock.protocols import errors
from kmsmock.protocols.boundaries import require_shallow
from kmsmock.protocols.errors import SerializationException
from kmsmock.protocols.messages import HttpRequest

_JSON_TYPE = re.compile(r"\s*application/x-amz-json-1\.[01]\s*(;.*)?", re.IGNORECASE | re.DOTALL)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def require_json_type(request: HttpRequest) -> None:
    """Require the content type of AWS's JSON, unless there is none.

    AWS finds the operation by it; DynamoDB answers others with status 404, as in rusoto/rusoto#215.
    Raises UnknownOperationException.
    """
    content_type = request.headers.get("content-type", "")
    if content_type and not _JSON_TYPE.fullmatch(content_type):
        raise errors.UnknownOperationException.in_own_words(
            f"The content type must be application/x-amz-json-1.1, not {content_type}."
        )


def read_text(body: bytes) -> str:
    """Return a body as text, which must not be too deep. Raises SerializationException."""
    require_shallow(body)
    try:
        return body.decode()
    except UnicodeDecodeError as reason:
        raise SerializationException(
            explanation=f"The body of the request is not UTF-8: {reason}."
        ) from None


def read_json(body: bytes, shape: Any) -> dict[str, Any]:
    """Return the parameters in the body of a request, as boto3 takes them.

    shape: the input in botocore's model; None for an operation without parameters. Values of other
    scalar types are left to the service, which refuses them. Raises SerializationException.
    """
    text = read_text(body)
    try:
        value = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as reason:
        raise SerializationException(
            explanation=f"The body of the request is not JSON: {reason}"
        ) from None
    if not isinstance(value, dict):
        raise _wrong(value, "the request", "an object")
    return {} if shape is None else _structure(value, shape, "")


def _read(value: Any, shape: Any, path: str) -> Any:
    if value is None:
        return None
    read = _READERS.get(shape.type_name)
    if read is not None:
        return read(value, shape, path)
    if isinstance(value, (dict, list)):
        raise _wrong(value, path, f"of type {shape.type_name}")
    return value


def _structure(value: Any, shape: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(value, path, "an object")
    members = {
        member.serialization.get("name", name): (name, member)
        for name, member in shape.members.items()
    }
    read: dict[str, Any] = {}
    for wire_name, item in value.items():
        if wire_name not in members:
            raise SerializationException(
                explanation=f"The operation has no parameter {path + wire_name!r}."
            )
        name, member = members[wire_name]
        read[name] = _read(item, member, f"{path}{name}.")
    return read


def _list(value: Any, shape: Any, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong(value, path, "an array")
    return [_read(item, shape.member, f"{path}{number}.") for number, item in enumerate(value, 1)]


def _map(value: Any, shape: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(value, path, "an object")
    return {name: _read(item, shape.value, f"{path}{name}.") for name, item in value.items()}


def _blob(value: Any, shape: Any, path: str) -> bytes:  # noqa: ARG001 - a reader
    if not isinstance(value, str):
        raise _wrong(value, path, "base64")
    try:
        return b64decode(value, validate=True)
    except ValueError:
        raise _wrong(value, path, "base64") from None


def _timestamp(value: Any, shape: Any, path: str) -> datetime:  # noqa: ARG001 - a reader
    if type(value) not in (int, float):
        raise _wrong(value, path, "a number of epoch seconds")
    try:
        return _EPOCH + timedelta(seconds=value)
    except (ValueError, OverflowError):
        raise _wrong(value, path, "a possible date") from None


_READERS: Mapping[str, Callable[[Any, Any, str], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "blob": _blob,
    "timestamp": _timestamp,
}


def _wrong(value: Any, path: str, expected: str) -> SerializationException:
    where = path.rstrip(".") or "the request"
    return SerializationException(
        explanation=f"The value of {where} must be {expected}, not {type(value).__name__}."
    )
