"""Volumes and snapshots, as flows need them."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.services.ec2.kms_use.kms_calls import DataKey


class EncryptedResource(Protocol):
    """A volume or snapshot of a host, encrypted or not."""

    @property
    def owner(self) -> str:
        """The id of the account that it belongs to."""
        ...

    @property
    def is_encrypted(self) -> bool:
        """Whether it is encrypted."""
        ...

    @property
    def key_arn(self) -> str | None:
        """The ARN of its KMS key; None when it is not encrypted, or not known yet."""
        ...

    @property
    def key(self) -> DataKey | None:
        """Its data key; None when it is not encrypted, or has none yet."""
        ...


class SourceSnapshot(EncryptedResource, Protocol):
    """A snapshot from which something is created."""

    @property
    def state(self) -> str:
        """Its state: ``pending``, ``completed`` or ``error``."""
        ...

    @property
    def state_message(self) -> str | None:
        """Why it is in that state, as in DescribeSnapshots."""
        ...


class NewDataKey(NamedTuple):
    """The data key of a new resource, and the plaintexts that re-encrypt its contents."""

    key: DataKey
    #: The plaintext of the data key, 64 bytes; None if it is the data key of the source, so that
    #: the contents stay unchanged.
    plaintext: SecretBytes | None = None
    #: The plaintext of the data key of the source; None if the source is not encrypted.
    source_plaintext: SecretBytes | None = None
