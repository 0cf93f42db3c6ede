"""Rotation of key material, automatic and on demand."""

from __future__ import annotations

from datetime import datetime, timedelta

from kmsmock.aws import errors
from kmsmock.keys.key import Key, KeyManager
from kmsmock.keys.material import KeyMaterial, MaterialState, RotationType
from kmsmock.keys.rotation_schedule import RotationSchedule
from kmsmock.keys.specs import Origin
from kmsmock.timing.dates import add, add_or_last
from kmsmock.timing.passing_states import ShownState

#: Source: AWS KMS Developer Guide, "Rotate AWS KMS keys".
DEFAULT_PERIOD_DAYS = 365
#: The shortest and the longest period, in days, for world files. For requests, botocore's model has
#: the same limits.
PERIOD_LIMITS_DAYS = (90, 2560)
ON_DEMAND_LIMIT = 25
#: The on-demand rotation in progress, in answers: a passing state.
ON_DEMAND_ROTATION = ShownState("OnDemandRotationStartDate")
_TOO_CLOSE = timedelta(minutes=20)


def get_schedule(key: Key) -> RotationSchedule | None:
    """Return the rotation schedule of a key (of a replica, that of its primary), if it has one."""
    return key.multi_region.rotation if key.multi_region is not None else key.rotation


def enable(key: Key, now: datetime, period_days: int | None) -> RotationSchedule | None:
    """Enable automatic rotation; return the new schedule.

    Returns None, and changes nothing, if it is enabled with the same period. Raises ValueError if
    the first rotation would be after the year 9999.
    """
    schedule = key.rotation
    if schedule is not None and period_days in (None, schedule.period.days):
        return None
    period = timedelta(days=period_days or DEFAULT_PERIOD_DAYS)
    key.rotation = RotationSchedule(period, add(now, period))
    return key.rotation


def enable_for_aws(key: Key, now: datetime) -> RotationSchedule:
    """Enable the yearly rotation of an AWS managed key; return its schedule."""
    period = timedelta(days=DEFAULT_PERIOD_DAYS)
    key.rotation = RotationSchedule(period, add_or_last(now, period))
    return key.rotation


def is_before_first_of_aws(key: Key) -> bool:
    """Return whether a key is an AWS managed key that has not been rotated yet."""
    return key.manager is KeyManager.AWS and len(key.materials) < 2


def rotate_automatically(
    key: Key, schedule: RotationSchedule, now: datetime
) -> tuple[KeyMaterial, KeyMaterial]:
    """Rotate a key as its schedule requires; return the previous material and the new one."""
    material = key.new_material()
    before = _make_current(key, material, now, RotationType.AUTOMATIC)
    assert before is not None  # only imported material can be missing, and is not rotated so
    schedule.next_date = add_or_last(now, schedule.period)
    schedule.is_missed = False
    return before, material


def start_on_demand(key: Key, now: datetime) -> bool:
    """Begin an on-demand rotation; return False if one is in progress.

    Raises LimitExceededException at the quota, ConflictException in the 20 minutes before an
    automatic rotation, KMSInvalidStateException if a key with imported material has none that is
    pending rotation.
    """
    if key.origin is Origin.EXTERNAL:
        pending = get_pending_material(key)
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
            "UTC (NextRotationDate of GetKeyRotationStatus); on-demand rotation is not possible in "
            "the 20 minutes before. kms.clock.advance(minutes=20) passes them."
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
    """Complete an on-demand rotation; return the new current material.

    Returns None if the pending material was deleted since; the rotation then has no effect.
    """
    key.on_demand_started = None
    if key.origin is not Origin.EXTERNAL:
        material = key.new_material()
        _make_current(key, material, now, RotationType.ON_DEMAND)
        return material
    pending = get_pending_material(key)
    if pending is None:
        return None
    for member in key.related_keys:
        known = member.find_material(pending.id)
        member.materials.remove(known)
        _make_current(member, known, now, RotationType.ON_DEMAND)
    return pending


def get_pending_material(key: Key) -> KeyMaterial | None:
    """Return the imported material that is pending rotation; None if there is none."""
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


def get_on_demand_start(key: Key) -> datetime | None:
    """Return when the on-demand rotation in progress began, of a replica that of its primary."""
    primary = key.multi_region.primary if key.multi_region is not None else key
    return primary.on_demand_started


def get_family_id(key: Key) -> str:
    """Return an id that a multi-Region key has in common with its related keys, else its ARN."""
    return key.arn if key.multi_region is None else f"{key.account}:{key.key_id}"
