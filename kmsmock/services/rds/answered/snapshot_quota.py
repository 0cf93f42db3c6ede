"""The quotas of snapshots and of copies in progress.

Source: Amazon RDS User Guide, "Quotas and constraints for Amazon RDS": manual snapshots.
"""

from __future__ import annotations

from kmsmock.services.rds.answered.registry import account_region
from kmsmock.services.rds.answered.storage import MANUAL
from kmsmock.services.rds.errors import SnapshotQuotaExceeded
from kmsmock.services.rds.kinds import Kind
from kmsmock.services.registry import ServiceCall

_MOST_MANUAL = 100
#: The quota of copies in progress to a Region.
_MOST_COPIES = 20


def require_room_for_snapshot(call: ServiceCall, kind: Kind, name: str) -> None:
    """Require that the name is free, and the quota of snapshots is not reached."""
    here = account_region(call)
    if (kind.name, name) in here.snapshots:
        raise kind.errors.snapshot_exists(
            f"Cannot create the snapshot because a snapshot with the identifier {name} already "
            "exists."
        )
    if sum(snapshot.type == MANUAL for snapshot in here.snapshots_of(kind)) >= _MOST_MANUAL:
        raise _exceeded(f"An account can have {_MOST_MANUAL} manual snapshots in a Region.")


def require_few_copies(call: ServiceCall) -> None:
    """Require that the quota of copies in progress is not reached."""
    under_way = sum(
        snapshot.is_copy and snapshot.status == "creating"
        for snapshot in account_region(call).snapshots.values()
    )
    if under_way >= _MOST_COPIES:
        raise _exceeded(f"{_MOST_COPIES} copies can be under way at the same time in a Region.")


def _exceeded(why: str) -> SnapshotQuotaExceeded:
    return SnapshotQuotaExceeded(
        "The request cannot be processed because it would exceed the maximum number of snapshots.",
        explanation=why,
    )
