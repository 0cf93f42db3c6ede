"""The many parameters of databases: in which response members they are, and which are refused.

Source: Amazon RDS API Reference, CreateDBInstance, CreateDBCluster and the restoring actions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kmsmock.services.rds.errors import InvalidParameterValue
from kmsmock.services.rds.kinds import INSTANCE, Kind
from kmsmock.services.registry import ServiceCall

#: Parameters that are response members of the same name, and their default values.
_OF_BOTH: dict[str, Any] = {
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
_SAME_NAME: dict[str, dict[str, Any]] = {
    "DBInstance": {
        **_OF_BOTH,
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
        **_OF_BOTH,
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
    """Return a converter of names to groups. member: that has the name; status: the other one."""

    def to_groups(names: Any) -> list[dict[str, str]]:
        all_names = [names] if isinstance(names, str) else names
        return [{member: name, **status} for name in all_names]

    return to_groups


def _unchanged(value: Any) -> Any:
    return value


#: Parameters that are response members of other names: those, and how their values change.
_OTHER_NAME: dict[str, dict[str, tuple[str, Callable[[Any], Any]]]] = {
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
        "EnableIAMDatabaseAuthentication": ("IAMDatabaseAuthenticationEnabled", _unchanged),
        "EnableCloudwatchLogsExports": ("EnabledCloudwatchLogsExports", _unchanged),
    },
    "DBCluster": {
        "VpcSecurityGroupIds": (
            "VpcSecurityGroups",
            _groups("VpcSecurityGroupId", Status="active"),
        ),
        "DBSubnetGroupName": ("DBSubnetGroup", _unchanged),
        "DBClusterParameterGroupName": ("DBClusterParameterGroup", _unchanged),
        "EnableIAMDatabaseAuthentication": ("IAMDatabaseAuthenticationEnabled", _unchanged),
        "EnableCloudwatchLogsExports": ("EnabledCloudwatchLogsExports", _unchanged),
        "EnableHttpEndpoint": ("HttpEndpointEnabled", _unchanged),
    },
}
#: Parameters that are read elsewhere, or are in no response of AWS either.
_IN_NO_RESPONSE = {
    *("Tags", "StorageEncrypted", "KmsKeyId", "MasterUserPassword", "Port"),
    *("DBInstanceIdentifier", "DBClusterIdentifier"),
    *("DBSnapshotIdentifier", "SnapshotIdentifier"),
}


def require_known(call: ServiceCall, operation: str, known: Iterable[str]) -> None:
    """Refuse parameters that are not emulated."""
    for member in call.parameters:
        if member not in known:
            raise InvalidParameterValue(
                f"The parameter {member} is not supported.",
                explanation=f"{member} of {operation} is not emulated. While moto's mock_aws is "
                "active, moto answers rds.",
            )


def read_response_members(
    call: ServiceCall, kind: Kind, operation: str, defaults: dict[str, Any]
) -> dict[str, Any]:
    """Read the response members that come from parameters; refuse unknown parameters.

    defaults: for missing parameters, such as those of a snapshot.
    """
    same_name, other_name = _SAME_NAME[kind.name], _OTHER_NAME[kind.name]
    parameters = call.parameters
    require_known(call, operation, {*same_name, *other_name, *_IN_NO_RESPONSE})
    result = {name: value for name, value in same_name.items() if value is not None}
    result.update(defaults)
    result.update((name, parameters[name]) for name in same_name if name in parameters)
    for name, (member, convert) in other_name.items():
        if name in parameters:
            result[member] = convert(parameters[name])
    days = result["BackupRetentionPeriod"]
    lowest = 0 if kind is INSTANCE else 1
    if not lowest <= days <= 35:
        raise InvalidParameterValue(
            f"Invalid backup retention period: {days}. Must be between {lowest} and 35."
        )
    return result
