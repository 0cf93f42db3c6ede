"""Condition keys about the KMS key that a request uses or creates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kmsmock.access.condition_keys.registry import (
    Reader,
    declare,
    of_organization,
    only,
    read_organization_id,
    read_organization_paths,
)
from kmsmock.access.facts import Facts, KeyAttributes
from kmsmock.aws.condition_keys import ValueType
from kmsmock.aws.operations import find_permission
from kmsmock.keys.key import USAGE_TRACKING_START

#: kms:ResourceAliases is absent for a key with more aliases than the quota.
_MOST_ALIASES = 50


def _can_name_alias(action: str) -> bool:
    return find_permission(action).takes_alias


def _make_key_reader(read: Callable[[KeyAttributes], Any]) -> Reader:
    def read_key(facts: Facts) -> Any:
        attributes = facts.get_key_attributes()
        return None if attributes is None else read(attributes)

    return read_key


def _read_key_type(key: KeyAttributes) -> str | None:
    if not key.is_multi_region:
        return None
    return "REPLICA" if key.is_replica else "PRIMARY"


def _read_resource_aliases(facts: Facts) -> list[str] | None:
    names = [] if facts.key is None else list(facts.key.aliases)
    return names if 0 < len(names) <= _MOST_ALIASES else None


def _read_resource_tags(facts: Facts) -> Mapping[str, str]:
    return {} if facts.key is None else facts.key.tags


def _count_idle_days(facts: Facts) -> int | None:
    key, now = facts.key, facts.now
    if key is None or now is None:
        return None
    if key.last_usage is not None:
        return (now - key.last_usage.at).days
    is_older = key.creation_date < USAGE_TRACKING_START <= now
    return (now - (USAGE_TRACKING_START if is_older else key.creation_date)).days


for _name in ("kms:KeySpec", "kms:CustomerMasterKeySpec"):
    declare(_name, _make_key_reader(lambda key: key.spec))
for _name in ("kms:KeyUsage", "kms:CustomerMasterKeyUsage"):
    declare(_name, _make_key_reader(lambda key: key.usage))
declare("kms:KeyOrigin", _make_key_reader(lambda key: key.origin))
declare(
    "kms:MultiRegion", _make_key_reader(lambda key: key.is_multi_region), value_type=ValueType.BOOL
)
declare("kms:MultiRegionKeyType", _make_key_reader(_read_key_type))
declare(
    "kms:ResourceAliases",
    _read_resource_aliases,
    is_multivalued=True,
    is_hidden_from_key_policies=True,
)
declare("aws:ResourceTag/", _read_resource_tags, is_hidden_from_key_policies=True)
declare("aws:ResourceAccount", lambda facts: facts.account)
declare("aws:ResourceOrgID", of_organization(lambda f: f.account, read_organization_id))
declare(
    "aws:ResourceOrgPaths",
    of_organization(lambda facts: facts.account, read_organization_paths),
    is_multivalued=True,
)
declare(
    "kms:TrailingDaysWithoutKeyUsage",
    _count_idle_days,
    only("DisableKey", "ScheduleKeyDeletion"),
    ValueType.NUMERIC,
)
declare("kms:RequestAlias", lambda facts: facts.alias, _can_name_alias)
