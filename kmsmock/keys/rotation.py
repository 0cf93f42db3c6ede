"""Rotation of key material: schedules, and making another material the current one."""

from __future__ import annotations

from datetime import datetime, timedelta

from kmsmock.aws import errors
from kmsmock.keys.key import Key
from kmsmock.keys.material import KeyMaterial, MaterialState, RotationType
from kmsmock.keys.schedule import RotationSchedule
from kmsmock.keys.specs import Origin

#: Source: AWS KMS Developer Guide, "Rotate AWS KMS keys".
DEFAULT_PERIOD_DAYS = 365
ON_DEMAND_LIMIT = 25
_TOO_CLOSE = timedelta(minutes=20)


def schedule_of(key: Key) -> RotationSchedule | None:
    """Give the schedule that holds for a key: its own, or for a replica its primary's."""
    return key.multi_region.rotation if key.multi_region is not None else key.rotation


def enable(key: Key, now: datetime, period_days: int | None) -> RotationSchedule | None:
    """Switch automatic rotation on; gives the new schedule.

    The same period again changes nothing, and gives None.
    """
    schedule = key.rotation
    if schedule is not None and period_days in (None, schedule.period.days):
        return None
    period = timedelta(days=period_days or DEFAULT_PERIOD_DAYS)
    key.rotation = RotationSchedule(period, now + period)
    return key.rotation


def rotate_automatically(
    key: Key, schedule: RotationSchedule, now: datetime
) -> tuple[KeyMaterial, KeyMaterial]:
    """Give a key new material, as its schedule has it; gives the old one and the new."""
    material = key.new_material()
    before = _make_current(key, material, now, RotationType.AUTOMATIC)
    assert before is not None  # only imported material can be missing, and is not rotated so
    schedule.next_date = now + schedule.period
    schedule.is_missed = False
    return before, material


def start_on_demand(key: Key, now: datetime) -> bool:
    """Begin a rotation on demand; gives False when one is under way already.

    Raises LimitExceededException at the quota, ConflictException shortly before an automatic
    rotation, KMSInvalidStateException when an imported key has no material that awaits rotation.
    """
    if key.origin is Origin.EXTERNAL:
        pending = pending_material(key)
        if pending is None:
            raise errors.KMSInvalidStateException(
                f"No available key material pending rotation for the key: {key.arn}.",
                explanation="Import one with ImportType=NEW_KEY_MATERIAL first.",
            )
        if pending.state is MaterialState.PENDING_MULTI_REGION:
            raise errors.KMSInvalidStateException(
                "Cannot perform key material rotation: Key material has not been imported for "
                "replicas of the Multi-Region key."
            )
    if key.on_demand_started is not None:
        return False
    if key.rotation is not None and key.rotation.next_date - now <= _TOO_CLOSE:
        raise errors.ConflictException(
            explanation=f"Automatic rotation is due at {key.rotation.next_date:%Y-%m-%d %H:%M:%S} "
            "UTC; on-demand rotation is not possible in the 20 minutes before."
        )
    if key.on_demand_rotations >= ON_DEMAND_LIMIT:
        raise errors.LimitExceededException(
            "The on-demand rotations limit has been reached for the given keyId. No more "
            f"on-demand rotations can be performed for this key: {key.arn}"
        )
    key.on_demand_started = now
    key.on_demand_rotations += 1
    return True


def finish_on_demand(key: Key, now: datetime) -> KeyMaterial | None:
    """End a rotation on demand; gives the material that is current now.

    None when the pending material was deleted meanwhile: the rotation then ends without effect.
    """
    key.on_demand_started = None
    if key.origin is not Origin.EXTERNAL:
        material = key.new_material()
        _make_current(key, material, now, RotationType.ON_DEMAND)
        return material
    pending = pending_material(key)
    if pending is None:
        return None
    for member in key.relatives:
        known = member.material_with(pending.id)
        member.materials.remove(known)
        _make_current(member, known, now, RotationType.ON_DEMAND)
    return pending


def pending_material(key: Key) -> KeyMaterial | None:
    """Give the imported material that awaits rotation, if there is one."""
    return next((m for m in key.materials if not m.is_permanent), None)


def _make_current(
    key: Key, material: KeyMaterial, now: datetime, rotation_type: RotationType
) -> KeyMaterial | None:
    earlier = key.current_material
    if earlier is not None:
        earlier.state = MaterialState.NON_CURRENT
    material.state = MaterialState.CURRENT
    material.rotation_date = now
    material.rotation_type = rotation_type
    key.materials.append(material)
    return earlier


def on_demand_start(key: Key) -> datetime | None:
    """Give when the rotation on demand began that is under way; replicas tell their primary's."""
    primary = key.multi_region.primary if key.multi_region is not None else key
    return primary.on_demand_started
