"""Keys as a document has them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from kmsmock.backend import Backend
from kmsmock.keys.key import Key, KeyManager
from kmsmock.keys.material import KeyMaterial
from kmsmock.keys.rotation import RotationSchedule
from kmsmock.keys.specs import Origin
from kmsmock.worlds.reading import shown_time


def written_key(key: Key, backend: Backend, *, material: bool) -> dict[str, Any]:
    """Write a key. material: with its secrets."""
    family, last = key.multi_region, key.last_usage
    is_copy = key.is_replica and key.origin is Origin.AWS_KMS
    materials = [_written_material(key, one, material) for one in key.materials]
    return {
        "id": key.key_id,
        "account": key.account,
        "region": key.region_name,
        "description": key.description or None,
        "spec": key.spec.name,
        "usage": key.usage.value,
        "origin": key.origin.value,
        "manager": "AWS" if key.manager is KeyManager.AWS else None,
        "multi_region": family and ("replica" if key.is_replica else "primary"),
        "custom_key_store": key.custom_key_store and key.custom_key_store.store_id,
        "xks_key_id": key.xks_key_id,
        "created": shown_time(key.creation_date),
        "state": key.status.value,
        "deletion": _written_deletion(key),
        "tags": dict(key.tags) or None,
        "policy": _written_policy(key, backend),
        "rotation": _written_rotation(key.rotation),
        "on_demand_rotations": key.on_demand_rotations or None,
        "on_demand_since": shown_time(key.on_demand_started),
        "last_usage": last
        and {
            "operation": last.operation,
            "at": shown_time(last.at),
            "request_id": last.request_id,
        },
        "materials": None if is_copy else materials,
    }


def _written_deletion(key: Key) -> dict[str, Any] | None:
    pending = key.pending_deletion
    return pending and {
        "since": shown_time(pending.since),
        "days": pending.window_days,
        "date": shown_time(key.deletion_date),
    }


def _written_policy(key: Key, backend: Backend) -> Any:
    """Write a key policy; None for the default one."""
    region = backend.region(key.account, key.region_name)
    if key.manager is KeyManager.AWS or key.policy == backend.default_policy(region):
        return None
    return json.loads(key.policy)


def _written_rotation(schedule: RotationSchedule | None) -> dict[str, Any] | None:
    if schedule is None:
        return None
    return {
        "days": schedule.period_days,
        "next": shown_time(schedule.next_date),
        "missed": schedule.is_missed or None,
    }


def _written_material(key: Key, material: KeyMaterial, with_secret: bool) -> dict[str, Any]:  # noqa: FBT001
    secret = material.secret
    if secret is None and material.opened is not None:
        secret = material.opened.private_der()
    is_told = with_secret or key.origin is Origin.EXTERNAL
    return {
        "id": material.id.hex() if material.id and is_told else None,
        "secret": b64encode(secret).decode() if secret and with_secret else None,
        "state": material.state.value,
        "rotated": shown_time(material.rotation_date),
        "rotation": material.rotation_type and material.rotation_type.value,
        "expiration_model": material.expiration_model,
        "expires": shown_time(material.valid_to),
        "description": material.description,
    }


def keys_in_order(backend: Backend) -> Iterator[Key]:
    """Give all keys, oldest first, and primaries before their replicas."""
    every = (key for region in backend.regions.values() for key in region.keys.values())
    return iter(sorted(every, key=lambda key: (key.is_replica, key.sequence)))
