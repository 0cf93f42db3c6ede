"""What is taken of the many parameters of databases: how they are shown, and which are refused.

Source: Amazon RDS API Reference, CreateDBInstance, CreateDBCluster and the restoring actions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kmsmock.services.rds.errors import InvalidParameterValue
from kmsmock.services.rds.kinds import INSTANCE, Kind
from kmsmock.services.registry import ServiceCall

#: Parameters that are shown as they were given, with their values when they were not.
_OF_ALL: dict[str, Any] = {
    "Engine": None,
    "EngineVersion": None,
    "MasterUsername": None,
    "BackupRetentionPeriod": 1,
    "PreferredBackupWindow": "06:00-06:30",
    "PreferredMaintenanceWindow": "sun:07:00-sun:07:30",
    "DeletionProtection": False,
    "CopyTagsToSnapshot": False,
    "AutoMinorVersionUpgrade": True,
    "MonitoringInterval": 0,
    "NetworkType": None,
    "StorageType": None,
    "Iops": None,
    "CharacterSetName": None,
    "PubliclyAccessible": False,
    "AllocatedStorage": None,
    "EngineLifecycleSupport": "open-source-rds-extended-support",
    "DatabaseInsightsMode": "standard",
}
_SHOWN: dict[str, dict[str, Any]] = {
    "DBInstance": {
        **_OF_ALL,
        "DBInstanceClass": None,
        "DBName": None,
        "AvailabilityZone": None,
        "MultiAZ": False,
        "LicenseModel": None,
        "StorageThroughput": None,
        "NcharCharacterSetName": None,
        "PromotionTier": None,
        "Timezone": None,
        "MaxAllocatedStorage": None,
        "BackupTarget": "region",
        "CACertificateIdentifier": "rds-ca-rsa2048-g1",
        "DedicatedLogVolume": False,
        "ProcessorFeatures": None,
    },
    "DBCluster": {
        **_OF_ALL,
        "AvailabilityZones": None,
        "DatabaseName": None,
        "Port": None,
        "EngineMode": "provisioned",
        "DBClusterInstanceClass": None,
        "BacktrackWindow": None,
        "ServerlessV2ScalingConfiguration": None,
    },
}


def _groups(member: str, **status: str) -> Callable[[Any], Any]:
    """Show names as things that are in use. member: that has the name; status: the other one."""

    def show(names: Any) -> list[dict[str, str]]:
        given = [names] if isinstance(names, str) else names
        return [{member: name, **status} for name in given]

    return show


def _as_given(value: Any) -> Any:
    return value


#: Parameters that are shown under other names: those, and how.
_CHANGED: dict[str, dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "DBInstance": {
        "VpcSecurityGroupIds": (
            "VpcSecurityGroups",
            _groups("VpcSecurityGroupId", Status="active"),
        ),
        "DBSubnetGroupName": ("DBSubnetGroup", lambda name: {"DBSubnetGroupName": name}),
        "DBParameterGroupName": (
            "DBParameterGroups",
            _groups("DBParameterGroupName", ParameterApplyStatus="in-sync"),
        ),
        "OptionGroupName": (
            "OptionGroupMemberships",
            _groups("OptionGroupName", Status="in-sync"),
        ),
        "EnableIAMDatabaseAuthentication": ("IAMDatabaseAuthenticationEnabled", _as_given),
        "EnableCloudwatchLogsExports": ("EnabledCloudwatchLogsExports", _as_given),
    },
    "DBCluster": {
        "VpcSecurityGroupIds": (
            "VpcSecurityGroups",
            _groups("VpcSecurityGroupId", Status="active"),
        ),
        "DBSubnetGroupName": ("DBSubnetGroup", _as_given),
        "DBClusterParameterGroupName": ("DBClusterParameterGroup", _as_given),
        "EnableIAMDatabaseAuthentication": ("IAMDatabaseAuthenticationEnabled", _as_given),
        "EnableCloudwatchLogsExports": ("EnabledCloudwatchLogsExports", _as_given),
        "EnableHttpEndpoint": ("HttpEndpointEnabled", _as_given),
    },
}
#: Parameters that are read elsewhere, or are not shown on AWS either.
_READ = {
    *("Tags", "StorageEncrypted", "KmsKeyId", "MasterUserPassword", "Port"),
    *("DBInstanceIdentifier", "DBClusterIdentifier"),
    *("DBSnapshotIdentifier", "SnapshotIdentifier"),
}


def require_known(call: ServiceCall, operation: str, known: Iterable[str]) -> None:
    """Refuse parameters that nothing would come of."""
    for member in call.parameters:
        if member not in known:
            raise InvalidParameterValue(
                f"The parameter {member} is not supported.",
                explanation=f"{member} of {operation} is not emulated. While moto's mock_aws is "
                "active, moto answers rds.",
            )


def read_response_members(
    call: ServiceCall, kind: Kind, operation: str, before: dict[str, Any]
) -> dict[str, Any]:
    """Give what answers show of a database because of parameters; refuses unknown ones.

    before: what is shown when nothing is given, as that of a snapshot.
    """
    shown, changed = _SHOWN[kind.name], _CHANGED[kind.name]
    parameters = call.parameters
    require_known(call, operation, {*shown, *changed, *_READ})
    result = {name: value for name, value in shown.items() if value is not None}
    result.update(before)
    result.update((name, parameters[name]) for name in shown if name in parameters)
    for name, (member, show) in changed.items():
        if name in parameters:
            result[member] = show(parameters[name])
    days = result["BackupRetentionPeriod"]
    lowest = 0 if kind is INSTANCE else 1
    if not lowest <= days <= 35:
        raise InvalidParameterValue(
            f"Invalid backup retention period: {days}. Must be between {lowest} and 35."
        )
    return result
