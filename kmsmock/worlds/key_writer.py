"""Write the keys of a world."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from kmsmock.access.policies import parse_key_policy
from kmsmock.keys.key import Key, KeyManager, Usage
from kmsmock.keys.rotation_schedule import RotationSchedule
from kmsmock.keys.states import KeyState
from kmsmock.state.backend import Backend
from kmsmock.worlds.materials import write_materials
from kmsmock.worlds.writing import without_none, write_ids, write_time

#: States that end after a delay, in Enabled.
TRANSIENT = (KeyState.CREATING, KeyState.UPDATING)


def keys_in_order(backend: Backend) -> Iterator[Key]:
    """Return all keys in order of creation."""
    every = (key for region in backend.regions.values() for key in region.keys.values())
    return iter(sorted(every, key=lambda key: key.sequence))


def write_key(key: Key, backend: Backend, *, secrets: bool) -> dict[str, Any]:
    """Return a key as an object of a document. secrets: whether with those of its materials."""
    family, store = key.multi_region, key.custom_key_store
    has_default = key.policy == backend.default_policy(backend.region(key.account, key.region_name))
    return without_none(
        {
            "id": key.key_id,
            "account": key.account,
            "region": key.region_name,
            "description": key.description or None,
            "spec": key.spec.name,
            "usage": key.usage.value,
            "origin": key.origin.value,
            "manager": "AWS" if key.manager is KeyManager.AWS else None,
            "multi_region": None if family is None else "replica" if key.is_replica else "primary",
            "custom_key_store": None if store is None else store.store_id,
            "xks_key_id": key.xks_key_id,
            "created": write_time(key.creation_date),
            "state": key.status.value,
            "until": write_time(key.transient_until) if key.status in TRANSIENT else None,
            "deletion": _write_deletion(key),
            "tags": dict(key.tags) or None,
            "policy": None if has_default else json.loads(key.policy),
            "policy_ids": write_ids(key.policy_ids, current_ids(key, backend)),
            "rotation": _write_rotation(key.rotation),
            "on_demand_rotations": key.on_demand_rotations or None,
            "on_demand_since": write_time(key.on_demand_started),
            "last_usage": _write_usage(key.last_usage),
            "materials": write_materials(key, secrets=secrets),
        }
    )


def current_ids(key: Key, backend: Backend) -> dict[str, str]:
    """Return ARN -> current unique id of the principals that a key policy names."""
    return backend.identities.names.find_ids(parse_key_policy(key))


def _write_deletion(key: Key) -> dict[str, Any] | None:
    pending = key.pending_deletion
    return pending and without_none(
        {
            "since": write_time(pending.since),
            "days": pending.window_days,
            "date": write_time(key.deletion_date),
        }
    )


def _write_rotation(schedule: RotationSchedule | None) -> dict[str, Any] | None:
    return (
        None
        if schedule is None
        else without_none(
            {
                "days": schedule.period.days,
                "next": write_time(schedule.next_date),
                "missed": schedule.is_missed or None,
            }
        )
    )


def _write_usage(usage: Usage | None) -> dict[str, Any] | None:
    return usage and {**usage._asdict(), "at": write_time(usage.at)}
