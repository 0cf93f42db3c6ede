"""Read requests, and refuse those that no service can read.

They have texts that are not Unicode, values of another type than the parameter, or lack parameters.
With AWS, botocore fails to send some of them: the query protocol needs the bytes of each text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from botocore.utils import parse_to_aware_datetime

from kmsmock.aws import credential_errors
from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.errors import SerializationException, ServiceError
from kmsmock.aws.parameter_errors import REFUSED_BY_OPERATION
from kmsmock.aws.services import AWS_SERVICES
from kmsmock.misuse.surrogates import find_lone_surrogate
from kmsmock.protocols.errors import MalformedQueryString
from kmsmock.services.members import Members, as_members

#: The services with the query protocol, which their errors for credentials show.
_QUERY = {
    name
    for name, service in AWS_SERVICES.items()
    if service.credential_errors in (credential_errors.QUERY, credential_errors.EC2)
}
#: DynamoDB's text for a number instead of a text, such as {"N": 1}.
#: Source: https://github.com/localstack/localstack/issues/9412, which cites AWS's answer.
_NUMBER = "NUMBER_VALUE cannot be converted to String"
#: Type of a shape -> the types of its values, as botocore accepts them; others have rules below.
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}


def read_parameters(
    service: str, parameters: Mapping[str, Any], shape: Any, *, requires_all: bool = True
) -> Members:
    """Return the parameters of a request, without those that are None.

    shape: the input in botocore's model; None for an operation without parameters. requires_all:
    whether required parameters must be there. boto3 has checked this, and the types, unless it is
    configured not to. Raises the service's error for a request that cannot be read.
    """
    require_characters(service, parameters)
    members: Members = as_members(parameters)
    if shape is not None:
        _require_structure(service, members, shape, ())
        if requires_all:
            _require_members(service, members, shape, ())
    return members


def require_characters(service: str, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters with lone surrogates, with the error of the service's protocol.

    Raises SerializationException, or MalformedQueryString.
    """
    found = find_lone_surrogate(parameters)
    if found is not None:
        raise _unreadable(
            service,
            f"The parameters have the lone surrogate {found}, which is no character: UTF-8 cannot "
            "encode it.",
        )


def missing_parameter(service: str, path: Iterable[str]) -> ServiceError | None:
    """Return the service's error for a parameter that is missing; None if it has none for all.

    path: names of members, and positions in lists, such as ``Tags``, ``1``, ``Key``.
    """
    missing, names = AWS_SERVICES[service].missing_parameter, list(path)
    if missing is None:
        return None
    lower = ".".join(
        f"{name}.member" if name.isdecimal() else name[:1].lower() + name[1:] for name in names
    )
    text = missing.text.format(name=".".join(names), path=lower)
    return CodedError(missing.code, text)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _unreadable(service: str, explanation: str, text: str = "") -> ServiceError:
    if service in _QUERY:
        return MalformedQueryString(explanation=explanation)
    return SerializationException(text, explanation=explanation)


def _require_type(service: str, value: Any, shape: Any, path: tuple[str, ...]) -> None:
    """Require a value of the type of a shape, and so inside of it."""
    kind = shape.type_name
    if kind == "string" and isinstance(value, str):
        return  # as most are
    if getattr(shape, "is_document_type", False) or shape.serialization.get("jsonvalue"):
        return
    if not _is_of_type(value, kind):
        raise _unreadable(
            service,
            f"The value of {'.'.join(path)} must be of type {kind}, not {type(value).__name__}.",
            _NUMBER if service == "dynamodb" and kind == "string" and _is_number(value) else "",
        )
    if kind == "structure":
        _require_structure(service, value, shape, path)
    elif kind == "list":
        for number, item in enumerate(value, 1):
            _require_type(service, item, shape.member, (*path, str(number)))
    elif kind == "map":
        for name, item in value.items():
            _require_type(service, name, shape.key, path)
            _require_type(service, item, shape.value, (*path, name))


def _require_structure(
    service: str, value: Mapping[str, Any], shape: Any, path: tuple[str, ...]
) -> None:
    members = shape.members
    for name, member in value.items():
        if name in members:
            _require_type(service, member, members[name], (*path, name))


def _require_members(service: str, value: Any, shape: Any, path: tuple[str, ...]) -> None:
    """Require the members that a shape requires. value: of the type of the shape."""
    kind = shape.type_name
    if kind == "structure":
        for name in _list_missing(value, shape):
            error = missing_parameter(service, (*path, name))
            if error is not None:
                raise error
        members = shape.members
        for name, member in value.items():
            if isinstance(member, (dict, list)) and name in members:
                _require_members(service, member, members[name], (*path, name))
    elif kind == "list":
        for number, item in enumerate(value, 1):
            _require_members(service, item, shape.member, (*path, str(number)))
    elif kind == "map":
        for name, item in value.items():
            _require_members(service, item, shape.value, (*path, name))


def _list_missing(value: Any, shape: Any) -> list[str]:
    """Return what a structure lacks, but for what the operation itself refuses."""
    later = REFUSED_BY_OPERATION.get(shape.name, ())
    return [name for name in shape.required_members if name not in value and name not in later]


def _is_of_type(value: Any, kind: str) -> bool:
    """Return whether a value can be sent for a shape. kind: the type of the shape."""
    if kind == "timestamp":
        return _is_time(value)
    if kind == "blob":
        return isinstance(value, (bytes, bytearray, str)) or hasattr(value, "read")
    if kind in ("float", "double"):
        return hasattr(value, "__float__")
    return isinstance(value, _TYPES[kind])


def _is_time(value: Any) -> bool:
    if isinstance(value, datetime):
        return True
    try:
        parse_to_aware_datetime(value)
    except (TypeError, ValueError, AttributeError, OverflowError):
        return False
    return True
