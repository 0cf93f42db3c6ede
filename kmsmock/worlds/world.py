"""Write the state of a mock as the document of a world, and load it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from kmsmock.aws import arns
from kmsmock.aws.secret_values import reveal_secrets
from kmsmock.crypto.seeded import SeededEntropy
from kmsmock.keys.key import Key, KeyManager
from kmsmock.keys.region import Alias
from kmsmock.operations.aliases import NAME, require_alias_quota
from kmsmock.state.backend import Backend
from kmsmock.timing.gc_pause import pause_gc
from kmsmock.worlds.custom_key_stores import load_store, write_store
from kmsmock.worlds.errors import Within, WorldError, describe_value
from kmsmock.worlds.grants import load_grant, write_grant
from kmsmock.worlds.key_writer import keys_in_order, write_key
from kmsmock.worlds.keys import KeyLoader, account_id, find_key, region_name
from kmsmock.worlds.principal_writer import write_principals
from kmsmock.worlds.principals import PrincipalLoader
from kmsmock.worlds.reading import Object, hexadecimal, text, time
from kmsmock.worlds.writing import write_time

#: The version of the format that is written; all versions up to it are read.
VERSION = 1
_VERSION = "kmsmock"


# --- writing ------------------------------------------------------------------------------------


def write_world(backend: Backend, *, secrets: bool) -> dict[str, Any]:
    """Return the state of a mock as a document.

    secrets: whether with key materials, secret access keys, and passwords of custom key stores.
    """
    with backend.lock, pause_gc():
        now = backend.clock.now()
        backend.clock.run_due_work(now)
        regions = list(backend.regions.values())
        aliases = sorted((a for r in regions for a in r.aliases.values()), key=_in_order)
        grants = sorted((g for r in regions for g in r.grants.values()), key=_in_order)
        members = {
            **write_principals(backend, secrets=secrets),
            "custom_key_stores": [
                write_store(region, store, secrets=secrets)
                for region in regions
                for store in region.custom_key_stores.values()
            ],
            "keys": [write_key(key, backend, secrets=secrets) for key in keys_in_order(backend)],
            "aliases": [_write_alias(alias) for alias in aliases],
            "grants": [write_grant(grant, backend) for grant in grants],
            "deleted_materials": [one.hex() for one in backend.deleted_materials],
        }
    present = {name: member for name, member in members.items() if member}
    return {_VERSION: VERSION, "time": write_time(now), **present}


_in_order = attrgetter("sequence")


def _write_alias(alias: Alias) -> dict[str, Any]:
    return {
        "name": alias.name,
        "key": alias.key.arn,
        "created": write_time(alias.creation_date),
        "updated": write_time(alias.last_updated_date),
    }


# --- loading ------------------------------------------------------------------------------------


def get_time(document: Mapping[str, Any]) -> datetime | None:
    """Return the time of a document; None if it has none."""
    return Object(document).get("time", time)


def load_world(backend: Backend, document: Any, account: str, region: str) -> None:
    """Add the content of a document to the state of a mock: all of it, or nothing after an error.

    account, region: of objects without these members. Work that is due since the time of the
    document is carried out. Raises WorldError.
    """
    with backend.lock, pause_gc():
        before = backend.checkpoint()
        entropy = backend.entropy
        drawn = entropy.state() if isinstance(entropy, SeededEntropy) else None
        try:
            _Loader(backend, document, account, region).load()
        except BaseException:
            backend.restore(before)
            if isinstance(entropy, SeededEntropy) and drawn is not None:
                entropy.restore(drawn)
            raise


class _Loader:
    def __init__(self, backend: Backend, document: Any, account: str, region: str) -> None:
        self._backend = backend
        self._item = Object(document)
        self._account = self._item.get("account", account_id) or account
        self._region = self._item.get("region", region_name) or region
        self._now = self._move_clock()
        self._keys = KeyLoader(backend, self._account, self._region, self._now)

    def load(self) -> None:
        item, backend, keys, now = self._item, self._backend, self._keys, self._now
        item.get(_VERSION, _version)
        if isinstance(backend.entropy, SeededEntropy):
            content = reveal_secrets(item.members)
            # The same seed must not generate the ids and key material of that world once more.
            backend.entropy.absorb(hashlib.sha256(repr(content).encode()).digest())
        PrincipalLoader(backend, self._account, now).load(item)
        item.each("custom_key_stores", lambda value: load_store(value, backend, keys, now))
        keys.load_all(item)
        for number, key, name in keys.aliases:
            with Within("keys", number, "alias"):
                self._name(name, key, now, now)
        item.each("aliases", self._alias)
        item.each("grants", lambda value: load_grant(value, backend, keys, now))
        deleted = item.each("deleted_materials", hexadecimal)
        backend.deleted_materials.update(dict.fromkeys(deleted))
        item.end()
        backend.clock.run_due_work(now)

    def _move_clock(self) -> datetime:
        clock = self._backend.clock
        now, of = clock.now(), self._item.get("time", time)
        return now if of is None or of <= now else clock.move_to(of)

    def _alias(self, value: Any) -> None:
        item = Object(value)
        region = self._keys.region_of(item)
        key = item.require("key", lambda value: find_key(self._backend, value, region))
        created = item.get("created", time) or self._now
        updated = item.get("updated", time) or created
        name = item.require("name", text)
        item.end()
        self._name(name, key, created, updated)

    def _name(self, name: str, key: Key, created: datetime, updated: datetime) -> None:
        region = self._backend.region(key.account, key.region_name)
        if not NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
            raise WorldError(
                f"must be alias/ with letters, digits, / _ and -, not {describe_value(name)}"
            )
        if name in region.aliases:
            raise WorldError(f"there is an alias {region.aliases[name].arn}")
        is_of_aws = name.startswith(arns.AWS_ALIAS_PREFIX)
        if is_of_aws is not (key.manager is KeyManager.AWS):
            raise WorldError(f"names under {arns.AWS_ALIAS_PREFIX} are for AWS managed keys")
        require_alias_quota(key)
        region.add_alias(name, key, created).last_updated_date = updated


_LONGEST_NAME = 256


def _version(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= VERSION:
        raise WorldError(f"must be a format up to {VERSION}, not {describe_value(value)}")
    return value
