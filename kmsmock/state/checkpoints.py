"""Copies of a mock's whole state, made and brought back in little time.

A copy is made by pickling, which walks thousands of objects faster than `copy.deepcopy` does. What
never changes, or is one and the same before and after, is not copied but kept. Regions, keys and
their materials stay the same objects, since of these there are most: what they held is put back.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from kmsmock.authorization.grant_index import Grants
from kmsmock.authorization.policy import Policy
from kmsmock.crypto.rsa import RsaKey
from kmsmock.crypto.seeded import SeededEntropy
from kmsmock.keys.key import Key
from kmsmock.keys.material import KeyMaterial
from kmsmock.keys.region import Alias, KmsRegion, MaterialIndex
from kmsmock.keys.specs import KeySpec, Source
from kmsmock.timing.clock import Clock
from kmsmock.timing.gc_pause import paused_collector

#: Types whose objects are kept. Restored keys draw on from the same source, so that no material
#: comes twice.
_KEPT: tuple[type, ...] = (
    *(Clock, Key, KeyMaterial, KeySpec, Policy, RsaKey, SeededEntropy, Source),
)
_KEY = tuple(name for name in Key.__slots__ if name not in Key.FIXED)
_of_key = attrgetter(*_KEY)
_of_material = attrgetter(*KeyMaterial.__slots__)
_of_alias = attrgetter(*Alias.__slots__)
#: Members of a key that are copied; most keys have none of them.
_COPIED = attrgetter("custom_key_store", "multi_region", "rotation")
_NOTHING = (None, None, None)
_REGION = tuple({*KmsRegion.__slots__} - {"account", "keys", "materials", "name"})
_of_region = attrgetter(*_REGION)


class Checkpoint:
    """One copy of a state. kept: further types whose objects are not copied."""

    def __init__(self, state: Any, kept: tuple[type, ...]) -> None:
        self._originals: list[Any] = []
        written = io.BytesIO()
        pickler = pickle.Pickler(written, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = {
            **copyreg.dispatch_table,
            **dict.fromkeys((*_KEPT, *kept), self._keep),
            Alias: self._reduce_alias,
            KmsRegion: self._reduce_region,
            MaterialIndex: self._reduce_index,
        }
        with paused_collector():
            pickler.dump(state)
            pickler.clear_memo()
        self._data = written.getvalue()

    def state(self) -> Any:
        """Give the state again; each time another copy of what is not kept."""
        _originals.append(self._originals)
        try:
            with paused_collector():
                return pickle.loads(self._data)  # noqa: S301 - written above, never stored
        finally:
            _originals.pop()

    def _keep(self, original: Any) -> tuple[Any, ...]:
        self._originals.append(original)
        return _original, (len(self._originals) - 1,)

    def _reduce_alias(self, alias: Alias) -> tuple[Any, ...]:
        return _put_alias_back, self._keep((alias, _of_alias(alias)))[1]

    def _reduce_index(self, index: MaterialIndex) -> tuple[Any, ...]:
        return _put_index_back, self._keep((index, index.copy()))[1]

    def _reduce_region(self, region: KmsRegion) -> tuple[Any, ...]:
        keys = list(region.keys.values())
        held = [
            (key, _of_key(key), [(material, _of_material(material)) for material in key.materials])
            for key in keys
        ]
        copied = [(key, *_COPIED(key)) for key in keys if _COPIED(key) != _NOTHING]
        rest = (_of_region(region), [(key, key.grants) for key in keys if key.grants], copied)
        return _put_region_back, self._keep((region, held))[1], rest, None, None, _set_rest


#: Stack of what the checkpoints that are being read have kept.
_originals: list[list[Any]] = []


def _original(place: int) -> Any:
    return _originals[-1][place]


def _put_alias_back(place: int) -> Alias:
    alias: Alias
    alias, values = _original(place)
    _set(alias, Alias.__slots__, values)
    return alias


def _put_index_back(place: int) -> MaterialIndex:
    index: MaterialIndex
    index, entries = _original(place)
    index.clear()
    index.update(entries)
    return index


def _put_region_back(place: int) -> KmsRegion:
    region: KmsRegion
    region, held = _original(place)
    region.keys = {key.key_id: key for key, _, _ in held}
    for key, values, materials in held:
        # Most are as they were, and setting takes longer than looking.
        if _of_key(key) != values:
            _set(key, _KEY, values)
        # In place, since related keys have one list.
        key.materials[:] = [material for material, _ in materials]
        for material, members in materials:
            if _of_material(material) != members:
                _set(material, KeyMaterial.__slots__, members)
    return region


def _set_rest(region: KmsRegion, rest: tuple[Any, ...]) -> None:
    values, grants, copied = rest
    _set(region, _REGION, values)
    for key in region.keys.values():
        if key.grants:
            key.grants = Grants()
    for key, its_grants in grants:
        key.grants = its_grants
    for key, *values in copied:
        key.custom_key_store, key.multi_region, key.rotation = values


def _set(original: Any, names: Iterable[str], values: tuple[Any, ...]) -> None:
    for name, value in zip(names, values, strict=True):
        setattr(original, name, value)
