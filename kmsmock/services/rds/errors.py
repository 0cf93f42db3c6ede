"""The errors of RDS: the class name is the code, some of which end with Fault.

Source: Amazon RDS API Reference, "Errors" of each action, "Common Error Types".
"""

from __future__ import annotations

from kmsmock.aws.errors import ServiceError


class DBClusterAlreadyExistsFault(ServiceError):
    """The account has a cluster of that name in the Region."""


class DBClusterNotFoundFault(ServiceError):
    """There is no such cluster."""

    status = 404


class DBClusterQuotaExceededFault(ServiceError):
    """The account has as many clusters as it can."""

    status = 403


class DBClusterSnapshotAlreadyExistsFault(ServiceError):
    """The account has a cluster snapshot of that name in the Region."""


class DBClusterSnapshotNotFoundFault(ServiceError):
    """There is no such cluster snapshot, or it is not shared."""

    status = 404


class DBInstanceAlreadyExists(ServiceError):
    """The account has an instance of that name in the Region."""


class DBInstanceNotFound(ServiceError):
    """There is no such instance."""

    status = 404


class DBSnapshotAlreadyExists(ServiceError):
    """The account has a snapshot of that name in the Region."""


class DBSnapshotNotFound(ServiceError):
    """There is no such snapshot, or it is not shared."""

    status = 404


class InstanceQuotaExceeded(ServiceError):
    """The account has as many instances as it can."""


class InvalidDBClusterSnapshotStateFault(ServiceError):
    """This cannot be done with the cluster snapshot as it is."""


class InvalidDBClusterStateFault(ServiceError):
    """This cannot be done with the cluster as it is."""


class InvalidDBInstanceState(ServiceError):
    """This cannot be done with the instance as it is."""


class InvalidDBSnapshotState(ServiceError):
    """This cannot be done with the snapshot as it is."""


class InvalidParameterCombination(ServiceError):
    """Parameters that do not go together."""


class InvalidParameterValue(ServiceError):
    """A parameter has a value that it cannot have."""


class KMSKeyNotAccessibleFault(ServiceError):
    """A KMS key cannot be used."""


class SharedSnapshotQuotaExceeded(ServiceError):
    """A snapshot is shared with as many accounts as it can be."""


class SnapshotQuotaExceeded(ServiceError):
    """The account has as many manual snapshots, or copies under way, as it can."""
