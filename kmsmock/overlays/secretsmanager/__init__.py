"""Secrets of AWS Secrets Manager under keys of KMS.

Source: AWS Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager".
"""

from __future__ import annotations

from kmsmock.overlays.secretsmanager import reading, replicas, writing
from kmsmock.overlays.secretsmanager.data_keys import WHEN_SET
from kmsmock.services.beside import BesideStore

BESIDE = BesideStore(
    {**writing.OPERATIONS, **replicas.OPERATIONS, **reading.OPERATIONS},
    WHEN_SET,
)
