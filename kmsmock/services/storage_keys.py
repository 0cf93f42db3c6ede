"""What services do with the keys of stored data: their calls of KMS, and finding the keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.aws.errors import ServiceError
from kmsmock.keys.key import Key
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.state.backend import Backend

#: How a grant can bind what it allows to an encryption context.
EQUALS, SUBSET = "EncryptionContextEquals", "EncryptionContextSubset"


class KeyUnusableError(Exception):
    """KMS has refused a call. operation: of KMS. error: its answer."""

    def __init__(self, operation: str, error: ServiceError) -> None:
        super().__init__(operation, error)
        self.operation = operation
        self.error = error

    def __str__(self) -> str:
        text = f"kms:{self.operation} was refused with {self.error}"
        explanation = self.error.explanation
        return text if explanation is None else f"{text}\n{explanation}"


def call_kms(caller: KmsCaller, operation: str, now: datetime, **parameters: Any) -> Any:
    """Call KMS; raises `KeyUnusableError`."""
    try:
        return caller.call(operation, now, **parameters)
    except ServiceError as error:
        raise KeyUnusableError(operation, error) from None


def region_of(key_arn: str) -> str:
    """Give the Region of a KMS key."""
    return Arn.of(key_arn).region


def find_key(backend: Backend, key_arn: str) -> Key | None:
    """Find a KMS key by its ARN, without a call of KMS; None when it has been deleted."""
    arn = Arn.of(key_arn)
    return backend.region(arn.account, arn.region).keys.get(arn.resource_id)
