"""How DynamoDB tables are encrypted, which the store that answers DynamoDB does not know."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from kmsmock.aws.arns import looks_like_arn
from kmsmock.services.data_key_cache import DataKeyCache
from kmsmock.services.registry import ServiceCall


@dataclass(frozen=True, slots=True)
class TableKey:
    """The KMS key that encrypts the table key of a table.

    arn: of the KMS key. grant_id: of DynamoDB's grant on it. ciphertext: of the table key.
    last_usable: when DynamoDB could last use the KMS key. inaccessible_since: when it noticed that
    it cannot any more.
    """

    arn: str
    grant_id: str
    ciphertext: bytes
    last_usable: datetime
    inaccessible_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """How a table is encrypted.

    key, previous_key: now, and before the last change; None for the AWS owned key. key_changes: the
    times of changes, from 24 hours before the last one.
    """

    key: TableKey | None
    previous_key: TableKey | None = None
    key_changes: tuple[datetime, ...] = ()


@dataclass(slots=True)
class Tables:
    """The encryption of tables and backups.

    tables: by ARN. backups: ARN of a backup -> the ARN of its table, and the key of the table.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    backups: dict[str, tuple[str, TableKey | None]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def tables_of(call: ServiceCall) -> Tables:
    """Return the state of DynamoDB in a mock."""
    return call.backend.service_state(Tables)


def table_arn(call: ServiceCall, name: str) -> str:
    """Return the ARN of a table. name: its name or ARN."""
    return name if looks_like_arn(name) else call.arn("dynamodb", f"table/{name}")
