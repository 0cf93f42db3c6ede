"""Aliases: names for keys. Source: AWS KMS Developer Guide, "Aliases in AWS KMS"."""

from __future__ import annotations

import re
from typing import Any

from kmsmock.aws import arns, errors
from kmsmock.aws.operations import AliasPlace, KeyNaming, PageSizes, per_second, reads, writes
from kmsmock.keys.aws_managed import AWS_MANAGED_KEYS
from kmsmock.keys.key import Key
from kmsmock.operations.locating import find_alias, find_key_only
from kmsmock.operations.registry import (
    ANY_STATE,
    NOT_PENDING_DELETION,
    Call,
    Locator,
    Response,
    Target,
    operation,
)
from kmsmock.operations.views import alias_entry, page

QUOTA_PER_KEY = 50
NAME = re.compile(r"alias/[a-zA-Z0-9/_-]+")


def _require_own_name(call: Call) -> str:
    """Give the alias name of the request; raises for names that a customer cannot have."""
    name: str = call.parameters["AliasName"]
    if not name.startswith(arns.ALIAS_PREFIX):
        raise errors.ValidationException(
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if name == arns.ALIAS_PREFIX:
        raise errors.ValidationException("Invalid identifier")
    if not NAME.fullmatch(name):
        raise errors.ValidationException(f"{name} contains invalid characters for an alias")
    if name.startswith(arns.AWS_ALIAS_PREFIX):
        raise errors.NotAuthorizedException(
            explanation="Names under alias/aws/ are kept for AWS managed keys."
        )
    return name


def _target_key(call: Call) -> Key:
    _require_own_name(call)
    reference: str = call.parameters["TargetKeyId"]
    if reference.startswith(arns.ALIAS_PREFIX) or ":alias/" in reference:
        raise errors.ValidationException("Aliases must refer to keys. Not aliases")
    return find_key_only(call, reference)


def _aliased_key(call: Call) -> Key:
    alias = find_alias(call, _require_own_name(call))
    call.alias = alias.name
    return alias.key


_TARGET_KEY = Locator(_target_key, KeyNaming.ID_OR_ARN, "TargetKeyId")
_ALIASED_KEY = Locator(_aliased_key, KeyNaming.OWN_ALIAS, "AliasName")


def require_quota(key: Key) -> None:
    """Refuse another alias above the quota (LimitExceededException)."""
    count = len(key.aliases)
    if count >= QUOTA_PER_KEY:
        raise errors.LimitExceededException(
            f"Aliases per key quota for this account in this region is {QUOTA_PER_KEY}, current "
            f"usage is {count}."
        )


def _alias_arn(call: Call) -> str:
    name = call.parameters["AliasName"]
    return arns.alias_arn(call.region.name, call.region.account, name)


@operation(
    "CreateAlias",
    Target("kms:CreateAlias", resource=_alias_arn),
    Target("kms:CreateAlias", _TARGET_KEY, NOT_PENDING_DELETION),
    trail=writes("AliasName", "TargetKeyId", alias_place=AliasPlace.LAST),
    quota=per_second(5),
)
def create_alias(call: Call, key: Key) -> None:
    """Give a key a name that is not taken."""
    name = call.parameters["AliasName"]
    taken = call.region.aliases.get(name)
    if taken is not None:
        raise errors.AlreadyExistsException(
            f"An alias with the name {taken.arn} already exists",
            explanation=f"It means key {taken.key.key_id}; UpdateAlias lets it mean another.",
        )
    require_quota(key)
    call.region.add_alias(name, key, call.now)
    call.alias = name


@operation(
    "UpdateAlias",
    Target("kms:UpdateAlias", resource=_alias_arn),
    Target("kms:UpdateAlias", _ALIASED_KEY, ANY_STATE),
    Target("kms:UpdateAlias", _TARGET_KEY, NOT_PENDING_DELETION),
    trail=writes("AliasName", "TargetKeyId", alias_place=AliasPlace.FIRST),
    quota=per_second(5),
)
def update_alias(call: Call, old: Key, new: Key) -> None:
    """Let a name mean another key of the same type and usage."""
    name = call.parameters["AliasName"]
    if old.usage is not new.usage:
        raise errors.ValidationException(
            f"Alias {name} cannot be changed from a CMK with key usage {old.usage.value} to a CMK "
            f"with key usage {new.usage.value}. The key usage of the current CMK and the new CMK "
            "must be the same."
        )
    if old.spec.is_asymmetric is not new.spec.is_asymmetric:
        raise errors.ValidationException(
            f"Alias {name} cannot be changed from a CMK with key spec {old.spec.name} to a CMK "
            f"with key spec {new.spec.name}. The current CMK and the new CMK must be of the same "
            "type."
        )
    if old is not new:
        require_quota(new)
    call.region.retarget_alias(call.region.aliases[name], new, call.now)


@operation(
    "DeleteAlias",
    Target("kms:DeleteAlias", resource=_alias_arn),
    Target("kms:DeleteAlias", _ALIASED_KEY, ANY_STATE),
    trail=writes("AliasName", alias_place=AliasPlace.FIRST),
    quota=per_second(15),
)
def delete_alias(call: Call, key: Key) -> None:
    """Forget a name; the key stays."""
    call.region.remove_alias(call.region.aliases[call.parameters["AliasName"]])


@operation(
    "ListAliases",
    Target("kms:ListAliases"),
    trail=reads("KeyId", "Limit", "Marker"),
    quota=per_second(500),
    pages=PageSizes(50, 100),
)
def list_aliases(call: Call) -> Response:
    """List the names of the account in the Region, or of one key.

    The predefined names of AWS managed keys that do not exist yet come last, without a key.
    """
    reference = call.parameters.get("KeyId")
    if reference is not None:
        key = find_key_only(call, reference)
        own = sorted((call.region.aliases[n] for n in key.aliases), key=lambda a: a.sequence)
        return page(call, "Aliases", own, alias_entry)
    return page(call, "Aliases", _with_predefined(call), _show(call))


class _Predefined:
    """A predefined alias without a key; it sorts behind all others."""

    __slots__ = ("name", "sequence")

    def __init__(self, name: str, place: int) -> None:
        self.name = name
        self.sequence = 2**62 + place


def _with_predefined(call: Call) -> Any:
    yield from call.region.aliases.values()
    for place, name in enumerate(AWS_MANAGED_KEYS):
        if name not in call.region.aliases:
            yield _Predefined(name, place)


def _show(call: Call) -> Any:
    def show(alias: Any) -> dict[str, Any]:
        if isinstance(alias, _Predefined):
            arn = arns.alias_arn(call.region.name, call.region.account, alias.name)
            return {"AliasName": alias.name, "AliasArn": arn}
        return alias_entry(alias)

    return show
