"""Secrets Manager beside another store: secret values are encrypted with KMS keys."""

from __future__ import annotations

from kmsmock.services.beside import BesideStore
from kmsmock.services.secretsmanager.beside import reads, replicas, writes
from kmsmock.services.secretsmanager.kms_use import ERRORS

BESIDE = BesideStore(
    {**writes.OPERATIONS, **replicas.OPERATIONS, **reads.OPERATIONS},
    ERRORS,
)
