"""The ARNs of databases and snapshots.

Source: Amazon RDS User Guide, "Amazon Resource Names (ARNs) in Amazon RDS".
"""

from __future__ import annotations

from kmsmock.aws.arns import Arn
from kmsmock.aws.regions import partition_of
from kmsmock.services.rds.kinds import Kind
from kmsmock.services.registry import ServiceCall


def arn_of(region: str, account: str, resource_type: str, name: str) -> str:
    """Return the ARN of an RDS resource."""
    return str(Arn(partition_of(region), "rds", region, account, f"{resource_type}:{name}"))


def database_arn(call: ServiceCall, kind: Kind, name: str) -> str:
    """Return the ARN that a database of the account has, or would have."""
    return arn_of(call.region, call.account, kind.arn, name)


def snapshot_arn(call: ServiceCall, kind: Kind, name_or_arn: str) -> str:
    """Return the ARN of the snapshot that a call names by its ARN, or by its name."""
    if Arn.parse(name_or_arn) is not None:
        return name_or_arn
    return arn_of(call.region, call.account, kind.snapshot_arn, name_or_arn.lower())
