"""The encryption that requests specify for a table, and how often it may change.

Source: Amazon DynamoDB API Reference, "SSESpecification"; Developer Guide, "Service, account, and
table quotas in Amazon DynamoDB".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from kmsmock.aws.coded_error import CodedError
from kmsmock.services.dynamodb.state import Table
from kmsmock.services.registry import ServiceCall
from kmsmock.timing.dates import add_or_last, format_milliseconds

_MANAGED_KEY = "alias/aws/dynamodb"
_DAY = timedelta(hours=24)
_FREE_CHANGES = 4
_BETWEEN_CHANGES = timedelta(hours=6)
#: Members of UpdateTable that may stand beside a change of the encryption.
_NO_CHANGES = frozenset({"TableName", "SSESpecification", "AttributeDefinitions"})


def requested_key(specification: Mapping[str, Any]) -> str | None:
    """Return the requested key; None for the AWS owned key.

    specification: an ``SSESpecification``. Raises ValidationException.
    """
    kind, key_id = specification.get("SSEType"), specification.get("KMSMasterKeyId")
    is_on = specification.get("Enabled", kind is not None or key_id is not None)
    problem = None
    if not is_on and kind is not None:
        problem = "SSEType can not be specified if Enabled is false"
    elif not is_on and key_id is not None:
        problem = "KMSMasterKeyId can not be specified if Enabled is false"
    elif kind == "AES256":
        problem = "SSEType AES256 is not supported"
    elif key_id is not None and kind is None:
        problem = "SSEType KMS is required if KMSMasterKeyId is specified"
    if problem is not None:
        raise _invalid(problem)
    return (key_id or _MANAGED_KEY) if is_on else None


def require_only_change(parameters: Mapping[str, Any]) -> None:
    """Require that the encryption is all that a request changes. Raises ValidationException."""
    others = sorted(parameters.keys() - _NO_CHANGES)
    if others:
        raise _invalid(
            "Server-Side Encryption modification must be the only operation in the request",
            explanation=f"Beside SSESpecification the request has {', '.join(others)}: make two "
            "calls.",
        )


def require_another_key(table: Table | None, key_id: str | None) -> None:
    """Require that the requested key differs from that of the table. Raises ValidationException.

    key_id: compared as an ARN; None for the AWS owned key.
    """
    if table is None:
        return
    if table.key is None and key_id is None:
        raise _invalid("Table is already encrypted by default")
    if table.key is not None and key_id == table.key.arn:
        raise _invalid(
            "Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId "
            "parameter if you want to change Master Key"
        )


def require_change_allowed(call: ServiceCall, table: Table | None) -> tuple[datetime, ...]:
    """Require that the key may be changed again now. Raises LimitExceededException.

    Return the times of its changes in the last 24 hours, and the present.
    """
    recent = [when for when in (table.key_changes if table else ()) if call.now - when < _DAY]
    if len(recent) >= _FREE_CHANGES and call.now - recent[-1] < _BETWEEN_CHANGES:
        until, last = add_or_last(recent[0], _DAY), recent[-1]
        raise CodedError(
            "LimitExceededException",
            "Subscriber limit exceeded: Encryption mode changes are limited in the 24h window "
            f"ending at {format_milliseconds(until)}. After the first 4 change, each subsequent "
            "change in the same window can be performed at most once every 21600 seconds. Number "
            f"of updates today: {len(recent)}. Last change at {format_milliseconds(last)}.",
        )
    return (*recent, call.now)


def _invalid(problem: str, explanation: str | None = None) -> CodedError:
    return CodedError(
        "ValidationException",
        f"One or more parameter values were invalid: {problem}",
        explanation=explanation,
    )
