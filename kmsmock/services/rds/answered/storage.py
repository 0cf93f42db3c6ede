"""What RDS stores: databases and snapshots of all accounts and Regions.

Source: Amazon RDS User Guide, "Viewing Amazon RDS DB instance status", "Sharing a DB snapshot".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kmsmock.services.rds.arns import arn_of
from kmsmock.services.rds.kinds import Kind
from kmsmock.services.rds.kms_use.encryption import DatabaseEncryption, SnapshotEncryption
from kmsmock.services.sectors import Sectors

MANUAL, AUTOMATED = "manual", "automated"


@dataclass(slots=True, eq=False)
class Database:
    """A DB instance or DB cluster."""

    kind: Kind
    identifier: str
    owner: str
    region: str
    #: The resource id, which is never used again, unlike the identifier.
    resource_id: str
    created: datetime
    #: Members of responses, except those of the following fields.
    response_members: dict[str, Any]
    status: str = "creating"
    #: The encryption of its storage; None for storage that is not encrypted.
    encryption: DatabaseEncryption | None = None
    #: When RDS noticed that it cannot use the key.
    lost_since: datetime | None = None
    #: The DB cluster of which the instance is a member, and which has the storage.
    cluster: Database | None = None
    sectors: Sectors = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arn_of(self.region, self.owner, self.kind.arn, self.identifier)

    @property
    def engine(self) -> str:
        """Its database engine."""
        engine: str = self.response_members["Engine"]
        return engine

    @property
    def key_arn(self) -> str | None:
        """The ARN of the KMS key; None when its storage is not encrypted."""
        return None if self.encryption is None else self.encryption.key_arn

    @property
    def retention(self) -> int:
        """For how many days automated snapshots of it are kept; 0 for none."""
        days: int = self.response_members["BackupRetentionPeriod"]
        return days

    @property
    def state(self) -> str:
        """Its status; that of a member is its cluster's when the key cannot be used."""
        cluster = self.cluster
        return self.status if cluster is None or cluster.lost_since is None else cluster.status


@dataclass(slots=True, eq=False)
class Snapshot:
    """A DB snapshot or DB cluster snapshot."""

    kind: Kind
    identifier: str
    owner: str
    region: str
    #: The identifier of the database.
    source: str
    #: The resource id of the database.
    resource_id: str
    created: datetime
    response_members: dict[str, Any]
    #: MANUAL or AUTOMATED.
    type: str = MANUAL
    status: str = "creating"
    progress: int = 0
    encryption: SnapshotEncryption | None = None
    sectors: Sectors = field(default_factory=dict)
    #: The ARN of the snapshot that it is a copy of.
    copied_from: str | None = None
    #: The account ids with which it is shared, in the order of sharing.
    shared_with: dict[str, None] = field(default_factory=dict)
    is_public: bool = False

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arn_of(self.region, self.owner, self.kind.snapshot_arn, self.identifier)

    @property
    def engine(self) -> str:
        """The engine of its database."""
        engine: str = self.response_members["Engine"]
        return engine

    @property
    def key_arn(self) -> str | None:
        """The ARN of the KMS key; None when it is not encrypted."""
        return None if self.encryption is None else self.encryption.key_arn

    @property
    def is_copy(self) -> bool:
        """Whether it was copied from another snapshot."""
        return self.copied_from is not None

    def may_be_used_by(self, account: str) -> bool:
        """Return whether an account may use it; whether it may use the key is up to KMS."""
        return account == self.owner or account in self.shared_with or self.is_public


@dataclass(slots=True, eq=False)
class AccountRegion:
    """What one account has in one Region: by kind and identifier. tags: ARN -> tags."""

    databases: dict[tuple[str, str], Database] = field(default_factory=dict)
    snapshots: dict[tuple[str, str], Snapshot] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def databases_of(self, kind: Kind) -> list[Database]:
        """Return the databases of a kind."""
        return [each for each in self.databases.values() if each.kind is kind]

    def snapshots_of(self, kind: Kind) -> list[Snapshot]:
        """Return the snapshots of databases of a kind."""
        return [each for each in self.snapshots.values() if each.kind is kind]


@dataclass(slots=True, eq=False)
class Storage:
    """All that RDS stores in one mock, by account and Region."""

    account_regions: dict[tuple[str, str], AccountRegion] = field(default_factory=dict)

    def account_region(self, account: str, region: str) -> AccountRegion:
        """Return what an account has in a Region."""
        return self.account_regions.setdefault((account, region), AccountRegion())

    def databases(self) -> Iterator[Database]:
        """Return all databases."""
        for account_region in self.account_regions.values():
            yield from account_region.databases.values()

    def snapshots_in(self, region: str, kind: Kind) -> Iterator[Snapshot]:
        """Return the snapshots of all accounts in a Region."""
        for (_, name), account_region in self.account_regions.items():
            if name == region:
                yield from account_region.snapshots_of(kind)
