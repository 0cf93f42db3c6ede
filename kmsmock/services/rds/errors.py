"""The errors of RDS: the class name is the code, some of which end with Fault.

Source: Amazon RDS API Reference, "Errors" of each action, "Common Error Types".
"""

from __future__ import annotations

from kmsmock.aws.errors import ServiceError


class DBClusterAlreadyExistsFault(ServiceError):
    """The account has a cluster of that name in the Region."""


class DBClusterNotFoundFault(ServiceError):
    """The cluster does not exist."""

    status = 404


class DBClusterQuotaExceededFault(ServiceError):
    """The account has reached the quota of clusters."""

    status = 403


class DBClusterSnapshotAlreadyExistsFault(ServiceError):
    """The account has a cluster snapshot of that name in the Region."""


class DBClusterSnapshotNotFoundFault(ServiceError):
    """The cluster snapshot does not exist, or is not shared with the caller."""

    status = 404


class DBInstanceAlreadyExists(ServiceError):
    """The account has an instance of that name in the Region."""


class DBInstanceNotFound(ServiceError):
    """The instance does not exist."""

    status = 404


class DBSnapshotAlreadyExists(ServiceError):
    """The account has a snapshot of that name in the Region."""


class DBSnapshotNotFound(ServiceError):
    """The snapshot does not exist, or is not shared with the caller."""

    status = 404


class InstanceQuotaExceeded(ServiceError):
    """The account has reached the quota of instances."""


class InvalidDBClusterSnapshotStateFault(ServiceError):
    """The state of the cluster snapshot does not permit the operation."""


class InvalidDBClusterStateFault(ServiceError):
    """The state of the cluster does not permit the operation."""


class InvalidDBInstanceState(ServiceError):
    """The state of the instance does not permit the operation."""


class InvalidDBSnapshotState(ServiceError):
    """The state of the snapshot does not permit the operation."""


class InvalidParameterCombination(ServiceError):
    """Parameters exclude each other."""


class InvalidParameterValue(ServiceError):
    """The value of a parameter is not valid."""


class KMSKeyNotAccessibleFault(ServiceError):
    """A KMS key cannot be used."""


class SharedSnapshotQuotaExceeded(ServiceError):
    """The snapshot is shared with as many accounts as the quota allows."""


class SnapshotQuotaExceeded(ServiceError):
    """The account has reached the quota of manual snapshots, or of copies in progress."""
