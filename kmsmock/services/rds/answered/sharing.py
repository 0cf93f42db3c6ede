"""Who else may use a snapshot: Modify- and DescribeDB(Cluster)SnapshotAttribute(s).

Sharing makes no grant and changes no key policy: that is the other half, for KMS.

Source: Amazon RDS User Guide, "Sharing a DB snapshot", "Sharing encrypted snapshots".
"""

from __future__ import annotations

from typing import Any

from kmsmock.aws.arns import is_account_id
from kmsmock.services.rds.answered.lookup import find_own_snapshot, require_manual_snapshot
from kmsmock.services.rds.answered.registry import (
    of_each_kind,
    require_parameter,
    require_permission,
)
from kmsmock.services.rds.answered.snapshots import require_available
from kmsmock.services.rds.answered.storage import Snapshot
from kmsmock.services.rds.arns import snapshot_arn
from kmsmock.services.rds.errors import (
    InvalidParameterCombination,
    InvalidParameterValue,
    SharedSnapshotQuotaExceeded,
)
from kmsmock.services.rds.kinds import Kind
from kmsmock.services.rds.kms_use.snapshots import ShareSnapshot
from kmsmock.services.registry import ServiceCall

_RESTORE, _EVERYBODY = "restore", "all"
_MOST_ACCOUNTS = 20


@of_each_kind("Modify{0.snapshot}Attribute")
def modify_snapshot_attribute(kind: Kind, call: ServiceCall) -> dict[str, Any]:
    """Share a snapshot with accounts or everybody, or stop sharing it."""
    require_manual_snapshot(call, kind.snapshot_identifier)
    snapshot = _find_own(call, kind, f"Modify{kind.snapshot}Attribute")
    attribute = require_parameter(call, "AttributeName")
    if attribute != _RESTORE:
        raise InvalidParameterValue(f"Invalid snapshot attribute {attribute}")
    added = list(dict.fromkeys(call.parameters.get("ValuesToAdd", ())))
    removed = list(dict.fromkeys(call.parameters.get("ValuesToRemove", ())))
    both = [value for value in added if value in removed]
    if both:
        raise InvalidParameterCombination(
            f"A value may not appear in both the add list and remove list. {both}"
        )
    for value in (*added, *removed):
        if value != _EVERYBODY and not is_account_id(value):
            raise InvalidParameterValue(f"Invalid AWS account id: {value}")
    require_available(call, snapshot)
    ShareSnapshot(call, kind, snapshot.encryption).request()
    _require_few_accounts(snapshot, added)
    _change(snapshot, added, removed)
    return {f"{kind.snapshot}AttributesResult": _attributes(snapshot)}


def _require_few_accounts(snapshot: Snapshot, added: list[str]) -> None:
    accounts = {*snapshot.shared_with, *added} - {_EVERYBODY}
    if len(accounts) > _MOST_ACCOUNTS:
        raise SharedSnapshotQuotaExceeded(
            "The request cannot be processed because it would exceed the maximum number of "
            "snapshots.",
            explanation=f"A snapshot can be shared with {_MOST_ACCOUNTS} accounts.",
        )


def _change(snapshot: Snapshot, added: list[str], removed: list[str]) -> None:
    for value in added:
        if value == _EVERYBODY:
            snapshot.is_public = True
        else:
            snapshot.shared_with[value] = None
    for value in removed:
        if value == _EVERYBODY:
            # Accounts that were named keep what they have.
            snapshot.is_public = False
        else:
            snapshot.shared_with.pop(value, None)


@of_each_kind("Describe{0.snapshot}Attributes")
def describe_snapshot_attributes(kind: Kind, call: ServiceCall) -> dict[str, Any]:
    """Describe the accounts that a snapshot is shared with."""
    snapshot = _find_own(call, kind, f"Describe{kind.snapshot}Attributes")
    return {f"{kind.snapshot}AttributesResult": _attributes(snapshot)}


def _find_own(call: ServiceCall, kind: Kind, action: str) -> Snapshot:
    """Find the snapshot that a call names, whose permissions only its owner may use."""
    name_or_arn: str = require_parameter(call, kind.snapshot_identifier)
    require_permission(call, action, snapshot_arn(call, kind, name_or_arn))
    return find_own_snapshot(call, kind, name_or_arn)


def _attributes(snapshot: Snapshot) -> dict[str, Any]:
    kind = snapshot.kind
    values = [*snapshot.shared_with, *([_EVERYBODY] if snapshot.is_public else ())]
    return {
        kind.snapshot_identifier: snapshot.identifier,
        f"{kind.snapshot}Attributes": [
            {"AttributeName": _RESTORE, "AttributeValues": values},
        ],
    }
