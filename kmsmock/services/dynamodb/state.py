"""How DynamoDB tables are encrypted, which the store that answers DynamoDB does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kmsmock.aws.arns import Arn, looks_like_arn
from kmsmock.services.data_key_cache import DataKeyCache
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import StoredElsewhere
from kmsmock.timing.passing_states import ShownState


@dataclass(frozen=True, slots=True)
class TableKey:
    """The KMS key that encrypts the table key of a table."""

    #: The ARN of the KMS key.
    arn: str
    #: The id of DynamoDB's grant on the KMS key.
    grant_id: str
    #: The ciphertext of the table key.
    ciphertext: bytes
    #: When DynamoDB could last use the KMS key.
    last_usable: datetime
    #: When DynamoDB noticed that it cannot use the KMS key any more.
    inaccessible_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """How a table is encrypted."""

    #: The present key; None for the AWS owned key.
    key: TableKey | None
    #: The key before the last change; None for the AWS owned key.
    previous_key: TableKey | None = None
    #: The times of changes, from 24 hours before the last one.
    key_changes: tuple[datetime, ...] = ()
    #: Whether the last change is still under way.
    is_changing: bool = False
    #: The key that the store last said, which may not know all changes; None for the AWS owned key.
    shown_key: str | None = None
    #: When the store says that it was created.
    created: Any = None


#: The operations of DynamoDB's grant on a KMS key.
GRANT_OPERATIONS = (
    *("Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"),
    *("RetireGrant", "DescribeKey"),
)
#: The state of a table's encryption in answers.
ENCRYPTION_STATE = ShownState("SSEDescription.Status")


@dataclass(slots=True)
class Tables(StoredElsewhere):
    """The encryption of tables and backups."""

    #: ARN of a table -> how it is encrypted.
    tables: dict[str, Table] = field(default_factory=dict)
    #: ARN of a backup -> the ARN of its table, and the key of the table.
    backups: dict[str, tuple[str, TableKey | None]] = field(default_factory=dict)
    #: ARN of an export -> members of its description that the store does not know.
    exports: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def tables_of(call: ServiceCall) -> Tables:
    """Return the state of DynamoDB in a mock."""
    return call.backend.service_state(Tables)


def table_arn(call: ServiceCall, name: str) -> str:
    """Return the ARN of a table. name: its name or ARN."""
    return name if looks_like_arn(name) else call.arn("dynamodb", f"table/{name}")


def context_of(arn: str) -> dict[str, str]:
    """Return the encryption context of the table key of a table. arn: of the table."""
    table = Arn.of(arn)
    return {
        "aws:dynamodb:tableName": table.resource_id,
        "aws:dynamodb:subscriberId": table.account,
    }


def service_of(region: str) -> str:
    """Return the service principal of DynamoDB in a Region."""
    return f"dynamodb.{region}.amazonaws.com"
