"""Changes of KMS that some of its nodes see late: what a call has changed, and how to undo it.

Source: AWS KMS Developer Guide, "AWS KMS eventual consistency", "Using a grant token" and "ABAC for
AWS KMS".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from kmsmock.authorization.grants import Grant
from kmsmock.keys.key import Key
from kmsmock.keys.region import Alias, KmsRegion
from kmsmock.keys.specs import Origin
from kmsmock.keys.states import KeyState
from kmsmock.state.fault import Fault

_FEW_SECONDS = timedelta(seconds=10)
_MINUTES = timedelta(minutes=5)


class Kind(Enum):
    """What a change is about, and within which time all nodes see it.

    AWS: most changes within seconds; grants usually within five minutes; tags and aliases affect
    authorization within five minutes.
    """

    KEY = "the key", _FEW_SECONDS
    STATE = "the key state", _FEW_SECONDS
    DESCRIPTION = "the description", _FEW_SECONDS
    POLICY = "the key policy", _FEW_SECONDS
    ROTATION = "the rotation schedule", _FEW_SECONDS
    MATERIAL = "the key material", _FEW_SECONDS
    ALIAS = "the alias", _MINUTES
    TAGS = "the tags", _MINUTES
    GRANT = "the grant", _MINUTES

    def __init__(self, noun: str, within: timedelta) -> None:
        self.noun = noun
        #: The longest time until all nodes see it.
        self.within = within


#: Attribute of a key -> what its change is about. Imported material and aliases are not among them.
_ATTRIBUTES = {
    "status": Kind.STATE,
    "deletion_date": Kind.STATE,
    "pending_deletion": Kind.STATE,
    "description": Kind.DESCRIPTION,
    "policy": Kind.POLICY,
    "policy_ids": Kind.POLICY,
    "rotation": Kind.ROTATION,
    "tags": Kind.TAGS,
}
#: Attributes of an imported key material that its import and its deletion change -> whether the
#: previous value is kept. The opened key is made from the secret again.
_MATERIAL = {"secret": True, "opened": False, "expiration_model": True, "valid_to": True}
_ALIAS = ("key", "last_updated_date")
#: States that pass by themselves: what leads to them already takes its time.
_PASSING = (KeyState.CREATING, KeyState.UPDATING)


class Attribute(NamedTuple):
    """An attribute that was replaced."""

    owner: Any
    name: str
    old: Any


class Item(NamedTuple):
    """An entry of a table of a Region that was added or removed."""

    region: KmsRegion
    #: ``keys``, ``aliases`` or ``grants``.
    table: str
    #: Its key in the table.
    name: str
    value: Any
    is_added: bool


@dataclass(slots=True, eq=False)
class Change:
    """A change that not all nodes have seen."""

    kind: Kind
    #: The operation that has made it.
    operation: str
    #: The ARN of what was changed; of a grant, its id.
    resource: str
    #: The keys that it is about.
    keys: tuple[Key, ...]
    at: datetime
    attributes: list[Attribute] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    #: Node -> when it sees the change.
    seen_from: list[datetime] = field(default_factory=list)
    #: The fault because of which it is seen late; None for the option ``consistency``.
    fault: Fault | None = None

    @property
    def grant(self) -> Grant | None:
        """The new grant that the change is about."""
        item = self.items[0] if self.kind is Kind.GRANT else None
        return item.value if item is not None and item.is_added else None

    def list_touched(self) -> set[object]:
        """Return what it has changed: attributes, entries of tables, and a key that is new."""
        return {
            *((id(changed.owner), changed.name) for changed in self.attributes),
            *((id(item.region), item.table, item.name) for item in self.items),
            *(key.arn for key in self.keys if self.kind is Kind.KEY),
        }

    def list_needed(self) -> set[object]:
        """Return what a node must know that sees it: the earlier changes of the same.

        Changes of one attribute or entry are seen in their order; and of a key that a node does not
        know, it knows nothing.
        """
        return self.list_touched() | {key.arn for key in self.keys}


class Snapshot:
    """What a call can change, as it is before; `find_changes` compares.

    keys: those of the call. regions: all Regions of the mock.
    """

    def __init__(
        self, keys: Iterable[Key], regions: Mapping[tuple[str, str], KmsRegion], last: int
    ) -> None:
        self._regions = regions
        #: The sequence number of the resource that was created last.
        self._last = last
        self._keys = list(dict.fromkeys(each for key in keys for each in key.related_keys))
        self._attributes = [
            Attribute(key, name, getattr(key, name)) for key in self._keys for name in _ATTRIBUTES
        ]
        self._materials = {key.arn: list(key.materials) for key in self._keys}
        self._imported = [
            Attribute(material, name, getattr(material, name) if is_kept else None)
            for key in self._keys
            if key.origin is Origin.EXTERNAL
            for material in key.materials
            for name, is_kept in _MATERIAL.items()
        ]
        self._alias_names = {key.arn: key.aliases for key in self._keys}
        self._aliases: list[tuple[Alias, Key, datetime]] = []
        for key in self._keys:
            aliases = self._region_of(key).aliases
            named = [aliases[name] for name in key.aliases]
            self._aliases += [(alias, alias.key, alias.last_updated_date) for alias in named]
        self._grants = {key.arn: tuple(key.grants) for key in self._keys}

    def find_changes(self, operation: str, now: datetime) -> list[Change]:
        """Return what has changed since, the oldest first."""
        return [
            *self._find_created(operation, now),
            *self._find_replaced(operation, now),
            *self._find_changed_aliases(operation, now),
            *self._find_ended_grants(operation, now),
        ]

    def _region_of(self, key: Key) -> KmsRegion:
        return self._regions[key.account, key.region_name]

    def _find_created(self, operation: str, now: datetime) -> Iterator[Change]:
        for region in self._regions.values():
            for key in _list_later(region.keys, self._last):
                item = Item(region, "keys", key.key_id, key, is_added=True)
                yield Change(Kind.KEY, operation, key.arn, (key,), now, items=[item])
            for alias in _list_later(region.aliases, self._last):
                item = Item(region, "aliases", alias.name, alias, is_added=True)
                names = tuple(name for name in alias.key.aliases if name != alias.name)
                attribute = Attribute(alias.key, "aliases", names)
                keys = (alias.key,)
                yield Change(Kind.ALIAS, operation, alias.arn, keys, now, [attribute], [item])
            for grant in _list_later(region.grants, self._last):
                yield self._change_grant(operation, now, region, grant, is_added=True)

    @staticmethod
    def _change_grant(
        operation: str, now: datetime, region: KmsRegion, grant: Grant, *, is_added: bool
    ) -> Change:
        item = Item(region, "grants", grant.grant_id, grant, is_added)
        keys = (region.keys[grant.key_id],)
        return Change(Kind.GRANT, operation, grant.grant_id, keys, now, items=[item])

    def _find_replaced(self, operation: str, now: datetime) -> Iterator[Change]:
        changes: dict[tuple[Kind, str], Change] = {}
        for before in self._attributes:
            key = before.owner
            if getattr(key, before.name) is before.old or key.status in _PASSING:
                continue
            kind = _ATTRIBUTES[before.name]
            new = Change(kind, operation, key.arn, (key,), now)
            changes.setdefault((kind, key.arn), new).attributes.append(before)
        yield from (each for each in changes.values() if any(map(_is_other_value, each.attributes)))
        for key in self._keys:
            replaced = self._find_replaced_material(key)
            if replaced:
                yield Change(Kind.MATERIAL, operation, key.arn, (key,), now, replaced)

    def _find_replaced_material(self, key: Key) -> list[Attribute]:
        materials = self._materials[key.arn]
        if key.origin is not Origin.EXTERNAL:
            return []
        if not materials and key.materials:
            return [Attribute(key, "materials", [])]
        return [
            before
            for before in self._imported
            if before.owner in materials and getattr(before.owner, before.name) != before.old
        ]

    def _find_changed_aliases(self, operation: str, now: datetime) -> Iterator[Change]:
        for alias, key, updated in self._aliases:
            region = self._region_of(key)
            is_removed = region.aliases.get(alias.name) is not alias
            if not is_removed and alias.key is key and alias.last_updated_date == updated:
                continue
            keys = (key,) if is_removed or alias.key is key else (key, alias.key)
            change = Change(Kind.ALIAS, operation, alias.arn, keys, now)
            for each in keys:
                names = self._alias_names[each.arn]
                change.attributes.append(Attribute(each, "aliases", names))
            if is_removed:
                item = Item(region, "aliases", alias.name, alias, is_added=False)
                change.items.append(item)
            else:
                olds = (key, updated)
                change.attributes += [
                    Attribute(alias, name, old) for name, old in zip(_ALIAS, olds, strict=True)
                ]
            yield change

    def _find_ended_grants(self, operation: str, now: datetime) -> Iterator[Change]:
        for key in self._keys:
            before = self._grants[key.arn]
            if len(key.grants) >= len(before):
                continue
            for grant in before:
                if key.grants.get(grant.grant_id) is None:
                    region = self._region_of(key)
                    yield self._change_grant(operation, now, region, grant, is_added=False)


def _is_other_value(before: Attribute) -> bool:
    return bool(getattr(before.owner, before.name) != before.old)


def _list_later(table: dict[str, Any], last: int) -> list[Any]:
    """Return the entries of a table with a later sequence number; new ones are at its end."""
    found = []
    for name in reversed(table):
        value = table[name]
        if value.sequence <= last:
            break
        found.append(value)
    return found[::-1]
