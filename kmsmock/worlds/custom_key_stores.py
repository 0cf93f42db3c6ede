"""Custom key stores in a document."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kmsmock.keys.custom_key_store import (
    CONNECTION_ERRORS,
    ConnectionState,
    CustomKeyStore,
    StoreType,
)
from kmsmock.keys.region import KmsRegion
from kmsmock.operations.custom_key_stores import require_exclusive_settings, require_members
from kmsmock.state.backend import Backend
from kmsmock.worlds.errors import At, WorldError
from kmsmock.worlds.keys import KeyLoader
from kmsmock.worlds.reading import Object, member_of, one_of, text, texts, time
from kmsmock.worlds.writing import shown_time, told

_PASSING = (ConnectionState.CONNECTING, ConnectionState.DISCONNECTING)


def written_store(region: KmsRegion, store: CustomKeyStore) -> dict[str, Any]:
    """Write a custom key store. region: the one that it is in."""
    return told(
        {
            "id": store.store_id,
            "account": region.account,
            "region": region.name,
            "name": store.name,
            "type": store.store_type.value,
            "created": shown_time(store.creation_date),
            "settings": dict(store.settings),
            "state": store.state.value,
            "until": shown_time(store.settles_at),
            "error": store.error_code,
            "fault": store.fault,
        }
    )


def load_store(value: Any, backend: Backend, keys: KeyLoader, now: datetime) -> None:
    """Make a custom key store. Raises WorldError, also for what KMS would not have."""
    item = Object(value)
    region = keys.place(item)
    stores = region.custom_key_stores
    kind = item.get("type", member_of(StoreType)) or StoreType.AWS_CLOUDHSM
    settings = item.get("settings", _settings) or {}
    with At("settings"):
        require_members(kind, settings)
        require_exclusive_settings(stores.values(), kind, settings)
    store = CustomKeyStore(
        item.get("id", text) or f"cks-{backend.entropy(16).hex()[:17]}",
        item.need("name", text),
        kind,
        item.get("created", time) or now,
        settings,
        region.next_sequence(),
    )
    for known in stores.values():
        if store.store_id == known.store_id or store.name == known.name:
            raise WorldError(f"there is a custom key store {known.store_id}, {known.name!r}")
    store.fault = item.get("fault", one_of(CONNECTION_ERRORS[kind]))
    store.error_code = item.get("error", one_of(CONNECTION_ERRORS[kind]))
    store.state = item.get("state", member_of(ConnectionState)) or ConnectionState.CONNECTED
    until = item.get("until", time)
    if (store.error_code is not None) is not (store.state is ConnectionState.FAILED):
        raise WorldError("'error' belongs to the state FAILED, and the reverse")
    if (until is not None) is not (store.state in _PASSING):
        raise WorldError("'until' belongs to CONNECTING and DISCONNECTING, and the reverse")
    item.end()
    stores[store.store_id] = store
    if until is not None:
        backend.clock.schedule(until, store.begin_transition(store.state, until))


def _settings(value: Any) -> dict[str, object]:
    """Read the members of CreateCustomKeyStore that describe cluster or proxy."""
    found: dict[str, object] = dict(Object(value).members)
    for name, given in found.items():
        with At(name):
            found[name] = text(given) if isinstance(given, str) else texts(given)
    return found
