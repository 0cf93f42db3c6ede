"""The encryption of databases and snapshots, whichever mock stores them."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.services.rds.kinds import Kind
from kmsmock.services.rds.kms_use.kms_calls import Context, DataKey, Grant
from kmsmock.state.backend import Backend


@dataclass(slots=True)
class DatabaseEncryption:
    """How the storage of an instance or cluster is encrypted."""

    #: The kind of database whose storage it is.
    kind: Kind
    #: The encryption context in the constraint of RDS's grant.
    context: Context
    #: The ARN of the KMS key.
    key_arn: str
    #: The grant of RDS.
    grant: Grant
    #: The data key; None until there is storage.
    data_key: DataKey | None = None
    #: The grant of EBS, for an instance that runs.
    volume_grant: Grant | None = None
    #: The data key in memory, while the database runs.
    plaintext_key: SecretBytes | None = None

    @property
    def grants(self) -> Iterator[Grant]:
        """The grants that the database needs."""
        yield self.grant
        if self.volume_grant is not None:
            yield self.volume_grant

    def for_snapshot(self) -> SnapshotEncryption:
        """Return the encryption of a snapshot, which keeps the data key."""
        return SnapshotEncryption(self.key_arn, self.data_key)


@dataclass(frozen=True, slots=True)
class SnapshotEncryption:
    """How a snapshot is encrypted. data_key: None while a copy is in progress or has failed."""

    key_arn: str
    data_key: DataKey | None = None


class SourceSnapshot(Protocol):
    """A snapshot that is copied, restored or shared, as each host keeps it."""

    @property
    def kind(self) -> Kind:
        """Whose snapshot it is: an instance's or a cluster's."""
        ...

    @property
    def owner(self) -> str:
        """The id of its account."""
        ...

    @property
    def region(self) -> str:
        """Its Region."""
        ...

    @property
    def resource_id(self) -> str:
        """That of its database."""
        ...

    @property
    def engine(self) -> str:
        """The engine of its database; empty when the host does not know it."""
        ...

    @property
    def encryption(self) -> SnapshotEncryption | None:
        """How it is encrypted; None when it is not."""
        ...


def context_for(kind: Kind, resource_id: str) -> Context:
    """Return the encryption context of a database and its snapshots."""
    return {kind.context_key: resource_id}


def new_resource_id(backend: Backend, kind: Kind) -> str:
    """Return a new DbiResourceId or DbClusterResourceId: 16 bytes in base32, 26 characters.

    Source: examples of DescribeDBInstances and DescribeDBClusters in the AWS CLI Command Reference,
    such as ``db-VNZUCCBTEDC4WR7THXNJO72HVQ`` and ``cluster-YOS52CUXGDTNKDQ7DH72I4LED4``.
    """
    return f"{kind.prefix}-{b32encode(backend.entropy(16)).decode().rstrip('=')}"


def new_volume_id(backend: Backend) -> str:
    """Return a new id of an EBS volume.

    Source: Amazon EC2 User Guide, "Resource IDs": 17 hexadecimal characters.
    """
    return f"vol-0{backend.entropy(8).hex()}"
