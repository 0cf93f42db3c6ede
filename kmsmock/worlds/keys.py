"""Keys, with their material and all that belongs to one of them, in a document.

What a key needs of its surroundings, such as its primary or its custom key store, is there already
when it is loaded.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from kmsmock import falling_due
from kmsmock.arns import Arn
from kmsmock.authorization.policy import PolicyKind, parse
from kmsmock.backend import Backend
from kmsmock.crypto import encodings
from kmsmock.crypto.errors import CryptoError
from kmsmock.keys import rotation
from kmsmock.keys.imported import read_secret
from kmsmock.keys.key import Key, KeyManager, KeyState, PendingDeletion, Usage
from kmsmock.keys.material import KeyMaterial, MaterialState, RotationType, material_id
from kmsmock.keys.multi_region import MultiRegionKey
from kmsmock.keys.region import KmsRegion
from kmsmock.keys.rotation import DEFAULT_PERIOD_DAYS, RotationSchedule
from kmsmock.keys.specs import KEY_SPECS, KeyUsage, Origin
from kmsmock.operations.keys import require_possible
from kmsmock.worlds.errors import At, WorldError, shown
from kmsmock.worlds.reading import (
    Object,
    binary,
    flag,
    hexadecimal,
    list_of,
    member_of,
    one_of,
    policy,
    text,
    texts,
    time,
    whole,
)

_PRIMARY, _REPLICA = "primary", "replica"
_KEPT_STATES = tuple(
    state.value
    for state in KeyState
    if state not in (KeyState.PENDING_IMPORT, KeyState.UNAVAILABLE)
)
_KEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_KEY_POLICY = "the key policy"


class KeyLoader:
    """Makes the keys of a document in a backend. account, region: of keys that do not say."""

    def __init__(self, backend: Backend, account: str, region: str, now: datetime) -> None:
        self._backend = backend
        self._account = account
        self._region = region
        self._now = now
        #: Aliases that keys name themselves: key, name.
        self.aliases: list[tuple[Key, str]] = []

    def place(self, item: Object) -> KmsRegion:
        """Give the account and Region that a member of the document is in."""
        account = item.get("account", account_id) or self._account
        return self._backend.region(account, item.get("region", text) or self._region)

    def load(self, value: Any) -> Key:
        """Make a key. Raises WorldError, also for what KMS would not have."""
        item = Object({"alias": value} if isinstance(value, str) else value)
        region = self.place(item)
        kind = item.get("multi_region", _multi_region)
        key = self._new_key(item, region, kind)
        key.tags = item.get("tags", texts) or {}
        key.status = KeyState(item.get("state", one_of(_KEPT_STATES)) or "Enabled")
        self._relate(key, kind)
        self._load_materials(item, key)
        self._load_rotation(item, key)
        self._load_deletion(item, key)
        key.xks_key_id = item.get("xks_key_id", text)
        key.last_usage = item.get("last_usage", _usage)
        own = item.get("policy", policy(PolicyKind.RESOURCE, _KEY_POLICY))
        if own is not None:
            key.policy = own.text
        for name in (item.get("alias", text), *item.each("aliases", text)):
            if name is not None:
                self.aliases.append((key, name))
        item.end()
        region.add_key(key)
        self._schedule(key)
        return key

    def bind_policy(self, key: Key) -> None:
        """Let the names in a key policy mean those who are there now."""
        identities = self._backend.identities
        parsed = parse(key.policy, PolicyKind.RESOURCE, _KEY_POLICY)
        key.policy_ids = identities.ids_named_by(parsed) or None

    def _new_key(self, item: Object, region: KmsRegion, kind: str | None) -> Key:
        backend = self._backend
        spec = KEY_SPECS[item.get("spec", one_of(KEY_SPECS)) or "SYMMETRIC_DEFAULT"]
        usages = [usage.value for usage in spec.usages]
        usage = KeyUsage(item.get("usage", one_of(usages)) or usages[0])
        store = item.get("custom_key_store", lambda value: _store(region, value))
        default = Origin.AWS_KMS if store is None else Origin(_ORIGINS[store.store_type.value])
        origin = item.get("origin", member_of(Origin)) or default
        require_possible(region.partition, spec, origin, multi_region=kind is not None)
        new_id = backend.new_uuid if kind is None else backend.new_multi_region_key_id
        key_id = item.get("id", _key_id) or new_id()
        if (kind is not None) is not key_id.startswith("mrk-"):
            with At("id"):
                raise WorldError("begins with mrk- for multi-Region keys, and for no others")
        if key_id in region.keys:
            with At("id"):
                raise WorldError(f"there is a key {key_id} in {region.account} {region.name}")
        key = Key(
            account=region.account,
            region_name=region.name,
            key_id=key_id,
            spec=spec,
            usage=usage,
            origin=origin,
            policy=backend.default_policy(region),
            creation_date=item.get("created", time) or self._now,
            source=backend.source,
            description=item.get("description", text) or "",
            manager=item.get("manager", member_of(KeyManager)) or KeyManager.CUSTOMER,
        )
        key.custom_key_store = store
        return key

    def _relate(self, key: Key, kind: str | None) -> None:
        """Make a key the primary, or a replica of one that is there."""
        if kind == _PRIMARY:
            key.multi_region = MultiRegionKey(key)
        elif kind == _REPLICA:
            primary = next(
                (
                    region.keys[key.key_id]
                    for (account, _), region in self._backend.regions.items()
                    if account == key.account and key.key_id in region.keys
                ),
                None,
            )
            if primary is None or primary.multi_region is None:
                raise WorldError(f"the primary of {key.key_id} is not among the keys before it")
            status = key.status
            primary.multi_region.replicate(key)
            key.status = status

    # --- material ------------------------------------------------------------------------------

    def _load_materials(self, item: Object, key: Key) -> None:
        single = item.get("material", lambda value: _secret(key, value))
        given = item.get("materials", list_of(lambda value: self._material(key, value)))
        if single is not None and given is not None:
            raise WorldError("'material' is short for 'materials': give one of them")
        if single is not None:
            given = [KeyMaterial(_id_of(key, single), single)]
        shares = key.is_replica and key.origin is Origin.AWS_KMS
        if shares and given is not None:
            raise WorldError("a replica has the material of its primary: leave it out")
        if given is not None:
            for earlier in given[:-1]:
                if earlier.state is MaterialState.CURRENT and earlier.rotation_type is None:
                    earlier.state = MaterialState.NON_CURRENT
            key.materials = given
        elif not shares and key.origin is not Origin.EXTERNAL:
            key.materials = [key.new_material()]
        if [m.state for m in key.materials].count(MaterialState.CURRENT) > 1:
            with At("materials"):
                raise WorldError("only one material is CURRENT")

    def _material(self, key: Key, value: Any) -> KeyMaterial:
        item = Object(value)
        secret = item.get("secret", lambda given: _secret(key, given))
        told = item.get("id", hexadecimal)
        if secret is None and key.origin is not Origin.EXTERNAL:
            made = key.new_material()
        else:
            made = KeyMaterial(told or (b"" if secret is None else _id_of(key, secret)), secret)
        made.rotation_date = item.get("rotated", time)
        made.rotation_type = item.get("rotation", member_of(RotationType))
        made.state = item.get("state", member_of(MaterialState)) or made.state
        made.valid_to = item.get("expires", time)
        made.expiration_model = item.get("expiration_model", text) or (
            None
            if key.origin is not Origin.EXTERNAL or secret is None
            else "KEY_MATERIAL_DOES_NOT_EXPIRE"
            if made.valid_to is None
            else "KEY_MATERIAL_EXPIRES"
        )
        made.description = item.get("description", text)
        item.end()
        if key.source.is_seeded and secret is not None and key.spec.name.startswith("RSA"):
            assert key.spec.reopen is not None
            key.source.rsa_pool.withhold(key.spec.reopen(secret))
        return made

    # --- what falls due ------------------------------------------------------------------------

    def _load_rotation(self, item: Object, key: Key) -> None:
        key.on_demand_rotations = item.get("on_demand_rotations", whole(0, 10**6)) or 0
        key.on_demand_started = item.get("on_demand_since", time)
        value = item.get("rotation", lambda given: given)
        if value is None or value is False:
            return
        with At("rotation"):
            schedule = Object({} if value is True else value)
            if key.is_replica or not key.spec.is_symmetric_encryption:
                raise WorldError("is for symmetric encryption keys, and their primary")
            days = schedule.get("days", whole(90, 2560)) or DEFAULT_PERIOD_DAYS
            due = schedule.get("next", time) or self._now + timedelta(days=days)
            missed = schedule.get("missed", flag) or False
            schedule.end()
        key.rotation = RotationSchedule(days, due, missed)

    def _load_deletion(self, item: Object, key: Key) -> None:
        value = item.get("deletion", Object)
        if (value is not None) is not key.is_pending_deletion:
            raise WorldError("'deletion' belongs to the state PendingDeletion, and the reverse")
        if value is None:
            return
        with At("deletion"):
            since = value.get("since", time) or self._now
            days = value.get("days", whole(7, 30)) or 30
            due = value.get("date", time)
            value.end()
        key.pending_deletion = PendingDeletion(since, days)
        if key.status is KeyState.PENDING_DELETION:
            key.deletion_date = due or since + timedelta(days=days)

    def _schedule(self, key: Key) -> None:
        backend = self._backend
        if key.manager is KeyManager.AWS and key.rotation is None:
            rotation.enable(key, self._now, None)
        if key.rotation is not None:
            falling_due.rotate_when_due(backend, key, key.rotation)
        if key.deletion_date is not None:
            falling_due.delete_when_due(backend, key)
        if key.on_demand_started is not None:
            falling_due.finish_rotation_when_due(backend, key, key.on_demand_started)
        if key.status is KeyState.CREATING:
            falling_due.finish_creation_when_due(backend, key, self._now)
        if key.status is KeyState.UPDATING:
            falling_due.finish_update_when_due(backend, key, self._now)
        if key.origin is Origin.EXTERNAL:
            for material in key.materials:
                if material.valid_to is not None:
                    falling_due.expire_when_due(backend, key, material)


_ORIGINS = {
    "AWS_CLOUDHSM": Origin.AWS_CLOUDHSM.value,
    "EXTERNAL_KEY_STORE": Origin.EXTERNAL_KEY_STORE.value,
}


def account_id(value: Any) -> str:
    """Read the id of an account."""
    found = text(value)
    if len(found) != 12 or not found.isdigit():
        raise WorldError(f"must be an account id of 12 digits, not {shown(value)}")
    return found


def find_key(backend: Backend, value: Any, region: KmsRegion) -> Key:
    """Find the key that a member names, by its ARN, or by its id in an account and Region."""
    named = text(value)
    arn = Arn.parse(named)
    if arn is not None:
        region = backend.region(arn.account, arn.region)
        named = arn.resource.removeprefix("key/")
    key = region.keys.get(named)
    if key is None:
        raise WorldError(f"there is no key {value!r} in {region.account} {region.name}")
    return key


def _key_id(value: Any) -> str:
    if not _KEY_ID.fullmatch(text(value)):
        raise WorldError(f"must be a UUID, or mrk- and 32 hexadecimal digits, not {shown(value)}")
    return str(value)


def _multi_region(value: Any) -> str | None:
    if value in (True, False):
        return _PRIMARY if value else None
    return one_of((_PRIMARY, _REPLICA))(value)


def _store(region: KmsRegion, value: Any) -> Any:
    store = region.custom_key_stores.get(text(value))
    if store is None:
        raise WorldError(f"there is no such custom key store in {region.account} {region.name}")
    return store


def _usage(value: Any) -> Usage:
    item = Object(value)
    found = Usage(
        item.need("operation", text),
        item.need("at", time),
        item.need("request_id", text),
    )
    item.end()
    return found


def _secret(key: Key, value: Any) -> bytes:
    """Read a secret: Base64 of raw bytes or of PKCS#8, or a private key as PEM."""
    spec = key.spec
    is_pem = isinstance(value, str) and "-----BEGIN" in value
    try:
        given = encodings.pkcs8_of_pem(value) if is_pem else binary(value)
        if spec.secret_bytes is None and spec.reopen is not None:
            spec.reopen(given)
            return given
    except CryptoError as reason:
        raise WorldError(f"is no private key of {spec.name}: {reason}") from None
    return read_secret(spec, given)[0]


def _id_of(key: Key, secret: bytes) -> bytes:
    is_told = key.spec.secret_bytes is not None or key.origin is Origin.EXTERNAL
    return material_id(key.key_id, secret) if is_told else b""
