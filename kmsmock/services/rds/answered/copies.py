"""CopyDBSnapshot and CopyDBClusterSnapshot, which fail at once when a key cannot be used.

Source: Amazon RDS User Guide, "Copying a DB snapshot"; Amazon Aurora User Guide, "Copying a DB
cluster snapshot"; Amazon RDS API Reference.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.aws.regions import partition_of
from kmsmock.services.rds.answered.backups import begin_snapshot
from kmsmock.services.rds.answered.lookup import (
    find_snapshot,
    read_new_identifier,
    snapshot_not_found_error,
)
from kmsmock.services.rds.answered.parameters import require_known
from kmsmock.services.rds.answered.registry import (
    account_region,
    of_each_kind,
    require_create_permission,
    require_parameter,
    require_permission,
    storage,
)
from kmsmock.services.rds.answered.snapshot_quota import (
    require_few_copies,
    require_room_for_snapshot,
)
from kmsmock.services.rds.answered.snapshots import require_available, show_snapshot
from kmsmock.services.rds.answered.storage import Snapshot
from kmsmock.services.rds.answered.tagging import put_tags, read_new_tags
from kmsmock.services.rds.arns import snapshot_arn
from kmsmock.services.rds.errors import InvalidParameterValue
from kmsmock.services.rds.kinds import Kind
from kmsmock.services.rds.kms_use.snapshots import CopySnapshot
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sectors import rewrite
from kmsmock.services.storage_keys import KeyUnusableError
from kmsmock.state.failures import failures_of

_CHINA = "aws-cn"
#: What a copy in another Region does not have of its source.
_OF_REGION = ("AvailabilityZone", "AvailabilityZones")
_PARAMETERS = ("KmsKeyId", "Tags", "CopyTags", "PreSignedUrl", "SourceRegion", "OptionGroupName")


@of_each_kind("Copy{0.snapshot}")
def copy_snapshot(kind: Kind, call: ServiceCall) -> dict[str, Any]:
    """Copy a snapshot into the account and Region of the call, encrypted with the requested key."""
    source_member, target_member = (
        f"{word}{kind.snapshot_identifier}" for word in ("Source", "Target")
    )
    action = f"Copy{kind.snapshot}"
    require_known(call, action, (*_PARAMETERS, source_member, target_member))
    name_or_arn: str = require_parameter(call, source_member)
    name = read_new_identifier(call, target_member, of="snapshot")
    tags = read_new_tags(call)
    require_permission(call, action, snapshot_arn(call, kind, name_or_arn))
    require_create_permission(call, action, snapshot_arn(call, kind, name))
    source = find_snapshot(call, kind, name_or_arn)
    _require_reachable(call, source, name_or_arn)
    require_available(call, source)
    require_room_for_snapshot(call, kind, name)
    require_few_copies(call)
    flow = CopySnapshot(call, source)
    flow.request()
    copy = _store(call, source, name, flow)
    if call.parameters.get("CopyTags") and source.owner == call.account:
        source_tags = storage(call).account_region(source.owner, source.region).tags
        tags = {**source_tags.get(source.arn, {}), **tags}
    put_tags(call, copy.arn, tags)
    return {kind.snapshot: show_snapshot(call, copy)}


def _require_reachable(call: ServiceCall, source: Snapshot, name_or_arn: str) -> None:
    here, there = partition_of(call.region), partition_of(source.region)
    if here != there:
        raise snapshot_not_found_error(call, source.kind, name_or_arn)
    if here == _CHINA and source.region != call.region:
        raise InvalidParameterValue("Snapshots are not copied to or from the Regions of China.")


def _store(call: ServiceCall, source: Snapshot, name: str, flow: CopySnapshot) -> Snapshot:
    members = dict(source.response_members)
    if source.region != call.region:
        for member in _OF_REGION:
            members.pop(member, None)
    if (source.owner, source.region) != (call.account, call.region):
        members.pop("OptionGroupName", None)
    if "OptionGroupName" in call.parameters:
        members["OptionGroupName"] = call.parameters["OptionGroupName"]
    copy = Snapshot(
        source.kind,
        name,
        call.account,
        call.region,
        source.source,
        source.resource_id,
        call.now,
        {"OriginalSnapshotCreateTime": source.created, **members},
        encryption=flow.encryption,
        copied_from=source.arn,
    )
    account_region(call).snapshots[copy.kind.name, name] = copy
    failures_of(call.backend).pop(copy.arn, None)
    finish = partial(_finish, call, copy, source, flow)
    begin_snapshot(call.backend, call.now, copy, finish)
    return copy


def _finish(
    call: ServiceCall, copy: Snapshot, source: Snapshot, flow: CopySnapshot, now: datetime
) -> None:
    """Encrypt the contents of the source with the data key of the copy."""
    try:
        old_key, new_key = flow.complete(now)
    except KeyUnusableError as reason:
        copy.status = "failed"
        failures_of(call.backend)[copy.arn] = str(reason)
        return
    copy.encryption = flow.encryption
    copy.sectors = rewrite(source.sectors, old_key, new_key)
    copy.status, copy.progress = "available", 100
