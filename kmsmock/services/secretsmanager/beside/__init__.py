"""Beside what stores secrets: their values are encrypted under keys of KMS."""

from __future__ import annotations

from kmsmock.services.beside import BesideStore
from kmsmock.services.secretsmanager.beside import reading, replicas, writing
from kmsmock.services.secretsmanager.kms_use import ERRORS

BESIDE = BesideStore(
    {**writing.OPERATIONS, **replicas.OPERATIONS, **reading.OPERATIONS},
    ERRORS,
)
