"""Write and load custom key stores of a world."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kmsmock.aws.secret_values import SecretText
from kmsmock.keys.custom_key_store import (
    CONNECTION_ERRORS,
    ConnectionState,
    CustomKeyStore,
    StoreType,
)
from kmsmock.keys.region import KmsRegion
from kmsmock.operations.custom_key_stores import (
    require_exclusive_settings,
    require_members,
    require_store_quota,
)
from kmsmock.state.backend import Backend
from kmsmock.state.scheduled_work import begin_transition
from kmsmock.worlds.errors import Within, WorldError
from kmsmock.worlds.keys import KeyLoader
from kmsmock.worlds.reading import Object, member_of, one_of, text, texts, time
from kmsmock.worlds.writing import without_none, write_time

_PASSWORD = "KeyStorePassword"  # noqa: S105 - its name
_CREDENTIAL = "XksProxyAuthenticationCredential"
_RAW_SECRET = "RawSecretAccessKey"  # noqa: S105 - its name
_TRANSIENT = (ConnectionState.CONNECTING, ConnectionState.DISCONNECTING)


def write_store(region: KmsRegion, store: CustomKeyStore, *, secrets: bool) -> dict[str, Any]:
    """Return a custom key store as an object of a document.

    region: of the store. secrets: whether with its password or the secret of its proxy.
    """
    return without_none(
        {
            "id": store.store_id,
            "account": region.account,
            "region": region.name,
            "name": store.name,
            "type": store.store_type.value,
            "created": write_time(store.creation_date),
            "settings": dict(store.settings) if secrets else _leave_out_secrets(store.settings),
            "state": store.state.value,
            "until": write_time(store.transient_until),
            "error": store.error_code,
            "fault": store.fault,
        }
    )


def load_store(value: Any, backend: Backend, keys: KeyLoader, now: datetime) -> None:
    """Load a custom key store. Raises WorldError, also for settings that KMS would reject."""
    item = Object(value)
    region = keys.region_of(item)
    stores = region.custom_key_stores
    kind = item.get("type", member_of(StoreType)) or StoreType.AWS_CLOUDHSM
    require_store_quota(stores)
    settings = item.get("settings", _settings) or {}
    _add_secrets(kind, settings, backend)
    with Within("settings"):
        require_members(kind, settings)
        require_exclusive_settings(stores.values(), kind, settings)
    store = CustomKeyStore(
        item.get("id", text) or f"cks-{backend.entropy(16).hex()[:17]}",
        item.require("name", text),
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
    if (until is not None) is not (store.state in _TRANSIENT):
        raise WorldError("'until' belongs to CONNECTING and DISCONNECTING, and the reverse")
    item.end()
    stores[store.store_id] = store
    if until is not None:
        begin_transition(backend, store, store.state, until)


def _leave_out_secrets(settings: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in settings.items() if name != _PASSWORD}
    if _CREDENTIAL in kept:
        members = kept[_CREDENTIAL].items()
        kept[_CREDENTIAL] = {name: value for name, value in members if name != _RAW_SECRET}
    return kept


def _add_secrets(kind: StoreType, settings: dict[str, Any], backend: Backend) -> None:
    """Add a new password, or a new secret of the proxy, to settings without one."""
    if kind is StoreType.AWS_CLOUDHSM and "CloudHsmClusterId" in settings:
        settings.setdefault(_PASSWORD, SecretText(backend.entropy(16).hex()))
    elif isinstance(credential := settings.get(_CREDENTIAL), dict):
        credential.setdefault(_RAW_SECRET, SecretText(b64encode(backend.entropy(32)).decode()))


def _settings(value: Any) -> dict[str, object]:
    """Read the members of CreateCustomKeyStore that describe cluster or proxy."""
    settings: dict[str, object] = dict(Object(value).members)
    for name, setting in settings.items():
        with Within(name):
            settings[name] = text(setting) if isinstance(setting, str) else texts(setting)
    return settings
