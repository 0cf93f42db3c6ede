"""DynamoDB beside another store: tables are encrypted with KMS keys."""

from __future__ import annotations

from kmsmock.services.beside import BesideStore
from kmsmock.services.dynamodb.beside import backups, exports, items, tables
from kmsmock.services.dynamodb.kms_use import ERRORS

BESIDE = BesideStore(
    {**tables.OPERATIONS, **items.OPERATIONS, **backups.OPERATIONS, **exports.OPERATIONS},
    ERRORS,
    data_operations=tuple(items.OPERATIONS),
    shown_states=tables.SHOWN_STATES,
)
