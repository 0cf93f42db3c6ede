"""What DynamoDB keeps beside tables and items, as far as KMS is concerned."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from kmsmock.aws.arns import looks_like_arn
from kmsmock.services.data_key_cache import DataKeyCache
from kmsmock.services.registry import ServiceCall


@dataclass(frozen=True, slots=True)
class TableKey:
    """The key of KMS that a table is under.

    ciphertext: of the table's own key. seen: when the key of KMS was last known to be usable. lost:
    when DynamoDB noticed that it is no longer.
    """

    arn: str
    grant_id: str
    ciphertext: bytes
    seen: datetime
    lost: datetime | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """How a table is encrypted. key, and before its last change: None for one that AWS owns.

    changes: of the key, when; those of the last day, and the last of all.
    """

    key: TableKey | None
    before: TableKey | None = None
    changes: tuple[datetime, ...] = ()


@dataclass(slots=True)
class Tables:
    """Tables by ARN. backups: by ARN, the table of each and its key."""

    tables: dict[str, Table] = field(default_factory=dict)
    backups: dict[str, tuple[str, TableKey | None]] = field(default_factory=dict)
    cache: DataKeyCache = field(default_factory=DataKeyCache)


def tables_of(call: ServiceCall) -> Tables:
    """Return what DynamoDB keeps."""
    return call.backend.service_state(Tables)


def arn_of(call: ServiceCall, name: str) -> str:
    """Return the ARN of a table. name: its name or ARN."""
    return name if looks_like_arn(name) else call.arn("dynamodb", f"table/{name}")
