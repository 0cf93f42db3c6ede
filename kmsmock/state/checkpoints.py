"""Checkpoints: fast copies of the whole state of a mock, and restoring them.

A copy is made by pickling, which is faster for thousands of objects than `copy.deepcopy`. Objects
that never change are not copied, only referenced. Regions, keys, key materials, aliases and grants,
the most numerous, are not copied either: their attributes are saved, and are assigned to the same
objects again.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Iterable
from contextvars import ContextVar
from operator import attrgetter
from typing import Any

from kmsmock.authorization.grant_index import Grants
from kmsmock.authorization.grants import Grant
from kmsmock.authorization.policy import Policy
from kmsmock.aws.secret_values import SecretBytes
from kmsmock.crypto.rsa import RsaKey
from kmsmock.crypto.seeded import SeededEntropy
from kmsmock.keys.key import Key
from kmsmock.keys.material import KeyMaterial
from kmsmock.keys.region import Alias, KmsRegion, MaterialIndex
from kmsmock.keys.specs import KeySpec, Source
from kmsmock.ledger.key_storage import KeyLifetime
from kmsmock.misuse.public_object import PublicObject
from kmsmock.timing.clock import Clock
from kmsmock.timing.dates import LAST
from kmsmock.timing.gc_pause import pause_gc
from kmsmock.timing.passing_states import PassingStates, ShownState

#: Types whose objects are referenced, not copied. As `Source` is among them, keys that are created
#: after a restore get other material than those created before it. Dates are among them, since
#: freezegun lets pickle replace them by those of its own class.
_REFERENCED: tuple[type, ...] = (
    *(
        Clock,
        Key,
        KeyLifetime,
        KeyMaterial,
        KeySpec,
        PassingStates,
        Policy,
        RsaKey,
        SeededEntropy,
        ShownState,
    ),
    *(Source, type(LAST)),
)
_KEY = tuple(name for name in Key.__slots__ if name not in Key.FIXED)
_key_values = attrgetter(*_KEY)
_material_values = attrgetter(*KeyMaterial.__slots__)
_alias_values = attrgetter(*Alias.__slots__)
#: Attributes of a key whose objects are copied; most keys have none of them.
_copied_values = attrgetter("custom_key_store", "multi_region", "rotation")
_NO_COPIED_VALUES = (None, None, None)
_REGION = tuple({*KmsRegion.__slots__} - {"account", "keys", "materials", "name"})
_region_values = attrgetter(*_REGION)


class Checkpoint(PublicObject, internal=("is_same_state", "list_resources", "load")):
    """A saved state of a mock, for `kms.restore`.

    owner: the `Backend` that has the state. referenced: further types whose objects are not copied.
    """

    def __init__(self, owner: object, state: Any, referenced: tuple[type, ...]) -> None:
        self._owner = owner
        self._originals: list[Any] = []
        written = io.BytesIO()
        pickler = pickle.Pickler(written, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = {
            **copyreg.dispatch_table,
            **dict.fromkeys((*_REFERENCED, *referenced), self._reference),
            Alias: self._reduce_alias,
            Grant: self._reduce_grant,
            Grants: self._reduce_grants,
            KmsRegion: self._reduce_region,
            MaterialIndex: self._reduce_index,
        }
        with pause_gc():
            pickler.dump(state)
            pickler.clear_memo()
        self._data = SecretBytes(written.getvalue())

    def load(self, owner: object) -> Any:
        """Return the state, each time a new copy.

        owner: the `Backend` that is to have it; raises ValueError for another one than had it.
        """
        if owner is not self._owner:
            raise ValueError(
                "this checkpoint is of another mock, and a mock is restored from its own; "
                "kms.export() and kms.load() copy keys and principals from one mock to another"
            )
        token = _originals.set(self._originals)
        try:
            with pause_gc():
                return pickle.loads(self._data)  # noqa: S301 - written above, never stored
        finally:
            _originals.reset(token)

    def is_same_state(self, other: Checkpoint) -> bool:
        """Return whether nothing has changed between two checkpoints of one mock."""
        return self._data == other._data and self._originals == other._originals

    def list_resources(self) -> set[str]:
        """Return the ARNs of the keys and aliases of all accounts and Regions."""
        found: set[str] = set()
        for original in self._originals:
            first = original[0] if isinstance(original, tuple) else None
            if isinstance(first, Alias):
                found.add(first.arn)
            elif isinstance(first, KmsRegion):
                found.update(key.arn for key, _, _ in original[1])
        return found

    def _reference(self, original: Any) -> tuple[Any, ...]:
        self._originals.append(original)
        return _original, (len(self._originals) - 1,)

    def _reduce_alias(self, alias: Alias) -> tuple[Any, ...]:
        return _restore_alias, self._reference((alias, _alias_values(alias)))[1]

    def _reduce_grant(self, grant: Grant) -> tuple[Any, ...]:
        return _restore_grant, self._reference((grant, tuple(grant.tokens)))[1]

    def _reduce_grants(self, grants: Grants) -> tuple[Any, ...]:
        return _restore_grants, self._reference((grants, tuple(grants)))[1]

    def _reduce_index(self, index: MaterialIndex) -> tuple[Any, ...]:
        return _restore_index, self._reference((index, index.copy()))[1]

    def _reduce_region(self, region: KmsRegion) -> tuple[Any, ...]:
        keys = list(region.keys.values())
        saved_keys = [
            (
                key,
                _key_values(key),
                [(material, _material_values(material)) for material in key.materials],
            )
            for key in keys
        ]
        copied = [
            (key, *_copied_values(key)) for key in keys if _copied_values(key) != _NO_COPIED_VALUES
        ]
        grants = [(key, key.grants) for key in keys if key.grants]
        arguments = self._reference((region, saved_keys))[1]
        copied_state = (_region_values(region), grants, copied)
        return _restore_region, arguments, copied_state, None, None, _set_copied_state


#: The referenced objects of the checkpoint that is being loaded in this thread.
_originals: ContextVar[list[Any]] = ContextVar("_originals")


def _original(index: int) -> Any:
    return _originals.get()[index]


def _restore_alias(index: int) -> Alias:
    alias: Alias
    alias, values = _original(index)
    _set(alias, Alias.__slots__, values)
    return alias


def _restore_grant(index: int) -> Grant:
    grant: Grant
    grant, tokens = _original(index)
    grant.tokens[:] = tokens
    return grant


def _restore_grants(index: int) -> Grants:
    grants: Grants
    grants, saved = _original(index)
    grants.replace_all(saved)
    return grants


def _restore_index(index: int) -> MaterialIndex:
    materials: MaterialIndex
    materials, entries = _original(index)
    materials.clear()
    materials.update(entries)
    return materials


def _restore_region(index: int) -> KmsRegion:
    region: KmsRegion
    region, saved_keys = _original(index)
    region.keys = {key.key_id: key for key, _, _ in saved_keys}
    for key, values, materials in saved_keys:
        # Most keys are unchanged, and comparing is faster than assigning.
        if _key_values(key) != values:
            _set(key, _KEY, values)
        # In place, since related keys share one list.
        key.materials[:] = [material for material, _ in materials]
        for material, members in materials:
            if _material_values(material) != members:
                _set(material, KeyMaterial.__slots__, members)
    return region


def _set_copied_state(region: KmsRegion, copied_state: tuple[Any, ...]) -> None:
    values, grants, copied = copied_state
    _set(region, _REGION, values)
    for key in region.keys.values():
        if key.grants or key.grants.ended:
            key.grants = Grants()
    for key, its_grants in grants:
        key.grants = its_grants
    for key, *values in copied:
        key.custom_key_store, key.multi_region, key.rotation = values


def _set(original: Any, names: Iterable[str], values: tuple[Any, ...]) -> None:
    for name, value in zip(names, values, strict=True):
        setattr(original, name, value)
