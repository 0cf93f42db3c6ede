"""The alias operations. Source: AWS KMS Developer Guide, "Aliases in AWS KMS"."""

from __future__ import annotations

import re
from typing import Any

from kmsmock.aws import arns, errors
from kmsmock.aws.operations import (
    AliasPosition,
    KeyNaming,
    PageSizes,
    per_second,
    read_event,
    write_event,
)
from kmsmock.keys.aws_managed import AWS_MANAGED_KEYS
from kmsmock.keys.key import Key
from kmsmock.keys.states import ANY_STATE, NOT_PENDING_DELETION
from kmsmock.operations.key_lookup import find_alias, find_key_by_id_or_arn
from kmsmock.operations.registry import Call, Locator, Response, Target, operation
from kmsmock.operations.response_members import build_alias_entry, build_page

QUOTA_PER_KEY = 50
NAME = re.compile(r"alias/[a-zA-Z0-9/_-]+")


def _require_customer_alias_name(call: Call) -> str:
    """Return the alias name of the request; raises for names that customers cannot use."""
    name: str = call.parameters["AliasName"]
    if not name.startswith(arns.ALIAS_PREFIX):
        raise errors.ValidationException(
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
            explanation=f"AliasName={_get_meant_name(name)!r} is an alias name.",
        )
    if name == arns.ALIAS_PREFIX:
        raise errors.ValidationException("Invalid identifier")
    if not NAME.fullmatch(name):
        raise errors.ValidationException(f"{name} contains invalid characters for an alias")
    if name.startswith(arns.AWS_ALIAS_PREFIX):
        raise errors.NotAuthorizedException(
            explanation="Names that begin with alias/aws/ are reserved for AWS managed keys."
        )
    return name


def _get_meant_name(text: str) -> str:
    """Return the alias name that a text without the prefix means; it can be an alias ARN."""
    name = text.rpartition(":")[2]
    return name if name.startswith(arns.ALIAS_PREFIX) else f"{arns.ALIAS_PREFIX}{name}"


def _find_target_key(call: Call) -> Key:
    _require_customer_alias_name(call)
    reference: str = call.parameters["TargetKeyId"]
    if reference.startswith(arns.ALIAS_PREFIX) or ":alias/" in reference:
        raise errors.ValidationException(
            "Aliases must refer to keys. Not aliases",
            explanation="TargetKeyId takes the id or the ARN of a key; DescribeKey returns those "
            "that an alias means.",
        )
    return find_key_by_id_or_arn(call, reference)


def _find_aliased_key(call: Call) -> Key:
    alias = find_alias(call, _require_customer_alias_name(call))
    call.alias = alias.name
    return alias.key


_TARGET_KEY = Locator(_find_target_key, KeyNaming.ID_OR_ARN, "TargetKeyId")
_ALIASED_KEY = Locator(_find_aliased_key, KeyNaming.OWN_ALIAS, "AliasName")


def require_alias_quota(key: Key) -> None:
    """Require that the key can have another alias (LimitExceededException)."""
    count = len(key.aliases)
    if count >= QUOTA_PER_KEY:
        raise errors.LimitExceededException(
            f"Aliases per key quota for this account in this region is {QUOTA_PER_KEY}, current "
            f"usage is {count}."
        )


def _build_alias_arn(call: Call) -> str:
    name = call.parameters["AliasName"]
    return arns.alias_arn(call.region.name, call.region.account, name)


@operation(
    "CreateAlias",
    Target("kms:CreateAlias", resource=_build_alias_arn),
    Target("kms:CreateAlias", _TARGET_KEY, NOT_PENDING_DELETION),
    trail=write_event("AliasName", "TargetKeyId", alias_position=AliasPosition.LAST),
    quota=per_second(5),
)
def create_alias(call: Call, key: Key) -> None:
    """Create an alias for a key."""
    name = call.parameters["AliasName"]
    existing = call.region.aliases.get(name)
    if existing is not None:
        raise errors.AlreadyExistsException(
            f"An alias with the name {existing.arn} already exists",
            explanation=f"Its key is {existing.key.key_id}; UpdateAlias changes the key.",
        )
    require_alias_quota(key)
    call.region.add_alias(name, key, call.now)
    call.alias = name


@operation(
    "UpdateAlias",
    Target("kms:UpdateAlias", resource=_build_alias_arn),
    Target("kms:UpdateAlias", _ALIASED_KEY, ANY_STATE),
    Target("kms:UpdateAlias", _TARGET_KEY, NOT_PENDING_DELETION),
    trail=write_event("AliasName", "TargetKeyId", alias_position=AliasPosition.FIRST),
    quota=per_second(5),
)
def update_alias(call: Call, old: Key, new: Key) -> None:
    """Associate an alias with another key of the same type and usage."""
    name = call.parameters["AliasName"]
    if old.usage is not new.usage:
        raise errors.ValidationException(
            f"Alias {name} cannot be changed from a CMK with key usage {old.usage.value} to a CMK "
            f"with key usage {new.usage.value}. The key usage of the current CMK and the new CMK "
            "must be the same."
        )
    if old.spec.is_asymmetric is not new.spec.is_asymmetric:
        raise errors.ValidationException.in_own_words(
            f"Alias {name} cannot be changed from a CMK with key spec {old.spec.name} to a CMK "
            f"with key spec {new.spec.name}. The current CMK and the new CMK must be of the same "
            "type."
        )
    if old is not new:
        require_alias_quota(new)
    call.region.retarget_alias(call.region.aliases[name], new, call.now)


@operation(
    "DeleteAlias",
    Target("kms:DeleteAlias", resource=_build_alias_arn),
    Target("kms:DeleteAlias", _ALIASED_KEY, ANY_STATE),
    trail=write_event("AliasName", alias_position=AliasPosition.FIRST),
    quota=per_second(15),
)
def delete_alias(call: Call, key: Key) -> None:
    """Delete an alias; the key stays."""
    call.region.remove_alias(call.region.aliases[call.parameters["AliasName"]])


@operation(
    "ListAliases",
    Target("kms:ListAliases"),
    trail=read_event("KeyId", "Limit", "Marker"),
    quota=per_second(500),
    pages=PageSizes(50, 100),
)
def list_aliases(call: Call) -> Response:
    """List the aliases of the account in the Region, or of one key.

    The predefined aliases of AWS managed keys that do not exist yet come last, without a key.
    """
    reference = call.parameters.get("KeyId")
    if reference is not None:
        key = find_key_by_id_or_arn(call, reference)
        own = sorted((call.region.aliases[n] for n in key.aliases), key=lambda a: a.sequence)
        return build_page(call, "Aliases", own, build_alias_entry)
    return build_page(call, "Aliases", _list_all(call), _make_entry_formatter(call))


class _UnusedPredefinedAlias:
    """A predefined alias of an AWS managed key that does not exist yet; sorted after all others."""

    __slots__ = ("name", "sequence")

    def __init__(self, name: str, position: int) -> None:
        self.name = name
        self.sequence = 2**62 + position


def _list_all(call: Call) -> list[Any]:
    aliases = call.region.aliases
    unused = (
        _UnusedPredefinedAlias(name, position)
        for position, name in enumerate(AWS_MANAGED_KEYS)
        if name not in aliases
    )
    return [*aliases.values(), *unused]


def _make_entry_formatter(call: Call) -> Any:
    def format_entry(alias: Any) -> dict[str, Any]:
        if isinstance(alias, _UnusedPredefinedAlias):
            arn = arns.alias_arn(call.region.name, call.region.account, alias.name)
            return {"AliasName": alias.name, "AliasArn": arn}
        return build_alias_entry(alias)

    return format_entry
