"""Multi-Region keys: one primary and its replicas, which share identity and key material."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kmsmock.keys.key import Key, KeyState
from kmsmock.keys.material import MaterialState
from kmsmock.keys.specs import Origin

if TYPE_CHECKING:
    from kmsmock.keys.rotation import RotationSchedule


class MultiRegionKey:
    """What the related keys of a multi-Region key have in common.

    members: Region -> key, the primary among them, in the order of their creation.
    rotation: the schedule, which is set on the primary and holds for all.
    """

    __slots__ = ("members", "primary")

    def __init__(self, primary: Key) -> None:
        self.primary = primary
        self.members: dict[str, Key] = {primary.region_name: primary}

    @property
    def replicas(self) -> list[Key]:
        """All members but the primary."""
        return [key for key in self.members.values() if key is not self.primary]

    @property
    def rotation(self) -> RotationSchedule | None:
        """The rotation schedule, kept by the primary."""
        return self.primary.rotation

    def has_replicas_of(self, key: Key) -> bool:
        """Tell whether this key is the primary and others depend on it."""
        return key is self.primary and len(self.members) > 1

    def replicate(self, replica: Key) -> None:
        """Take in a replica, which starts in state Creating.

        KMS's own material is shared: both keys have the same list. Imported material is not
        copied, only its identity is known to the replica.
        """
        primary = self.primary
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
        replica.multi_region = self
        replica.status = KeyState.CREATING
        self.members[replica.region_name] = replica
        self.settle_pending_material()

    def settle_pending_material(self) -> None:
        """Let imported material be ready for rotation once every member has it."""
        members = self.members.values()
        for pending in [m for m in self.primary.materials if not m.is_permanent]:
            copies = [member.material_with(pending.id) for member in members]
            everywhere = all(copy.is_present for copy in copies)
            for copy in copies:
                copy.state = (
                    MaterialState.PENDING_ROTATION
                    if everywhere
                    else MaterialState.PENDING_MULTI_REGION
                )

    def make_primary(self, key: Key) -> None:
        """Let another member be the primary; both are Updating for a while."""
        before = self.primary
        key.rotation, before.rotation = before.rotation, None
        key.on_demand_started, before.on_demand_started = before.on_demand_started, None
        key.on_demand_rotations = before.on_demand_rotations
        for member in (before, key):
            member.status = KeyState.UPDATING
        self.primary = key

    def remove(self, key: Key, now: datetime) -> None:
        """Forget a deleted member; when the last replica goes, the primary's waiting begins."""
        self.members.pop(key.region_name, None)
        self.settle_pending_material()
        primary = self.primary
        if (
            primary.status is KeyState.PENDING_REPLICA_DELETION
            and not self.has_replicas_of(primary)
            and primary.pending_window_days is not None
        ):
            primary.status = KeyState.PENDING_DELETION
            primary.deletion_date = now + timedelta(days=primary.pending_window_days)
