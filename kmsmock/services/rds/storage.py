"""What RDS holds: databases and snapshots of all accounts and Regions.

Source: Amazon RDS User Guide, "Viewing Amazon RDS DB instance status", "Sharing a DB snapshot".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kmsmock.arns import partition_of
from kmsmock.services.rds.kinds import Kind
from kmsmock.services.rds.kms_calls import DataKey, Grant
from kmsmock.services.sectors import Sectors

MANUAL, AUTOMATED = "manual", "automated"
#: The states of a database whose key cannot be used; the first for a week, then the other.
RECOVERABLE = "inaccessible-encryption-credentials-recoverable"
LOST = "inaccessible-encryption-credentials"


@dataclass(slots=True, eq=False)
class Database:
    """A DB instance or DB cluster.

    resource_id: never used again, unlike the identifier. shown: what answers show of it beside
    what follows here. key_arn: as answers show it; key: once the storage is there. opened: the data
    key in plaintext, in memory while the database runs. grants: that RDS holds on the key.
    lost_since: when RDS noticed that it cannot use the key. cluster: of which it is a member, and
    which has the storage then.
    """

    kind: Kind
    identifier: str
    owner: str
    region: str
    resource_id: str
    created: datetime
    shown: dict[str, Any]
    status: str = "creating"
    key_arn: str | None = None
    key: DataKey | None = None
    opened: bytes | None = None
    grants: list[Grant] = field(default_factory=list)
    lost_since: datetime | None = None
    cluster: Database | None = None
    sectors: Sectors = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arn_of(self.region, self.owner, self.kind.arn, self.identifier)

    @property
    def engine(self) -> str:
        """Its database engine."""
        engine: str = self.shown["Engine"]
        return engine

    @property
    def retention(self) -> int:
        """For how many days automated snapshots of it are kept; 0 for none."""
        days: int = self.shown["BackupRetentionPeriod"]
        return days

    @property
    def state(self) -> str:
        """Its status; that of a member is its cluster's when the key cannot be used."""
        cluster = self.cluster
        return self.status if cluster is None or cluster.lost_since is None else cluster.status


@dataclass(slots=True, eq=False)
class Snapshot:
    """A DB snapshot or DB cluster snapshot.

    source: identifier of the database. resource_id: of the database. type: MANUAL or AUTOMATED.
    copied_from: ARN of the snapshot that it is a copy of. shared_with: account ids, in the order of
    sharing.
    """

    kind: Kind
    identifier: str
    owner: str
    region: str
    source: str
    resource_id: str
    created: datetime
    shown: dict[str, Any]
    type: str = MANUAL
    status: str = "creating"
    progress: int = 0
    key_arn: str | None = None
    key: DataKey | None = None
    sectors: Sectors = field(default_factory=dict)
    copied_from: str | None = None
    shared_with: dict[str, None] = field(default_factory=dict)
    is_public: bool = False

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arn_of(self.region, self.owner, self.kind.snapshot_arn, self.identifier)

    @property
    def is_copy(self) -> bool:
        """Whether it was made of another snapshot."""
        return self.copied_from is not None

    def is_open_to(self, account: str) -> bool:
        """Tell whether an account may use it, as far as that is up to RDS."""
        return account == self.owner or account in self.shared_with or self.is_public


@dataclass(slots=True, eq=False)
class Place:
    """What one account has in one Region: by kind and identifier. tags: ARN -> tags."""

    databases: dict[tuple[str, str], Database] = field(default_factory=dict)
    snapshots: dict[tuple[str, str], Snapshot] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def databases_of(self, kind: Kind) -> list[Database]:
        """Give the databases of a kind."""
        return [found for found in self.databases.values() if found.kind is kind]

    def snapshots_of(self, kind: Kind) -> list[Snapshot]:
        """Give the snapshots of databases of a kind."""
        return [found for found in self.snapshots.values() if found.kind is kind]


@dataclass(slots=True, eq=False)
class Storage:
    """All places of one mock. failures: ARN -> what went wrong, for humans.

    is_watched: whether it is looked after the keys of databases from time to time.
    """

    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    is_watched: bool = False

    def place(self, account: str, region: str) -> Place:
        """Give what an account has in a Region."""
        return self.places.setdefault((account, region), Place())

    def databases(self) -> Iterator[Database]:
        """Give all databases."""
        for place in self.places.values():
            yield from place.databases.values()

    def snapshots_in(self, region: str, kind: Kind) -> Iterator[Snapshot]:
        """Give the snapshots of all accounts in a Region."""
        for (_, name), place in self.places.items():
            if name == region:
                yield from place.snapshots_of(kind)


def arn_of(region: str, account: str, resource_type: str, name: str) -> str:
    """Give the ARN of something of RDS."""
    return f"arn:{partition_of(region)}:rds:{region}:{account}:{resource_type}:{name}"
