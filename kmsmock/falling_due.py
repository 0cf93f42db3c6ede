"""What KMS does by itself a while after a call, each put on the mock's clock.

Each function puts one thing there. What it is about may have changed by then, so all look again
when their time comes.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial

from kmsmock.backend import Backend
from kmsmock.keys import material_import, rotation
from kmsmock.keys.custom_key_store import ConnectionState, CustomKeyStore, StoreType
from kmsmock.keys.key import Key
from kmsmock.keys.material import KeyMaterial
from kmsmock.keys.multi_region import remove_member
from kmsmock.keys.rotation_schedule import RotationSchedule
from kmsmock.keys.states import KeyState
from kmsmock.ledger.service_events import DELETE_EXPIRED, DELETE_KEY

_DELETED_REMEMBERED = 10_000
_NOT_ROTATED = (KeyState.DISABLED, KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)


# --- rotation -----------------------------------------------------------------------------------


def rotate_when_due(backend: Backend, key: Key, schedule: RotationSchedule) -> None:
    """Rotate a key when its schedule says so, and again and again."""
    backend.clock.at(schedule.next_date, partial(_rotate_if_due, backend, key, schedule))


def _rotate_if_due(backend: Backend, key: Key, schedule: RotationSchedule, due: datetime) -> None:
    if key.multi_region is not None:
        key = key.multi_region.primary
    if key.rotation is not schedule or schedule.next_date != due:
        return
    if key.status in _NOT_ROTATED:
        schedule.is_missed = True
        return
    _rotate(backend, key, schedule, due)


def make_up_for_rotation(backend: Backend, key: Key, now: datetime) -> None:
    """Rotate a key at once that was disabled when it was due.

    Source: AWS KMS Developer Guide, "How automatic key rotation works", on disabled keys.
    """
    if key.rotation is not None and key.rotation.is_missed:
        _rotate(backend, key, key.rotation, now, after=1)


def _rotate(
    backend: Backend, key: Key, schedule: RotationSchedule, now: datetime, *, after: int = 0
) -> None:
    before, material = rotation.rotate_automatically(key, schedule, now)
    if key.multi_region is None:
        backend.materials[key.region_name][material.id] = key
    else:
        backend.index_materials(key)
    backend.service_events.note_rotation(key, now, "AUTOMATIC", before.id, material.id, after=after)
    rotate_when_due(backend, key, schedule)


def finish_rotation_when_due(backend: Backend, key: Key, now: datetime) -> None:
    """End a rotation on demand a while after the answer, whatever becomes of the key's state.

    Source: AWS KMS Developer Guide, "Perform on-demand key rotation".
    """
    backend.clock.at(now + backend.delays.rotation, partial(_finish_rotation, backend, key))


def _finish_rotation(backend: Backend, key: Key, now: datetime) -> None:
    if key.multi_region is not None:
        key = key.multi_region.primary
    if not backend.holds(key):
        return
    before = key.material
    after = rotation.finish_on_demand(key, now)
    if after is not None:
        backend.service_events.note_rotation(key, now, "ON_DEMAND", before.id, after.id)
        for member in key.related_keys:
            if (due := member.material.valid_to) is not None and due <= now:
                backend.clock.at(
                    now, partial(_expire_if_due, backend, member, member.material, due)
                )
    backend.index_materials(key)


# --- deletion and expiry ------------------------------------------------------------------------


def delete_when_due(backend: Backend, key: Key) -> None:
    """Delete a key at its deletion date, unless that is cancelled or moved before."""
    due = key.deletion_date
    assert due is not None
    backend.clock.at(due, partial(_delete_if_due, backend, key, due))


def _delete_if_due(backend: Backend, key: Key, due: datetime, now: datetime) -> None:
    # Scheduled, cancelled and scheduled again in one moment, it falls due twice.
    if not backend.holds(key) or key.deletion_date != due:
        return
    backend.lives.end(key, now)
    backend.region(key.account, key.region_name).remove_key(key)
    backend.service_events.note(DELETE_KEY, key, now)
    if len(backend.deleted_materials) < _DELETED_REMEMBERED:
        backend.deleted_materials.update((material.id, None) for material in key.materials)
    if key.multi_region is not None:
        remove_member(key.multi_region, key, now)
        primary = key.multi_region.primary
        if primary is not key and primary.deletion_date is not None:
            delete_when_due(backend, primary)


def expire_when_due(backend: Backend, key: Key, material: KeyMaterial) -> None:
    """Remove imported material when its time is over, unless it was imported again.

    What awaits rotation is kept until it is current.
    """
    due = material.valid_to
    assert due is not None
    backend.clock.at(due, partial(_expire_if_due, backend, key, material, due))


def _expire_if_due(
    backend: Backend, key: Key, material: KeyMaterial, due: datetime, now: datetime
) -> None:
    if material.valid_to == due and material.is_permanent and backend.holds(key):
        material_import.remove_material(key, material)
        backend.service_events.note(DELETE_EXPIRED, key, now, None, None, material.id)


# --- states that pass -----------------------------------------------------------------------------


def finish_creation_when_due(backend: Backend, key: Key, now: datetime) -> None:
    """Let a replica leave the state Creating a while after the answer."""
    due = now + backend.delays.replica
    _enable_when_due(backend, key, KeyState.CREATING, due)
    backend.clock.at(due, partial(_note_synchronization, backend, key))


def _note_synchronization(backend: Backend, key: Key, now: datetime) -> None:
    if backend.holds(key):
        backend.service_events.note_synchronization(key, now)


def finish_update_when_due(backend: Backend, key: Key, now: datetime) -> None:
    """Let a key leave the state Updating a while after the answer."""
    _enable_when_due(backend, key, KeyState.UPDATING, now + backend.delays.primary_region)


def _enable_when_due(backend: Backend, key: Key, passing: KeyState, due: datetime) -> None:
    key.settles_at = due
    backend.clock.at(due, partial(_enable_from, key, passing))


def _enable_from(key: Key, passing: KeyState, due: datetime) -> None:
    # The primary may have moved again meanwhile.
    if key.status is passing and key.settles_at == due:
        key.status = KeyState.ENABLED


def connect_when_due(backend: Backend, store: CustomKeyStore, now: datetime) -> None:
    """Let a custom key store be connected, or fail to be, a while after the answer."""
    delays = backend.delays
    is_cluster = store.store_type is StoreType.AWS_CLOUDHSM
    due = now + (delays.cluster_connection if is_cluster else delays.proxy_connection)
    backend.clock.at(due, store.begin_transition(ConnectionState.CONNECTING, due))


def disconnect_when_due(backend: Backend, store: CustomKeyStore, now: datetime) -> None:
    """Let a custom key store be disconnected a while after the answer."""
    due = now + backend.delays.disconnection
    backend.clock.at(due, store.begin_transition(ConnectionState.DISCONNECTING, due))
