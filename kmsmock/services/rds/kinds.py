"""The differences between DB instances and DB clusters: mainly names.

Source: Amazon RDS API Reference; Amazon RDS User Guide, "Amazon Resource Names (ARNs) in Amazon
RDS".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kmsmock.aws.errors import ServiceError
from kmsmock.services.rds import errors
from kmsmock.timing.passing_states import ShownState


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
    """A kind of database."""

    #: AWS's name for a database of this kind in messages.
    label: str
    #: The name of a database in operations and parameters.
    name: str
    #: The name of a snapshot in operations and parameters.
    snapshot: str
    #: The resource type of a database in ARNs.
    arn: str
    #: The resource type of a snapshot in ARNs.
    snapshot_arn: str
    #: The prefix of resource ids.
    prefix: str
    #: The key of the encryption context.
    context_key: str
    #: The response member with the resource id of a database.
    resource_id: str
    #: The status of a database, and the response member that has it.
    status: ShownState
    #: The status of a snapshot, and the response member that has it.
    snapshot_status: ShownState
    #: The response member with the ARN of a database.
    arn_member: str
    #: The response member with the creation time of a database.
    created: str
    #: The response member that says whether a snapshot is encrypted.
    snapshot_encrypted: str
    #: The response member with the source of a copied snapshot.
    snapshot_source: str
    #: AWS's description of a key that a copy cannot be encrypted under.
    target_key: str
    #: The operation that creates a database from a snapshot.
    restore: str
    #: The parameter of that operation that names the snapshot.
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

    def state_error(self, identifier: str, state: str, explanation: str) -> ServiceError:
        """Return the error for a database that is not in the state that an operation needs."""
        what = "Instance" if self is INSTANCE else "DBCluster"
        return self.errors.state(
            f"{what} {identifier} is not in {state} state.", explanation=explanation
        )

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
    status=ShownState("DBInstanceStatus"),
    snapshot_status=ShownState("Status"),
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
    status=ShownState("Status"),
    snapshot_status=ShownState("Status"),
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
