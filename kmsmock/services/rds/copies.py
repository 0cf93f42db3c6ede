"""CopyDBSnapshot and CopyDBClusterSnapshot: what is wrong with a key shows at once.

Source: Amazon RDS User Guide, "Copying a DB snapshot"; Amazon Aurora User Guide, "Copying a DB
cluster snapshot"; Amazon RDS API Reference.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.arns import partition_of
from kmsmock.services.rds.encrypting import (
    SOURCE_KEY,
    context_of,
    describe_target,
    key_faults,
    refuse_root,
)
from kmsmock.services.rds.engines import AURORA
from kmsmock.services.rds.errors import InvalidParameterCombination, InvalidParameterValue
from kmsmock.services.rds.finding import find_snapshot, new_name, no_snapshot, snapshot_arn
from kmsmock.services.rds.kinds import CLUSTER, INSTANCE, Kind
from kmsmock.services.rds.kms_calls import (
    Grant,
    describe_key,
    lend,
    new_data_key,
    open_data_key,
    retire,
)
from kmsmock.services.rds.parameters import require_known
from kmsmock.services.rds.presigned import require_url
from kmsmock.services.rds.registry import (
    is_there,
    later,
    of_each_kind,
    permit,
    permit_making,
    place,
    required,
    storage,
)
from kmsmock.services.rds.snapshot_quota import require_few_copies, require_room_for_snapshot
from kmsmock.services.rds.snapshots import require_available, shown_snapshot
from kmsmock.services.rds.storage import Snapshot
from kmsmock.services.rds.tagging import keep_tags, tags_of
from kmsmock.services.registry import ServiceCall
from kmsmock.services.sectors import rewrite
from kmsmock.services.storage_keys import KeyUnusableError

_CHINA = "aws-cn"
#: What a copy in another Region does not have of its source.
_OF_REGION = ("AvailabilityZone", "AvailabilityZones")
_PARAMETERS = ("KmsKeyId", "Tags", "CopyTags", "PreSignedUrl", "SourceRegion", "OptionGroupName")


@of_each_kind("Copy{0.snapshot}")
def copy_snapshot(kind: Kind, call: ServiceCall) -> dict[str, Any]:
    """Copy a snapshot into the account and Region of the call, under a key of its choice."""
    source_member, target_member = (
        f"{word}{kind.snapshot_identifier}" for word in ("Source", "Target")
    )
    action = f"Copy{kind.snapshot}"
    require_known(call, action, (*_PARAMETERS, source_member, target_member))
    named: str = required(call, source_member)
    name = new_name(call, target_member, of="snapshot")
    tags = tags_of(call)
    permit(call, action, snapshot_arn(call, kind, named))
    permit_making(call, action, snapshot_arn(call, kind, name))
    source = find_snapshot(call, kind, named)
    _require_reachable(call, source, named)
    require_available(source)
    require_room_for_snapshot(call, kind, name)
    require_few_copies(call)
    target = None
    grants: list[Grant] = []
    if source.key_arn is not None:
        _require_possible(call, source)
        target = _lend_both(call, source, source.key_arn, grants)
    elif "KmsKeyId" in call.parameters:
        target = _lend_target(call, source, grants)
    copy = _begin(call, source, name, target, grants)
    if call.parameters.get("CopyTags") and source.owner == call.account:
        held = storage(call).place(source.owner, source.region).tags
        tags = {**held.get(source.arn, {}), **tags}
    keep_tags(call, copy.arn, tags)
    return {kind.snapshot: shown_snapshot(call, copy)}


def _require_reachable(call: ServiceCall, source: Snapshot, named: str) -> None:
    here, there = partition_of(call.region), partition_of(source.region)
    if here != there:
        raise no_snapshot(call, source.kind, named)
    if here == _CHINA and source.region != call.region:
        raise InvalidParameterValue("Snapshots are not copied to or from the Regions of China.")


def _require_possible(call: ServiceCall, source: Snapshot) -> None:
    """Require what the copy of an encrypted snapshot needs, keys aside."""
    assert source.key_arn is not None
    is_elsewhere, is_shared = source.region != call.region, source.owner != call.account
    if is_elsewhere and is_shared and source.kind is INSTANCE:
        raise InvalidParameterCombination(
            "An encrypted snapshot that is shared cannot be copied to another region.",
            explanation="Copy it within its Region first, then the copy to the other Region.",
        )
    if "KmsKeyId" not in call.parameters:
        if is_elsewhere:
            raise InvalidParameterValue(
                "Must specify new KMS key for cross region encrypted snapshot copy."
            )
        if is_shared:
            raise InvalidParameterValue(
                "Must specify new KMS key for shared encrypted snapshot copy.",
                explanation="Only copies of one's own snapshots have the key of the source by "
                "themselves.",
            )
    if is_elsewhere:
        require_url(call, source.kind, source.region)
    refuse_root(call, source)


def _lend_both(call: ServiceCall, source: Snapshot, source_key: str, grants: list[Grant]) -> str:
    """Look at the keys of the source and of the copy, and let RDS use both; gives the latter."""
    given = call.parameters.get("KmsKeyId")
    words = source.kind.target_key
    with key_faults(SOURCE_KEY, source_key):
        describe_key(call, source_key, source.region)
    target = source_key
    if given is not None:
        target = describe_target(call, words, given)
    with key_faults(SOURCE_KEY, source_key):
        grants.append(lend(call, source_key, context_of(source)))
    if target != source_key:
        try:
            with key_faults(words, given or target):
                grants.append(lend(call, target, context_of(source)))
        except Exception:
            retire(call.backend, call.now, grants)
            raise
    return target


def _lend_target(call: ServiceCall, source: Snapshot, grants: list[Grant]) -> str:
    """Look at the key for the copy of what is not encrypted, and let RDS use it."""
    if source.kind is CLUSTER:
        raise InvalidParameterCombination(
            "KmsKeyId cannot be specified for a copy of a DB cluster snapshot that is not "
            "encrypted.",
            explanation="RestoreDBClusterFromSnapshot with KmsKeyId encrypts."
            if source.shown["Engine"] in AURORA
            else None,
        )
    given = call.parameters["KmsKeyId"]
    words = source.kind.target_key
    target = describe_target(call, words, given)
    with key_faults(words, given):
        grants.append(lend(call, target, context_of(source)))
    return target


def _begin(
    call: ServiceCall, source: Snapshot, name: str, target: str | None, grants: list[Grant]
) -> Snapshot:
    shown = dict(source.shown)
    if source.region != call.region:
        for member in _OF_REGION:
            shown.pop(member, None)
    if (source.owner, source.region) != (call.account, call.region):
        shown.pop("OptionGroupName", None)
    if "OptionGroupName" in call.parameters:
        shown["OptionGroupName"] = call.parameters["OptionGroupName"]
    copy = Snapshot(
        source.kind,
        name,
        call.account,
        call.region,
        source.source,
        source.resource_id,
        call.now,
        {"OriginalSnapshotCreateTime": source.created, **shown},
        key_arn=target,
        copied_from=source.arn,
    )
    place(call).snapshots[copy.kind.name, name] = copy
    storage(call).failures.pop(copy.arn, None)
    later(call, partial(_finish, call, copy, source, grants))
    return copy


def _finish(
    call: ServiceCall, copy: Snapshot, source: Snapshot, grants: list[Grant], now: datetime
) -> None:
    backend = call.backend
    try:
        if is_there(call, copy):
            _encrypt(call, copy, source, now)
            copy.status, copy.progress = "available", 100
    except KeyUnusableError as reason:
        copy.status = "failed"
        storage(call).failures[copy.arn] = str(reason)
    finally:
        retire(backend, now, grants)


def _encrypt(call: ServiceCall, copy: Snapshot, source: Snapshot, now: datetime) -> None:
    """Let a copy have the contents of its source, under a data key of its own."""
    if copy.key_arn is None:
        copy.sectors = dict(source.sectors)
        return
    backend = call.backend
    context = dict(source.key.context) if source.key is not None else context_of(source)
    key = new_data_key(backend, now, copy.key_arn, context)
    old = None if source.key is None else open_data_key(backend, now, source.key)
    copy.sectors = rewrite(source.sectors, old, open_data_key(backend, now, key))
    copy.key = key
