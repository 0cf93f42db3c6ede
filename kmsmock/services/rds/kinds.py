"""The differences between DB instances and DB clusters: mainly names.

Source: Amazon RDS API Reference; Amazon RDS User Guide, "Amazon Resource Names (ARNs) in Amazon
RDS".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kmsmock.aws.errors import ServiceError
from kmsmock.services.rds import errors


@dataclass(frozen=True, slots=True)
class Errors:
    """The errors about databases of a kind, and about their snapshots."""

    not_found: type[ServiceError]
    exists: type[ServiceError]
    state: type[ServiceError]
    quota: type[ServiceError]
    snapshot_not_found: type[ServiceError]
    snapshot_exists: type[ServiceError]
    snapshot_state: type[ServiceError]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of database.

    label: AWS's name for it in texts. name, snapshot: of it and its snapshots, in operations and
    parameters. arn, snapshot_arn: in ARNs. prefix: of resource ids. context_key: of the encryption
    context. resource_id, status, arn_member, created: response members. snapshot_encrypted,
    snapshot_source: those of snapshots. target_key: AWS's description of a key that a
    copy cannot be encrypted under. restore: the operation that creates a database from a snapshot;
    restore_from: its parameter.
    """

    label: str
    name: str
    snapshot: str
    arn: str
    snapshot_arn: str
    prefix: str
    context_key: str
    resource_id: str
    status: str
    arn_member: str
    created: str
    snapshot_encrypted: str
    snapshot_source: str
    target_key: str
    restore: str
    restore_from: str
    errors: Errors

    @property
    def identifier(self) -> str:
        """The parameter that names a database."""
        return f"{self.name}Identifier"

    @property
    def snapshot_identifier(self) -> str:
        """The parameter that names a snapshot."""
        return f"{self.snapshot}Identifier"

    def __reduce__(self) -> tuple[Any, ...]:
        return kind_named, (self.name,)


INSTANCE = Kind(
    label="DB instance",
    name="DBInstance",
    snapshot="DBSnapshot",
    arn="db",
    snapshot_arn="snapshot",
    prefix="db",
    context_key="aws:rds:db-id",
    resource_id="DbiResourceId",
    status="DBInstanceStatus",
    arn_member="DBInstanceArn",
    created="InstanceCreateTime",
    snapshot_encrypted="Encrypted",
    snapshot_source="SourceDBSnapshotIdentifier",
    target_key="The target KMS key [{}]",
    restore="RestoreDBInstanceFromDBSnapshot",
    restore_from="DBSnapshotIdentifier",
    errors=Errors(
        errors.DBInstanceNotFound,
        errors.DBInstanceAlreadyExists,
        errors.InvalidDBInstanceState,
        errors.InstanceQuotaExceeded,
        errors.DBSnapshotNotFound,
        errors.DBSnapshotAlreadyExists,
        errors.InvalidDBSnapshotState,
    ),
)
CLUSTER = Kind(
    label="DB Cluster",
    name="DBCluster",
    snapshot="DBClusterSnapshot",
    arn="cluster",
    snapshot_arn="cluster-snapshot",
    prefix="cluster",
    context_key="aws:rds:dbc-id",
    resource_id="DbClusterResourceId",
    status="Status",
    arn_member="DBClusterArn",
    created="ClusterCreateTime",
    snapshot_encrypted="StorageEncrypted",
    snapshot_source="SourceDBClusterSnapshotArn",
    target_key="Specified KMS key [{}]",
    restore="RestoreDBClusterFromSnapshot",
    restore_from="SnapshotIdentifier",
    errors=Errors(
        errors.DBClusterNotFoundFault,
        errors.DBClusterAlreadyExistsFault,
        errors.InvalidDBClusterStateFault,
        errors.DBClusterQuotaExceededFault,
        errors.DBClusterSnapshotNotFoundFault,
        errors.DBClusterSnapshotAlreadyExistsFault,
        errors.InvalidDBClusterSnapshotStateFault,
    ),
)
KINDS = (INSTANCE, CLUSTER)


def kind_named(name: str) -> Kind:
    """Return the kind of a name, which is one and the same in all copies of a state."""
    return next(kind for kind in KINDS if kind.name == name)
