"""The document of a whole world: writing all that a mock holds, and loading it again."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kmsmock import arns
from kmsmock.authorization.grants import Grant, GrantConstraints, GrantTerms
from kmsmock.backend import Backend
from kmsmock.crypto.seeded import SeededEntropy
from kmsmock.falling_due import connect_when_due, disconnect_when_due
from kmsmock.keys.custom_key_store import (
    CONNECTION_ERRORS,
    ConnectionState,
    CustomKeyStore,
    StoreType,
)
from kmsmock.keys.region import KmsRegion
from kmsmock.operations.access import require_possible_terms
from kmsmock.operations.custom_key_stores import require_members
from kmsmock.worlds.errors import At, WorldError, shown
from kmsmock.worlds.keys import KeyLoader, account_id, find_key
from kmsmock.worlds.principals import PrincipalLoader, written_principals
from kmsmock.worlds.reading import (
    Object,
    hexadecimal,
    list_of,
    member_of,
    one_of,
    shown_time,
    text,
    texts,
    time,
)
from kmsmock.worlds.written_keys import keys_in_order, written_key

#: The version of the format that is written; all versions up to it are read.
VERSION = 1
_VERSION = "kmsmock"
_ALIAS = re.compile(r"alias/[a-zA-Z0-9/_-]{1,250}")


# --- writing ------------------------------------------------------------------------------------


def written_world(backend: Backend, *, material: bool) -> dict[str, Any]:
    """Write all that a mock holds. material: with the secrets of keys."""
    with backend.lock:
        now = backend.clock.now()
        backend.clock.settle(now)
        regions = list(backend.regions.values())
        stores = [(r, s) for r in regions for s in r.custom_key_stores.values()]
        aliases = sorted(
            (a for r in regions for a in r.aliases.values()), key=lambda alias: alias.sequence
        )
        grants = sorted(
            (g for r in regions for g in r.grants.values()), key=lambda grant: grant.sequence
        )
        document = {
            _VERSION: VERSION,
            "time": shown_time(now),
            **written_principals(backend),
            "custom_key_stores": [_written_store(r, s) for r, s in stores],
            "keys": [written_key(k, backend, material=material) for k in keys_in_order(backend)],
            "aliases": [
                {
                    "name": alias.name,
                    "key": alias.key.arn,
                    "created": shown_time(alias.creation_date),
                    "updated": shown_time(alias.last_updated_date),
                }
                for alias in aliases
            ],
            "grants": [_written_grant(grant) for grant in grants],
            "deleted_materials": [one.hex() for one in backend.deleted_materials],
        }
    cleaned: dict[str, Any] = _without_nothing(document)
    return cleaned


def _without_nothing(value: Any) -> Any:
    """Leave out members that say nothing."""
    if isinstance(value, dict):
        cleaned = {name: _without_nothing(item) for name, item in value.items()}
        return {n: item for n, item in cleaned.items() if item is not None and item not in ([], {})}
    return [_without_nothing(item) for item in value] if isinstance(value, list) else value


def _written_store(region: KmsRegion, store: CustomKeyStore) -> dict[str, Any]:
    return {
        "id": store.store_id,
        "account": region.account,
        "region": region.name,
        "name": store.name,
        "type": store.store_type.value,
        "created": shown_time(store.creation_date),
        "settings": dict(store.settings),
        "state": store.state.value,
        "error": store.error_code,
        "fault": store.fault,
    }


def _written_grant(grant: Grant) -> dict[str, Any]:
    terms, limits = grant.terms, grant.terms.constraints
    return {
        "id": grant.grant_id,
        "key": grant.key_arn,
        "name": terms.name,
        "grantee": terms.grantee_principal,
        "grantee_service": terms.grantee_service_principal,
        "retiring": terms.retiring_principal,
        "retiring_service": terms.retiring_service_principal,
        "operations": list(terms.operations),
        "constraints": limits
        and {
            "equals": limits.equals and dict(limits.equals),
            "subset": limits.subset and dict(limits.subset),
            "source_arn": limits.source_arn,
        },
        "issuing_account": grant.issuing_account,
        "created": shown_time(grant.creation_date),
        "tokens": list(grant.tokens),
    }


# --- loading ------------------------------------------------------------------------------------


def time_of(document: Mapping[str, Any]) -> datetime | None:
    """Give the time that a world is of; None when it does not say."""
    found: datetime | None = Object(document).get("time", time)
    return found


def load_world(backend: Backend, document: Any, account: str, region: str) -> None:
    """Bring what a document says into a mock, beside what is there: all of it, or nothing.

    account, region: of what says nothing else. What fell due since its time happens at once. Raises
    WorldError.
    """
    with backend.lock:
        before = backend.checkpoint()
        try:
            _Loader(backend, account, region).load(document)
        except WorldError:
            backend.restore(before)
            raise


class _Loader:
    def __init__(self, backend: Backend, account: str, region: str) -> None:
        self._backend = backend
        self._account = account
        self._region = region

    def load(self, document: Any) -> None:
        item = Object(document)
        version = item.get(_VERSION, lambda value: value)
        if version not in (None, *range(1, VERSION + 1)):
            with At(_VERSION):
                raise WorldError(f"must be a format up to {VERSION}, not {shown(version)}")
        backend = self._backend
        if isinstance(backend.entropy, SeededEntropy):
            # What is made from now on must not be what the seed has made in that world.
            told = json.dumps(document, sort_keys=True, default=str).encode()
            backend.entropy.absorb(hashlib.sha256(told).digest())
        of = item.get("time", time)
        now = backend.clock.now()
        if of is not None and of > now:
            now = backend.clock.move_to(of)
        account = item.get("account", account_id) or self._account
        region = item.get("region", text) or self._region
        PrincipalLoader(backend, account, now).load(item)
        keys = KeyLoader(backend, account, region, now)
        self._keys, self._now = keys, now
        self._here = backend.region(account, region)
        item.each("custom_key_stores", self._store)
        made = item.each("keys", keys.load)
        for key in made:
            keys.bind_policy(key)
        for key, name in keys.aliases:
            with At("keys", made.index(key), "alias"):
                self._name(name, key, now, now)
        item.each("aliases", self._alias)
        item.each("grants", self._grant)
        forgotten = item.each("deleted_materials", hexadecimal)
        backend.deleted_materials.update(dict.fromkeys(forgotten))
        item.end()
        backend.clock.settle(now)

    def _store(self, value: Any) -> None:
        item = Object(value)
        region = self._keys.place(item)
        kind = item.get("type", member_of(StoreType)) or StoreType.AWS_CLOUDHSM
        settings = item.get("settings", lambda given: dict(Object(given).all())) or {}
        require_members(kind, settings)
        store = CustomKeyStore(
            item.get("id", text) or f"cks-{self._backend.entropy(16).hex()[:17]}",
            item.need("name", text),
            kind,
            item.get("created", time) or self._now,
            settings,
        )
        if store.store_id in region.custom_key_stores:
            raise WorldError(f"there is a custom key store {store.store_id}")
        store.fault = item.get("fault", one_of(CONNECTION_ERRORS[kind]))
        store.error_code = item.get("error", one_of(CONNECTION_ERRORS[kind]))
        store.state = item.get("state", member_of(ConnectionState)) or ConnectionState.CONNECTED
        item.end()
        region.custom_key_stores[store.store_id] = store
        if store.state is ConnectionState.CONNECTING:
            connect_when_due(self._backend, store, self._now)
        elif store.state is ConnectionState.DISCONNECTING:
            disconnect_when_due(self._backend, store, self._now)

    def _alias(self, value: Any) -> None:
        item = Object(value)
        key = item.need("key", lambda given: find_key(self._backend, given, self._keys.place(item)))
        created = item.get("created", time) or self._now
        updated = item.get("updated", time) or created
        name = item.need("name", text)
        item.end()
        self._name(name, key, created, updated)

    def _name(self, name: str, key: Any, created: datetime, updated: datetime) -> None:
        region = self._backend.region(key.account, key.region_name)
        if not _ALIAS.fullmatch(name):
            raise WorldError(f"must be alias/ with letters, digits, / _ and -, not {shown(name)}")
        if name in region.aliases:
            arn = arns.alias_arn(region.name, region.account, name)
            raise WorldError(f"there is an alias {arn}")
        region.add_alias(name, key, created).last_updated_date = updated

    def _grant(self, value: Any) -> None:
        item = Object(value)
        backend = self._backend
        region = self._keys.place(item)
        key = item.need("key", lambda given: find_key(backend, given, region))
        region = backend.region(key.account, key.region_name)
        limits = item.get("constraints", _constraints)
        grantee, retiring = item.get("grantee", text), item.get("retiring", text)
        found = backend.identities.unique_id_behind
        terms = GrantTerms(
            tuple(item.need("operations", list_of(text))),
            grantee,
            item.get("grantee_service", text),
            retiring,
            item.get("retiring_service", text),
            limits,
            item.get("name", text),
            {one: known for one in (grantee, retiring) if one and (known := found(one))},
        )
        require_possible_terms(key, terms)
        grant = Grant(
            item.get("id", text) or backend.entropy(32).hex(),
            key.arn,
            key.key_id,
            terms,
            item.get("issuing_account", account_id) or key.account,
            item.get("created", time) or self._now,
            region.next_sequence(),
        )
        if grant.grant_id in region.grants:
            raise WorldError(f"there is a grant {grant.grant_id}")
        region.add_grant(grant, *item.each("tokens", text))
        item.end()


def _constraints(value: Any) -> GrantConstraints:
    item = Object(value)
    found = GrantConstraints(
        item.get("equals", texts), item.get("subset", texts), item.get("source_arn", text)
    )
    item.end()
    return found
