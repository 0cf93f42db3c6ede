"""Keys as a document has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kmsmock.authorization.policy import PolicyKind, parse
from kmsmock.keys.key import Key, KeyManager, Usage
from kmsmock.keys.rotation_schedule import RotationSchedule
from kmsmock.keys.states import KeyState
from kmsmock.state.backend import Backend
from kmsmock.worlds.materials import written_materials
from kmsmock.worlds.writing import shown_time, told, written_ids, written_policy

KEY_POLICY = "the key policy"
#: States that end by themselves, in Enabled.
PASSING = (KeyState.CREATING, KeyState.UPDATING)


def keys_in_order(backend: Backend) -> Iterator[Key]:
    """Give all keys, oldest first."""
    every = (key for region in backend.regions.values() for key in region.keys.values())
    return iter(sorted(every, key=lambda key: key.sequence))


def written_key(key: Key, backend: Backend, *, secrets: bool) -> dict[str, Any]:
    """Write a key. secrets: with those of its materials."""
    family, store = key.multi_region, key.custom_key_store
    has_default = key.policy == backend.default_policy(backend.region(key.account, key.region_name))
    return told(
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
            "created": shown_time(key.creation_date),
            "state": key.status.value,
            "until": shown_time(key.settles_at) if key.status in PASSING else None,
            "deletion": _written_deletion(key),
            "tags": dict(key.tags) or None,
            "policy": None if has_default else written_policy(key.policy),
            "policy_ids": written_ids(key.policy_ids, ids_today(key, backend)),
            "rotation": _written_rotation(key.rotation),
            "on_demand_rotations": key.on_demand_rotations or None,
            "on_demand_since": shown_time(key.on_demand_started),
            "last_usage": _written_usage(key.last_usage),
            "materials": written_materials(key, secrets=secrets),
        }
    )


def ids_today(key: Key, backend: Backend) -> dict[str, str]:
    """Give the unique ids of those whom a key policy names, by ARN, as they are now."""
    parsed = parse(key.policy, PolicyKind.RESOURCE, KEY_POLICY)
    return backend.identities.names.ids_named_by(parsed)


def _written_deletion(key: Key) -> dict[str, Any] | None:
    pending = key.pending_deletion
    return pending and told(
        {
            "since": shown_time(pending.since),
            "days": pending.window_days,
            "date": shown_time(key.deletion_date),
        }
    )


def _written_rotation(schedule: RotationSchedule | None) -> dict[str, Any] | None:
    return (
        None
        if schedule is None
        else told(
            {
                "days": schedule.period.days,
                "next": shown_time(schedule.next_date),
                "missed": schedule.is_missed or None,
            }
        )
    )


def _written_usage(usage: Usage | None) -> dict[str, Any] | None:
    return usage and {**usage._asdict(), "at": shown_time(usage.at)}
