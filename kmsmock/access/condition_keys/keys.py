"""Condition keys about the KMS key that a request uses or creates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kmsmock.access.condition_keys.registry import (
    Reader,
    declare,
    of_organization,
    only,
    organization_id,
    organization_paths,
)
from kmsmock.access.facts import Facts, KeyAttributes
from kmsmock.aws.condition_keys import ValueType
from kmsmock.aws.operations import permission_of

#: kms:ResourceAliases is absent for a key with more aliases than the quota.
_MOST_ALIASES = 50


def _by_alias(action: str) -> bool:
    return permission_of(action).takes_alias


def _of_key(read: Callable[[KeyAttributes], Any]) -> Reader:
    def read_key(facts: Facts) -> Any:
        attributes = facts.key_attributes()
        return None if attributes is None else read(attributes)

    return read_key


def _key_type(key: KeyAttributes) -> str | None:
    if not key.is_multi_region:
        return None
    return "REPLICA" if key.is_replica else "PRIMARY"


def _resource_aliases(facts: Facts) -> list[str] | None:
    names = [] if facts.key is None else list(facts.key.aliases)
    return names if 0 < len(names) <= _MOST_ALIASES else None


def _resource_tags(facts: Facts) -> Mapping[str, str]:
    return {} if facts.key is None else facts.key.tags


def _idle_days(facts: Facts) -> int | None:
    key, now = facts.key, facts.now
    if key is None or now is None:
        return None
    used = key.last_usage.at if key.last_usage is not None else key.creation_date
    return (now - used).days


for _name in ("kms:KeySpec", "kms:CustomerMasterKeySpec"):
    declare(_name, _of_key(lambda key: key.spec))
for _name in ("kms:KeyUsage", "kms:CustomerMasterKeyUsage"):
    declare(_name, _of_key(lambda key: key.usage))
declare("kms:KeyOrigin", _of_key(lambda key: key.origin))
declare("kms:MultiRegion", _of_key(lambda key: key.is_multi_region), value_type=ValueType.BOOL)
declare("kms:MultiRegionKeyType", _of_key(_key_type))
declare(
    "kms:ResourceAliases",
    _resource_aliases,
    is_multivalued=True,
    is_hidden_from_key_policies=True,
)
declare("aws:ResourceTag/", _resource_tags, is_hidden_from_key_policies=True)
declare("aws:ResourceAccount", lambda facts: facts.account)
declare("aws:ResourceOrgID", of_organization(lambda f: f.account, organization_id))
declare(
    "aws:ResourceOrgPaths",
    of_organization(lambda facts: facts.account, organization_paths),
    is_multivalued=True,
)
declare(
    "kms:TrailingDaysWithoutKeyUsage",
    _idle_days,
    only("DisableKey", "ScheduleKeyDeletion"),
    ValueType.NUMERIC,
)
declare("kms:RequestAlias", lambda facts: facts.alias, _by_alias)
