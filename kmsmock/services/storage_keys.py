"""What services that store data share: calls to KMS, and the lookup of KMS keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from kmsmock.aws.arns import Arn
from kmsmock.aws.errors import ServiceError
from kmsmock.crypto import ciphertext
from kmsmock.keys.key import Key
from kmsmock.keys.states import KeyState
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.state.backend import Backend

#: The grant constraints on the encryption context.
EQUALS, SUBSET = "EncryptionContextEquals", "EncryptionContextSubset"


class KeyUnusableError(Exception):
    """KMS has refused a call. operation: of KMS. error: with which it has refused."""

    def __init__(self, operation: str, error: ServiceError) -> None:
        super().__init__(operation, error)
        self.operation = operation
        self.error = error

    def __str__(self) -> str:
        text = f"kms:{self.operation} was refused with {self.error}"
        explanation = self.error.explanation
        return text if explanation is None else f"{text}\n{explanation}"


def call_kms(caller: KmsCaller, operation: str, now: datetime, **parameters: Any) -> Any:
    """Call KMS, and return its answer.

    now: the time of the call. parameters: as the KMS API has them. Raises `KeyUnusableError`.
    """
    try:
        return caller.call(operation, now, **parameters)
    except ServiceError as error:
        raise KeyUnusableError(operation, error) from None


def region_of(key_arn: str) -> str:
    """Return the name of the Region of a KMS key."""
    return Arn.of(key_arn).region


def get_key(backend: Backend, key_arn: str) -> Key | None:
    """Return the KMS key with an ARN, without a call to KMS; None if it has been deleted."""
    arn = Arn.of(key_arn)
    return backend.region(arn.account, arn.region).keys.get(arn.resource_id)


class StoredDataKey(Protocol):
    """An encrypted data key of stored data."""

    @property
    def key_arn(self) -> str:
        """The ARN of its KMS key."""
        ...

    @property
    def ciphertext(self) -> bytes:
        """The data key, encrypted under the KMS key."""
        ...

    @property
    def context(self) -> Mapping[str, str]:
        """Its encryption context."""
        ...


def read_data_key(
    backend: Backend, data_key: StoredDataKey, resource: str, error: type[Exception]
) -> bytes:
    """Decrypt the data key of stored data without a call to KMS, for a test that reads the data.

    resource: the id or ARN of what is stored. Raises the error if the KMS key is deleted or not
    enabled.
    """
    key = get_key(backend, data_key.key_arn)
    if key is None:
        raise error(
            f"the data key of {resource} cannot be decrypted: {data_key.key_arn} has been deleted, "
            "and its data is lost"
        )
    if key.state is not KeyState.ENABLED:
        raise error(
            f"the data key of {resource} cannot be decrypted: {key.arn} is in state "
            f"{key.state.value}"
        )
    return key.decrypt(ciphertext.parse(data_key.ciphertext), data_key.context)
