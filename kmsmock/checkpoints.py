"""Copies of a mock's whole state, made and brought back in little time.

A copy is made by pickling, which walks thousands of keys faster than `copy.deepcopy` does. What
never changes, or is one and the same before and after, is not copied but kept.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from operator import attrgetter
from typing import Any

from kmsmock.authorization.grants import Grants
from kmsmock.authorization.policy import Policy
from kmsmock.clock import Clock
from kmsmock.collector import paused_collector
from kmsmock.crypto.rsa import RsaKey
from kmsmock.crypto.seeded import SeededEntropy
from kmsmock.keys.key import Key
from kmsmock.keys.material import KeyMaterial
from kmsmock.keys.region import Alias
from kmsmock.keys.specs import KeySpec, Source

#: Types whose objects are kept. Restored keys draw on from the same source, so that no material
#: comes twice.
_KEPT: tuple[type, ...] = (Clock, KeySpec, Policy, RsaKey, SeededEntropy, Source)
_SECRETS = tuple(name for name in KeyMaterial.__slots__ if name != "opened")
_secrets_of = attrgetter(*_SECRETS)


class Checkpoint:
    """One copy of a state. kept: further types whose objects are not copied."""

    def __init__(self, state: Any, kept: tuple[type, ...]) -> None:
        self._originals: list[Any] = []
        written = io.BytesIO()
        pickler = pickle.Pickler(written, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = {
            **copyreg.dispatch_table,
            **dict.fromkeys((*_KEPT, *kept), self._keep),
            KeyMaterial: self._reduce_material,
            Grants: _reduce_grants,
            Key: _reduce_key,
            Alias: _reduce_alias,
        }
        with paused_collector():
            pickler.dump(state)
            pickler.clear_memo()
        self._data = written.getvalue()

    def state(self) -> Any:
        """Give the state again; each time another copy of it."""
        _originals.append(self._originals)
        try:
            with paused_collector():
                return pickle.loads(self._data)  # noqa: S301 - written above, never stored
        finally:
            _originals.pop()

    def _keep(self, original: Any) -> tuple[Any, ...]:
        self._originals.append(original)
        return _original, (len(self._originals) - 1,)

    def _reduce_material(self, material: KeyMaterial) -> tuple[Any, ...]:
        # The opened key is a native object, immutable and not to be copied.
        place = None
        if material.opened is not None:
            self._originals.append(material.opened)
            place = len(self._originals) - 1
        return _material, (place, *_secrets_of(material))


#: Stack of what the checkpoints that are being read have kept.
_originals: list[list[Any]] = []


def _original(place: int) -> Any:
    return _originals[-1][place]


def _material(place: int | None, *members: Any) -> KeyMaterial:
    material = KeyMaterial(*members)
    if place is not None:
        material.opened = _original(place)
    return material


def _reduce_grants(grants: Grants) -> tuple[Any, ...]:
    return _new, (Grants,), grants.indexes(), None, None, Grants.set_indexes


def _new(cls: Any) -> Any:
    return object.__new__(cls)


_KEY_SLOTS = tuple(name for name in Key.__slots__ if name != "grants")
_of_key = attrgetter(*_KEY_SLOTS)
_of_alias = attrgetter(*Alias.__slots__)


def _reduce_key(key: Key) -> tuple[Any, ...]:
    # Most keys have no grants.
    state = (key.grants if len(key.grants) else None, _of_key(key))
    return _new, (Key,), state, None, None, _set_key


def _set_key(key: Key, state: tuple[Grants | None, tuple[Any, ...]]) -> None:
    grants, values = state
    key.grants = Grants() if grants is None else grants
    for name, value in zip(_KEY_SLOTS, values, strict=True):
        setattr(key, name, value)


def _reduce_alias(alias: Alias) -> tuple[Any, ...]:
    return _new, (Alias,), _of_alias(alias), None, None, _set_alias


def _set_alias(alias: Alias, values: tuple[Any, ...]) -> None:
    for name, value in zip(Alias.__slots__, values, strict=True):
        setattr(alias, name, value)
