"""Who else may use a snapshot: Modify-, Describe- and ResetSnapshotAttribute.

Sharing makes no grant and changes no key policy: that is the other half, for KMS.

Source: Amazon EBS User Guide, "Share an Amazon EBS snapshot with other AWS accounts".
"""

from __future__ import annotations

from typing import Any

from kmsmock.services.ec2 import errors
from kmsmock.services.ec2.answered.lookup import (
    read_snapshot_id,
    require_parameter,
    resource_context,
    snapshot_not_found_error,
)
from kmsmock.services.ec2.answered.registry import (
    account_region,
    arn,
    operation,
    require_permission,
)
from kmsmock.services.ec2.answered.storage import UNBLOCKED, Snapshot
from kmsmock.services.ec2.kms_use.sharing import require_shareable_snapshot
from kmsmock.services.ec2.sharing_requests import SNAPSHOT_PERMISSION, Change, read_snapshot_change
from kmsmock.services.registry import ServiceCall

_ATTRIBUTES = (SNAPSHOT_PERMISSION, "productCodes")


@operation("ModifySnapshotAttribute")
def modify_snapshot_attribute(call: ServiceCall) -> None:
    """Add or remove the permissions of accounts or everybody to use a snapshot."""
    snapshot = _find_own_snapshot(call, "ModifySnapshotAttribute")
    change = read_snapshot_change(call)
    if change.adds:
        _require_shareable(call, snapshot, change)
    if change.everybody:
        snapshot.is_public = change.adds
    for account in change.accounts:
        if not change.adds:
            snapshot.shared_with.pop(account, None)
        elif account != snapshot.owner:
            snapshot.shared_with[account] = None


def _require_shareable(call: ServiceCall, snapshot: Snapshot, change: Change) -> None:
    if snapshot.key_arn is not None:
        require_shareable_snapshot(call, snapshot.key_arn, change)
    elif change.everybody and account_region(call).block_public_access != UNBLOCKED:
        raise errors.OperationNotPermitted(
            "Public sharing of snapshots is blocked for this account."
        )


@operation("DescribeSnapshotAttribute")
def describe_snapshot_attribute(call: ServiceCall) -> dict[str, Any]:
    """Describe the accounts and groups that a snapshot is shared with."""
    snapshot = _find_own_snapshot(call, "DescribeSnapshotAttribute")
    attribute = require_parameter(call, "Attribute")
    if attribute not in _ATTRIBUTES:
        raise errors.InvalidParameterValue("Unrecognized attribute.")
    if attribute == "productCodes":
        return {"SnapshotId": snapshot.id, "ProductCodes": []}
    shared: list[dict[str, str]] = [{"UserId": account} for account in snapshot.shared_with]
    if snapshot.is_public:
        shared.append({"Group": "all"})
    return {"SnapshotId": snapshot.id, "CreateVolumePermissions": shared}


@operation("ResetSnapshotAttribute")
def reset_snapshot_attribute(call: ServiceCall) -> None:
    """Remove all permissions of others to use a snapshot."""
    snapshot = _find_own_snapshot(call, "ResetSnapshotAttribute")
    if require_parameter(call, "Attribute") != SNAPSHOT_PERMISSION:
        raise errors.InvalidParameterValue("Unrecognized attribute.")
    snapshot.shared_with.clear()
    snapshot.is_public = False


def _find_own_snapshot(call: ServiceCall, action: str) -> Snapshot:
    """Find the snapshot that a call names, whose permissions only its owner may use."""
    name = read_snapshot_id(require_parameter(call, "SnapshotId"))
    snapshot = account_region(call).snapshots.get(name)
    require_permission(
        call, action, arn(call, f"snapshot/{name}"), context=resource_context(call, snapshot)
    )
    if snapshot is None:
        raise snapshot_not_found_error(call, name)
    return snapshot
