"""Scheduled work: what KMS does asynchronously, some time after a call.

Each function schedules one piece of work on the mock's clock. The key or store may have changed or
been deleted by the time it is due, so all check again before they do anything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from kmsmock.keys import material_import, rotation
from kmsmock.keys.custom_key_store import (
    CONNECTION_STATE,
    ConnectionState,
    CustomKeyStore,
    StoreType,
)
from kmsmock.keys.key import Key
from kmsmock.keys.material import KeyMaterial
from kmsmock.keys.multi_region import remove_member
from kmsmock.keys.rotation_schedule import RotationSchedule
from kmsmock.keys.states import KEY_STATE, KeyState
from kmsmock.ledger.service_events import DELETE_EXPIRED, DELETE_KEY
from kmsmock.state.backend import Backend
from kmsmock.timing.dates import LAST, add_or_last

#: Of how many deleted key materials the ids are kept, for the explanation of a failed Decrypt.
_DELETED_MATERIALS_KEPT = 10_000
_NOT_ROTATED = (KeyState.DISABLED, KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)


# --- rotation -----------------------------------------------------------------------------------


def rotate_when_due(backend: Backend, key: Key, schedule: RotationSchedule) -> None:
    """Rotate a key at the next date of its schedule, and then schedule the next rotation."""
    if schedule.next_date >= LAST:  # it stands for dates after the calendar
        return
    due = schedule.next_date
    backend.clock.schedule(
        due, partial(_rotate_if_due, backend, key, schedule, due), _is_rotation_due
    )


def _is_rotation_due(_: Backend, key: Key, schedule: RotationSchedule, due: datetime) -> bool:
    if key.multi_region is not None:
        key = key.multi_region.primary
    return key.rotation is schedule and schedule.next_date == due


def _rotate_if_due(
    backend: Backend,
    key: Key,
    schedule: RotationSchedule,
    due: datetime,
    _: datetime,
) -> None:
    if not _is_rotation_due(backend, key, schedule, due):
        return
    if key.multi_region is not None:
        key = key.multi_region.primary
    if key.status in _NOT_ROTATED:
        schedule.is_missed = True
        return
    _rotate(backend, key, schedule, due)


def rotate_if_missed(backend: Backend, key: Key, now: datetime) -> None:
    """Rotate a key now if its rotation date passed while it was disabled.

    Source: AWS KMS Developer Guide, "How automatic key rotation works", on disabled keys.
    """
    if key.rotation is not None and key.rotation.is_missed:
        _rotate(backend, key, key.rotation, now, during_call=True)


def _rotate(
    backend: Backend,
    key: Key,
    schedule: RotationSchedule,
    now: datetime,
    *,
    during_call: bool = False,
) -> None:
    before, material = rotation.rotate_automatically(key, schedule, now)
    if key.multi_region is None:
        backend.materials[key.region_name][material.id] = key
    else:
        backend.index_materials(key)
    backend.service_events.note_rotation(
        key, now, "AUTOMATIC", before.id, material.id, during_call=during_call
    )
    rotate_when_due(backend, key, schedule)


def finish_rotation_when_due(backend: Backend, key: Key, now: datetime) -> None:
    """Complete an on-demand rotation after its delay, in whatever state the key is then.

    Source: AWS KMS Developer Guide, "Perform on-demand key rotation".
    """
    backend.passing.begin(
        rotation.ON_DEMAND_ROTATION,
        rotation.get_family_id(key),
        add_or_last(now, backend.delays.rotation),
        partial(_finish_rotation, backend, key),
        until="OnDemandRotationStartDate is absent",
    )


def _finish_rotation(backend: Backend, key: Key, now: datetime) -> None:
    if key.multi_region is not None:
        key = key.multi_region.primary
    if not backend.has_key(key):
        return
    before = key.material
    after = rotation.finish_on_demand(key, now)
    if after is not None:
        backend.service_events.note_rotation(key, now, "ON_DEMAND", before.id, after.id)
        for member in key.related_keys:
            if (due := member.material.valid_to) is not None and due <= now:
                backend.clock.schedule(
                    now, partial(_expire_if_due, backend, member, member.material, due)
                )
    backend.index_materials(key)


# --- deletion and expiry ------------------------------------------------------------------------


def delete_when_due(backend: Backend, key: Key) -> None:
    """Delete a key at its deletion date, unless the deletion is cancelled or moved before."""
    due = key.deletion_date
    assert due is not None
    backend.clock.schedule(due, partial(_delete_if_due, backend, key, due), _is_deletion_due)


def _is_deletion_due(backend: Backend, key: Key, due: datetime) -> bool:
    return backend.has_key(key) and key.deletion_date == due


def _delete_if_due(backend: Backend, key: Key, due: datetime, now: datetime) -> None:
    # A deletion that is scheduled, cancelled and scheduled again at one time is due twice.
    if not _is_deletion_due(backend, key, due):
        return
    backend.key_lifetimes.add_deleted(key, now)
    backend.region(key.account, key.region_name).remove_key(key)
    backend.service_events.note(DELETE_KEY, key, now)
    if len(backend.deleted_materials) < _DELETED_MATERIALS_KEPT:
        backend.deleted_materials.update((material.id, None) for material in key.materials)
    if key.multi_region is not None:
        remove_member(key.multi_region, key, now)
        primary = key.multi_region.primary
        if primary is not key and primary.deletion_date is not None:
            delete_when_due(backend, primary)


def expire_when_due(backend: Backend, key: Key, material: KeyMaterial) -> None:
    """Delete imported material when it expires, unless it is imported again before.

    Material that is pending rotation is kept until it is current.
    """
    due = material.valid_to
    assert due is not None
    backend.clock.schedule(
        due, partial(_expire_if_due, backend, key, material, due), _is_expiry_possible
    )


def _is_expiry_possible(backend: Backend, key: Key, material: KeyMaterial, due: datetime) -> bool:
    return material.valid_to == due and backend.has_key(key)


def _expire_if_due(
    backend: Backend, key: Key, material: KeyMaterial, due: datetime, now: datetime
) -> None:
    if material.is_permanent and _is_expiry_possible(backend, key, material, due):
        material_import.remove_material(key, material)
        material.expired_at = due
        backend.service_events.note(DELETE_EXPIRED, key, now, material_id=material.id)


# --- passing states -------------------------------------------------------------------------------


def finish_creation_when_due(backend: Backend, key: Key, due: datetime) -> None:
    """Enable a replica key in state Creating once that is due."""
    _begin_transient_state(backend, key, due, _finish_creation)


def _finish_creation(backend: Backend, key: Key, now: datetime) -> None:
    _enable_if_still(key, KeyState.CREATING)
    if backend.has_key(key):
        backend.service_events.note_synchronization(key, now)


def finish_update_when_due(backend: Backend, key: Key, due: datetime) -> None:
    """Enable a key in state Updating once that is due."""
    _begin_transient_state(backend, key, due, _finish_update)


def _finish_update(_: Backend, key: Key, now: datetime) -> None:  # noqa: ARG001 - the clock gives it
    _enable_if_still(key, KeyState.UPDATING)


def _begin_transient_state(
    backend: Backend,
    key: Key,
    due: datetime,
    finish: Callable[[Backend, Key, datetime], None],
) -> None:
    key.transient_until = due
    backend.passing.begin(
        KEY_STATE, key.arn, due, partial(finish, backend, key), until="KeyState is Enabled"
    )


def _enable_if_still(key: Key, transient: KeyState) -> None:
    if key.status is transient:
        key.status = KeyState.ENABLED


def connect_when_due(backend: Backend, store: CustomKeyStore, now: datetime) -> None:
    """Complete the connection of a custom key store after its delay: CONNECTED or FAILED."""
    delays = backend.delays
    is_cluster = store.store_type is StoreType.AWS_CLOUDHSM
    delay = delays.cluster_connection if is_cluster else delays.proxy_connection
    begin_transition(backend, store, ConnectionState.CONNECTING, add_or_last(now, delay))


def disconnect_when_due(backend: Backend, store: CustomKeyStore, now: datetime) -> None:
    """Complete the disconnection of a custom key store after its delay."""
    due = add_or_last(now, backend.delays.disconnection)
    begin_transition(backend, store, ConnectionState.DISCONNECTING, due)


def begin_transition(
    backend: Backend, store: CustomKeyStore, transient: ConnectionState, due: datetime
) -> None:
    """Begin to connect or disconnect a custom key store, in place of what it was doing.

    transient: CONNECTING or DISCONNECTING. due: when that is done.
    """
    store.begin_transition(transient, due)
    after = "CONNECTED" if transient is ConnectionState.CONNECTING else "DISCONNECTED"
    backend.passing.begin(
        CONNECTION_STATE,
        store.store_id,
        due,
        partial(_complete_transition, store),
        until=f"ConnectionState is {after}",
    )


def _complete_transition(store: CustomKeyStore, now: datetime) -> None:  # noqa: ARG001 - see above
    store.complete_transition()
