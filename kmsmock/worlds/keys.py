"""Load the keys of a world, with all that belongs to a key except aliases and grants.

The custom key store of a key, and the primary of a replica key, must be loaded before it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from kmsmock.access.policies import KEY_POLICY
from kmsmock.authorization.policy import Policy
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.aws import policy_limits
from kmsmock.aws.arns import Arn, alias_arn, is_account_id, is_key_id
from kmsmock.aws.regions import is_region, list_regions, partition_of
from kmsmock.keys import rotation
from kmsmock.keys.custom_key_store import CustomKeyStore
from kmsmock.keys.key import Key, KeyManager, MultiRegionKey, PendingDeletion, Usage
from kmsmock.keys.multi_region import add_replica, update_pending_material
from kmsmock.keys.policies import normalize, pretty, shorten
from kmsmock.keys.region import KmsRegion
from kmsmock.keys.rotation import DEFAULT_PERIOD_DAYS, PERIOD_LIMITS_DAYS
from kmsmock.keys.rotation_schedule import RotationSchedule
from kmsmock.keys.specs import KEY_SPECS, Origin
from kmsmock.keys.states import KeyState
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.misuse.values import quote
from kmsmock.operations.keys import STORE_ORIGINS, require_supported
from kmsmock.operations.tags import MAX_TAGS
from kmsmock.state import scheduled_work
from kmsmock.state.backend import Backend
from kmsmock.timing.dates import add
from kmsmock.worlds.errors import Within, WorldError, describe_value
from kmsmock.worlds.key_writer import TRANSIENT, current_ids
from kmsmock.worlds.materials import load_materials
from kmsmock.worlds.reading import (
    Object,
    flag,
    member_of,
    one_of,
    policy,
    text,
    texts,
    time,
    whole_number,
)

_PRIMARY, _REPLICA = "primary", "replica"
_STATES = [
    state.value
    for state in KeyState
    if state not in (KeyState.PENDING_IMPORT, KeyState.UNAVAILABLE)
]


class KeyLoader:
    """Loads the keys of a document. account, region: of keys without these members."""

    def __init__(self, backend: Backend, account: str, region: str, now: datetime) -> None:
        self._backend = backend
        self._account = account
        self._region = region
        self._now = now
        #: Aliases among the members of keys: index of the key, key, alias name.
        self.aliases: list[tuple[int, Key, str]] = []
        #: The ARNs of these aliases.
        self._alias_arns: set[str] = set()
        #: Account and key id -> the multi-Region key.
        self._families: dict[tuple[str, str], MultiRegionKey] | None = None

    def region_of(self, item: Object) -> KmsRegion:
        """Return the KMS of the account and Region of an object."""
        account = item.get("account", account_id) or self._account
        return self._backend.region(account, item.get("region", region_name) or self._region)

    def load_all(self, document: Object) -> None:
        """Load all keys, primaries before their replicas, and number them in document order."""
        items = document.each("keys", _key_object)
        made: dict[int, Key] = {}
        with Within("keys"):
            for is_replica in (False, True):
                for number, item in enumerate(items):
                    if (item.get("multi_region", _multi_region) == _REPLICA) is is_replica:
                        with Within(number):
                            made[number] = self._load(item, number)
        for number in sorted(made):
            region = self._backend.region(made[number].account, made[number].region_name)
            made[number].sequence = region.next_sequence()
        for region in self._backend.regions.values():
            region.keys = dict(sorted(region.keys.items(), key=lambda pair: pair[1].sequence))

    def _load(self, item: Object, number: int) -> Key:
        """Load a key. Raises WorldError, also for a key that KMS would reject."""
        region = self.region_of(item)
        key = self._new_key(item, region)
        key.tags = item.get("tags", _tags) or {}
        self._load_state(item, key)
        self._load_store(item, key)
        load_materials(item, key, self._backend)
        if key.multi_region is not None:
            try:
                update_pending_material(key.multi_region)
            except KeyError:
                raise WorldError("it has not all materials of its primary") from None
        self._load_rotation(item, key)
        self._load_policy(item, key)
        key.last_usage = item.get("last_usage", _usage)
        for name in (item.get("alias", text), *item.each("aliases", text)):
            if name is not None:
                with Within("alias"):
                    self._require_free_alias(region, name)
                self.aliases.append((number, key, name))
        item.end()
        region.add_key(key)
        self._schedule(key)
        return key

    def _require_free_alias(self, region: KmsRegion, name: str) -> None:
        """Require that no key before has the alias, before the keys behind are made."""
        arn = alias_arn(region.name, region.account, name)
        if name in region.aliases or arn in self._alias_arns:
            raise WorldError(f"there is an alias {arn}")
        self._alias_arns.add(arn)

    def _new_key(self, item: Object, region: KmsRegion) -> Key:
        backend = self._backend
        kind = item.get("multi_region", _multi_region)
        primary = self._primary(item, region) if kind == _REPLICA else None
        spec_name = item.get("spec", one_of(KEY_SPECS))
        spec = KEY_SPECS[spec_name or (primary.spec.name if primary else "SYMMETRIC_DEFAULT")]
        usages = {usage.value: usage for usage in spec.usages}
        usage_name = item.get("usage", one_of(usages))
        usage = usages[usage_name or (primary.usage.value if primary else next(iter(usages)))]
        store = item.get("custom_key_store", lambda value: _store(region, value))
        origin = item.get("origin", member_of(Origin)) or _default_origin(primary, store)
        if STORE_ORIGINS.get(origin) is not (None if store is None else store.store_type):
            raise WorldError("'custom_key_store' belongs to an origin of its type, and the reverse")
        if primary and (primary.spec, primary.usage, primary.origin) != (spec, usage, origin):
            raise WorldError("spec, usage and origin of a replica are those of its primary")
        require_supported(region.partition, spec, origin, multi_region=kind is not None)
        key = Key(
            account=region.account,
            region_name=region.name,
            key_id=self._key_id(item, region, is_multi_region=kind is not None),
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
        if primary is not None:
            assert primary.multi_region is not None
            add_replica(primary.multi_region, key)
        elif kind == _PRIMARY:
            key.multi_region = MultiRegionKey(key)
        return key

    def _key_id(self, item: Object, region: KmsRegion, *, is_multi_region: bool) -> str:
        key_id = item.get("id", _key_id)
        if key_id is None:
            backend = self._backend
            return backend.new_multi_region_key_id() if is_multi_region else backend.new_uuid()
        with Within("id"):
            if is_multi_region is not key_id.startswith("mrk-"):
                raise WorldError("begins with mrk- for multi-Region keys, and for no others")
            if key_id in region.keys:
                raise WorldError(f"there is a key {key_id} in {region.account} {region.name}")
        return key_id

    def _primary(self, item: Object, region: KmsRegion) -> Key:
        named = item.require("id", _key_id)
        if self._families is None:  # all primaries are there before the first replica
            self._families = {
                (account, key.key_id): key.multi_region
                for (account, _), each in self._backend.regions.items()
                for key in each.keys.values()
                if key.multi_region is not None
            }
        family = self._families.get((region.account, named))
        if family is not None:
            return family.primary
        raise WorldError(f"there is no primary of {named} in {region.account}")

    def _load_state(self, item: Object, key: Key) -> None:
        deletion = item.get("deletion", Object)
        default = KeyState.ENABLED if deletion is None else KeyState.PENDING_DELETION
        key.status = KeyState(item.get("state", one_of(_STATES)) or default)
        key.transient_until = item.get("until", time)
        if (key.transient_until is not None) is not (key.status in TRANSIENT):
            raise WorldError("'until' belongs to Creating and Updating, and the reverse")
        if (deletion is not None) is not key.is_pending_deletion:
            raise WorldError("'deletion' belongs to the state PendingDeletion, and the reverse")
        if deletion is None:
            return
        with Within("deletion"):
            since = deletion.get("since", time) or self._now
            days = deletion.get("days", whole_number(7, 30)) or 30
            due = deletion.get("date", time)
            deletion.end()
            if key.status is KeyState.PENDING_DELETION:
                key.deletion_date = due or _after(since, days)
        key.pending_deletion = PendingDeletion(since, days)

    def _load_store(self, item: Object, key: Key) -> None:
        if key.origin is not Origin.EXTERNAL_KEY_STORE:
            return
        assert key.custom_key_store is not None
        key.xks_key_id = item.require("xks_key_id", text)
        if key.xks_key_id in key.custom_key_store.xks_key_ids:
            raise WorldError(f"there is a key of the xks_key_id {key.xks_key_id!r} in the store")
        key.custom_key_store.xks_key_ids.add(key.xks_key_id)

    def _load_policy(self, item: Object, key: Key) -> None:
        key_policy = item.get("policy", _policy)
        if key_policy is not None:
            key.policy = self._read_text(key_policy, key)
        ids = item.get("policy_ids", texts)
        key.policy_ids = (current_ids(key, self._backend) if ids is None else ids) or None

    @staticmethod
    def _read_text(key_policy: Policy, key: Key) -> str:
        """Return the text as KMS stores it; AWS's own policies keep the order of their members."""
        if key.manager is KeyManager.AWS:
            return pretty(key_policy.document)
        return normalize(key_policy, partition_of(key.region_name))

    # --- scheduled work ------------------------------------------------------------------------

    def _load_rotation(self, item: Object, key: Key) -> None:
        key.on_demand_rotations = item.get("on_demand_rotations", whole_number(0, 25)) or 0
        key.on_demand_started = item.get("on_demand_since", time)
        schedule = item.get("rotation", _rotation)
        if schedule is None:
            return
        with Within("rotation"):
            if key.is_replica or (key.spec.name, key.origin) != _ROTATED:
                raise WorldError("is for SYMMETRIC_DEFAULT keys of origin AWS_KMS, on the primary")
            days = schedule.get("days", whole_number(*PERIOD_LIMITS_DAYS)) or DEFAULT_PERIOD_DAYS
            due = schedule.get("next", time) or _after(self._now, days)
            missed = schedule.get("missed", flag) or False
            schedule.end()
        key.rotation = RotationSchedule(timedelta(days=days), due, missed)

    def _schedule(self, key: Key) -> None:
        backend = self._backend
        if key.manager is KeyManager.AWS and key.rotation is None:
            rotation.enable_for_aws(key, self._now)
        if key.rotation is not None:
            scheduled_work.rotate_when_due(backend, key, key.rotation)
        if key.deletion_date is not None:
            scheduled_work.delete_when_due(backend, key)
        if key.on_demand_started is not None:
            scheduled_work.finish_rotation_when_due(backend, key, key.on_demand_started)
        until = key.transient_until
        if until is not None and key.status is KeyState.CREATING:
            scheduled_work.finish_creation_when_due(backend, key, until)
        elif until is not None:
            scheduled_work.finish_update_when_due(backend, key, until)
        for material in key.materials:
            if material.valid_to is not None:
                scheduled_work.expire_when_due(backend, key, material)


_ROTATED = ("SYMMETRIC_DEFAULT", Origin.AWS_KMS)


def _default_origin(primary: Key | None, store: CustomKeyStore | None) -> Origin:
    if primary is not None:
        return primary.origin
    kinds = {kind: origin for origin, kind in STORE_ORIGINS.items()}
    return Origin.AWS_KMS if store is None else kinds[store.store_type]


def account_id(value: Any) -> str:
    """Read an account id."""
    if not is_account_id(value):
        quotes = ", in quotes" if isinstance(value, int) else ""
        raise WorldError(f"must be an account id of 12 digits{quotes}, not {describe_value(value)}")
    return str(value)


def region_name(value: Any) -> str:
    """Read the name of a Region."""
    if not is_region(value):
        nearest = did_you_mean(value, list_regions())
        raise WorldError(
            f"must be a Region such as eu-west-1, not {describe_value(value)}{nearest}"
        )
    return str(value)


def find_key(backend: Backend, value: Any, region: KmsRegion) -> Key:
    """Find a key by ARN, or by id or alias in a Region. Raises WorldError."""
    named = text(value)
    arn = Arn.parse(named)
    if arn is not None:
        region = backend.region(arn.account, arn.region)
        named = arn.key_or_alias or named
    key = region.get(named)
    if key is None:
        where = f"in {region.account} {region.name}"
        raise WorldError(
            f"there is no key {quote(value)} {where}{did_you_mean(named, region.aliases)}"
        )
    return key


def _key_object(value: Any) -> Object:
    return Object({"alias": value} if isinstance(value, str) else value)


def _key_id(value: Any) -> str:
    if not is_key_id(text(value)):
        raise WorldError(
            f"must be a UUID, or mrk- and 32 hexadecimal digits, not {describe_value(value)}"
        )
    return str(value)


def _multi_region(value: Any) -> str | None:
    if isinstance(value, bool):
        return _PRIMARY if value else None
    return one_of((_PRIMARY, _REPLICA))(value)


def _tags(value: Any) -> dict[str, str]:
    tags = texts(value)
    if len(tags) > MAX_TAGS:
        raise WorldError(f"there can be {MAX_TAGS} tags, not {len(tags)}")
    return tags


def _policy(value: Any) -> Policy:
    key_policy: Policy = policy(PolicyKind.RESOURCE, KEY_POLICY)(value)
    policy_limits.KEY_POLICY.require(shorten(key_policy))
    return key_policy


def _rotation(value: Any) -> Object | None:
    return None if value is False else Object({} if value is True else value)


def _store(region: KmsRegion, value: Any) -> CustomKeyStore:
    store = region.custom_key_stores.get(text(value))
    if store is None:
        raise WorldError(f"there is no such custom key store in {region.account} {region.name}")
    return store


def _usage(value: Any) -> Usage:
    item = Object(value)
    usage = Usage(
        item.require("operation", text),
        item.require("at", time),
        item.require("request_id", text),
    )
    item.end()
    return usage


def _after(moment: datetime, days: int) -> datetime:
    try:
        return add(moment, timedelta(days=days))
    except ValueError as reason:
        raise WorldError(str(reason)) from None
