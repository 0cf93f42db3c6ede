"""Multi-Region keys: a primary key and its replica keys, which share key id and key material."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from kmsmock.keys.key import Key, MultiRegionKey
from kmsmock.keys.material import MaterialState
from kmsmock.keys.specs import Origin
from kmsmock.keys.states import KeyState
from kmsmock.timing.dates import add_or_last


def add_replica(family: MultiRegionKey, replica: Key) -> None:
    """Add a replica key, which starts in state Creating.

    Material of origin AWS_KMS is shared: both keys have the same list. Of imported material the
    replica has the ids only, as on AWS: its secrets must be imported into the replica too.
    """
    primary = family.primary
    if primary.origin is Origin.EXTERNAL:
        replica.materials = [
            replace(
                material,
                secret=None,
                opened=None,
                expiration_model=None,
                valid_to=None,
            )
            for material in primary.materials
        ]
    else:
        replica.materials = primary.materials
    replica.multi_region = family
    replica.status = KeyState.CREATING
    family.members[replica.region_name] = replica
    update_pending_material(family)


def update_pending_material(family: MultiRegionKey) -> None:
    """Set the state of material pending rotation: it can be rotated once every member has it."""
    members = family.members.values()
    for pending in [m for m in family.primary.materials if not m.is_permanent]:
        copies = [member.find_material(pending.id) for member in members]
        everywhere = all(copy.is_present for copy in copies)
        for copy in copies:
            copy.state = (
                MaterialState.PENDING_ROTATION if everywhere else MaterialState.PENDING_MULTI_REGION
            )


def make_primary(family: MultiRegionKey, key: Key) -> None:
    """Make another member the primary; both it and the previous primary become Updating."""
    before = family.primary
    key.rotation, before.rotation = before.rotation, None
    key.on_demand_started, before.on_demand_started = before.on_demand_started, None
    key.on_demand_rotations = before.on_demand_rotations
    for member in (before, key):
        member.status = KeyState.UPDATING
    family.primary = key


def remove_member(family: MultiRegionKey, key: Key, now: datetime) -> None:
    """Remove a deleted member.

    With the last replica, the waiting period begins of a primary that is scheduled for deletion.
    """
    family.members.pop(key.region_name, None)
    update_pending_material(family)
    primary = family.primary
    if (
        primary.status is KeyState.PENDING_REPLICA_DELETION
        and not family.has_replicas_of(primary)
        and primary.pending_window_days is not None
    ):
        primary.status = KeyState.PENDING_DELETION
        primary.deletion_date = add_or_last(now, timedelta(days=primary.pending_window_days))
