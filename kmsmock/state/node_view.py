"""The state as a node sees it that has not seen some changes: applied for a block, then put back.

Nothing is written to a view: what changes the state works with the state itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

from kmsmock.authorization.grant_index import Grants
from kmsmock.keys.key import Key
from kmsmock.keys.region import KmsRegion, index_by_retirer
from kmsmock.state.late_changes import Attribute, Change

_SEQUENCE = attrgetter("sequence")


@contextmanager
def viewing_without(changes: Sequence[Change]) -> Iterator[None]:
    """Let the state be what it is without some changes, in the block.

    changes: in the order in which they were made. What is put back afterwards are the same objects,
    whether or not the block raises.
    """
    tables = _undo_items(changes)
    hidden = [
        (region, key)
        for region, of_region in tables.items()
        if "keys" in of_region
        for key in region.keys.values()
        if key.key_id not in of_region["keys"]
    ]
    replaced: list[Attribute] = []
    try:
        for region, key in hidden:
            _remove_materials(region, key)
        for attribute in _undo_attributes(changes):
            _replace(replaced, *attribute)
        for region, of_region in tables.items():
            if "grants" in of_region:
                _replace_grants(replaced, region, of_region["grants"])
            for table, entries in of_region.items():
                _replace(replaced, region, table, entries)
        yield
    finally:
        for owner, name, value in reversed(replaced):
            setattr(owner, name, value)
        for region, key in hidden:
            region.index_materials(key)


def _replace(replaced: list[Attribute], owner: Any, name: str, value: Any) -> None:
    replaced.append(Attribute(owner, name, getattr(owner, name)))
    setattr(owner, name, value)


def _undo_attributes(changes: Sequence[Change]) -> list[Attribute]:
    """Return the attributes with the values before the oldest change of each."""
    oldest: dict[tuple[int, str], Attribute] = {}
    for change in changes:
        for attribute in change.attributes:
            oldest.setdefault((id(attribute.owner), attribute.name), attribute)
    return list(oldest.values())


def _undo_items(changes: Sequence[Change]) -> dict[KmsRegion, dict[str, dict[str, Any]]]:
    """Return the tables of Regions without the changes."""
    regions: dict[KmsRegion, dict[str, dict[str, Any]]] = {}
    is_in_order = True
    for change in reversed(changes):
        for item in change.items:
            tables = regions.setdefault(item.region, {})
            entries = tables.get(item.table)
            if entries is None:
                entries = tables[item.table] = dict(getattr(item.region, item.table))
            if item.is_added:
                entries.pop(item.name, None)
            else:
                entries[item.name] = item.value
                is_in_order = False
    if is_in_order:
        return regions
    return {
        region: {table: _in_order(entries) for table, entries in tables.items()}
        for region, tables in regions.items()
    }


def _in_order(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entries[name] for name in sorted(entries, key=lambda n: _SEQUENCE(entries[n]))}


def _replace_grants(
    replaced: list[Attribute], region: KmsRegion, entries: Mapping[str, Any]
) -> None:
    """Replace the grants of keys, and add the tokens of grants that have ended.

    The token of a new grant is known everywhere.
    """
    differing = [
        *(grant for name, grant in region.grants.items() if name not in entries),
        *(ended := [grant for name, grant in entries.items() if name not in region.grants]),
    ]
    tokens = {token: grant for grant in ended for token in grant.tokens}
    if tokens:
        _replace(replaced, region, "grant_tokens", {**region.grant_tokens, **tokens})
    _replace(replaced, region, "grants_by_retirer", index_by_retirer(entries.values()))
    for key_id in dict.fromkeys(grant.key_id for grant in differing):
        key, grants = region.keys.get(key_id), Grants()
        if key is None:
            continue
        for grant in entries.values():
            if grant.key_id == key_id:
                grants.add(grant)
        _replace(replaced, key, "grants", grants)


def _remove_materials(region: KmsRegion, key: Key) -> None:
    for material in key.materials:
        region.materials.pop(material.id, None)
