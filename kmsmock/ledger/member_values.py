"""Values of members by which tests find calls: read, and refused if no call can have them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kmsmock.aws.arns import ALIAS_PREFIX, Arn, is_account_id, resource_of
from kmsmock.aws.errors import error_class
from kmsmock.aws.prices import parse_usd
from kmsmock.aws.references import read_account_id, read_key_reference
from kmsmock.aws.regions import is_region, list_regions
from kmsmock.aws.via_service import read_via_service
from kmsmock.keys.specs import KEY_SPECS, KeySpec, describe_unknown_spec
from kmsmock.ledger.operation_names import require_operation
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.misuse.values import describe, require_texts, require_type

#: Reads the value of a member; raises TypeError or ValueError.
Reader = Callable[[Any], Any]
_GRANT_ID = re.compile(r"[0-9a-f]{64}")
#: How the names of services end.
SERVICE_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn")


def _read_operation(value: Any) -> Any:
    require_type(value, str, "operation", "the name of an operation")
    require_operation(value)
    return value


def read_caller(value: Any, name: str = "caller") -> str:
    """Return the ARN of a principal, or the name of a service. value: such, or a principal.

    name: of the argument. Raises TypeError and ValueError for other values, such as an account.
    """
    if hasattr(value, "administrator"):
        raise TypeError(
            f"{name} must be a principal or its ARN, not {describe(value)}: pass one of its "
            "principals, such as account.administrator, or find all its calls by account="
        )
    arn = value if isinstance(value, str) else getattr(value, "arn", None)
    if not isinstance(arn, str):
        raise TypeError(f"{name} must be a principal or its ARN, not {describe(value)}")
    if is_account_id(arn):
        raise ValueError(f"{name} must be a principal or its ARN; {arn!r} is an account: account=")
    parsed = Arn.parse(arn)
    is_principal = parsed is not None and parsed.service in ("iam", "sts")
    if not is_principal and not arn.endswith(SERVICE_DOMAINS):
        raise ValueError(
            f"{name} must be the ARN of a principal, or the name of a service such as "
            f"'cloudtrail.amazonaws.com', not {describe(arn)}"
        )
    return arn


def read_region(value: Any, name: str = "region") -> str:
    """Return the name of a Region. name: of the argument. Raises TypeError, ValueError."""
    require_type(value, str, name, "the name of a Region")
    if not is_region(value):
        raise ValueError(
            f"{name} must be a Region such as 'eu-west-1', not {describe(value)}"
            f"{did_you_mean(value, list_regions())}"
        )
    return str(value)


def _read_key_arn(value: Any) -> str:
    arn = read_key_reference(value, "key_arn")
    parsed = Arn.parse(arn)
    if parsed is None or parsed.resource_type != "key":
        raise ValueError(
            f"key_arn must be the ARN of a key, not {describe(arn)}; key= takes any name of a key"
        )
    return arn


def _read_key_spec(value: Any) -> str:
    spec = value.name if isinstance(value, KeySpec) else value
    if spec not in KEY_SPECS:
        raise ValueError(f"key_spec: {describe_unknown_spec(spec)}")
    return str(spec)


def _read_alias(value: Any) -> str:
    name = resource_of(read_key_reference(value, "alias"))
    if not name.startswith(ALIAS_PREFIX):
        raise ValueError(f"alias must begin with {ALIAS_PREFIX!r}, not {describe(name)}")
    return name


def _read_encryption_context(value: Any) -> Mapping[str, str] | None:
    require_texts(value, "encryption_context")
    return dict(value) or None  # KMS does not distinguish them


def _read_grant_id(value: Any) -> str:
    grant_id: Any = value.get("GrantId") if isinstance(value, Mapping) else value
    require_type(grant_id, str, "grant_id", "a str")
    if not _GRANT_ID.fullmatch(grant_id):
        raise ValueError(f"grant_id must be 64 hexadecimal digits, not {describe(grant_id)}")
    return str(grant_id)


def _read_error_code(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(
            f"error_code must be a str such as 'DisabledException', not {describe(value)}"
        )
    error_class(value)
    return value


def _read_time(value: Any) -> datetime:
    if isinstance(value, str):
        raise TypeError(f"at of a call is never a text, such as {value!r}")
    if not isinstance(value, datetime):
        raise TypeError(f"at must be an aware datetime, not {describe(value)}")
    if value.tzinfo is None:
        raise ValueError(f"at must be an aware datetime, with a time zone; {value!r} has none")
    return value


def _flag(name: str) -> Reader:
    def read(value: Any) -> bool:
        if isinstance(value, str):
            raise TypeError(f"{name} of a call is never a text, such as {value!r}")
        require_type(value, bool, name, "True or False")
        return bool(value)

    return read


def _text(name: str) -> Reader:
    def read(value: Any) -> str:
        require_type(value, str, name, "a str")
        return str(value)

    return read


#: Member of `Call`, or ``key`` -> reads a value that is not None.
READERS: dict[str, Reader] = {
    "key": read_key_reference,
    "operation": _read_operation,
    "caller": read_caller,
    "account": lambda value: "" if value == "" else read_account_id(value),
    "region": read_region,
    "key_arn": _read_key_arn,
    "key_spec": _read_key_spec,
    "alias": _read_alias,
    "encryption_context": _read_encryption_context,
    "grant_id": _read_grant_id,
    "dry_run": _flag("dry_run"),
    "allowed": _flag("allowed"),
    "error_code": _read_error_code,
    "via_service": lambda value: str(read_via_service(value)),
    "price": lambda value: parse_usd(value, "price"),
    "at": _read_time,
    **{name: _text(name) for name in ("test_id", "request_id", "explanation", "user_agent")},
}
#: Members that every call has, so that None matches none.
_ALWAYS = frozenset(
    {"operation", "caller", "account", "region", "dry_run", "allowed", "price", "at"}
)


def read_member(name: str, value: Any) -> Any:
    """Return the value that a member of calls must have. Raises TypeError and ValueError.

    name: a member of `Call`, or ``key``. value: None for calls without it.
    """
    if value is not None:
        return READERS[name](value)
    if name in _ALWAYS:
        raise TypeError(f"{name} of a call is never None")
    return None
