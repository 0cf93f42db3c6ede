"""Find the keys that a call is about, by the names of the caller of `kms.explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kmsmock.aws.arns import ALIAS_PREFIX, Arn, resource_of
from kmsmock.aws.operations import OPERATION_FACTS, KeyNaming, Permission
from kmsmock.crypto import ciphertext
from kmsmock.crypto.errors import DecryptionFailed
from kmsmock.keys.key import Key
from kmsmock.misuse.suggestions import did_you_mean
from kmsmock.operations.registry import is_decided_on_alias, is_key_level
from kmsmock.state.backend import Backend


class NamedKey(NamedTuple):
    """A key that a call is about; None if there is none. alias: by which the call names it."""

    key: Key | None
    alias: str | None = None


class Names(NamedTuple):
    """What names the keys of a call.

    action: such as ``kms:Decrypt``. account, region: of the caller. key: a key id, key ARN, alias
    name or alias ARN; None if only the parameters name it. parameters: of the call.
    """

    action: str
    account: str
    region: str
    key: str | None
    parameters: Mapping[str, Any]


def find_keys(backend: Backend, names: Names) -> list[NamedKey]:
    """Find the keys that a call is about: for most actions, it is one.

    Raises ValueError for a name without a key, for names of different keys, and if the action is
    about a key, an alias or a grant, but nothing names it.
    """
    action = names.action
    given = [] if names.key is None else [_find_named(backend, names, names.key)]
    if not is_key_level(action):
        return given or [NamedKey(None)]
    permissions = _key_permissions(action)
    # First what the parameters name: they tell whether the call names the key by an alias.
    keys = [found for p in permissions for found in _find_by_member(backend, names, p)]
    keys += given
    keys += [found for p in permissions for found in _find_by_ciphertext(backend, names, p, keys)]
    if not keys:
        raise ValueError(f"{action} is about a key: {_how_to_name(permissions)}")
    _require_alias_and_grant(names, keys[0].key)
    distinct: dict[str, NamedKey] = {}
    for named in keys:
        if named.key is not None:
            distinct.setdefault(named.key.arn, named)
    # UpdateAlias is about the present key of the alias, and about the next one.
    if len(distinct) > 1 and len(permissions) == 1:
        raise ValueError(f"{action} is about one key, but these are named: {', '.join(distinct)}")
    return list(distinct.values())


def _key_permissions(action: str) -> list[Permission]:
    """Return the different permissions for an action on keys that requests name."""
    found = (p for facts in OPERATION_FACTS.values() for p in facts.key_permissions)
    wanted = (p for p in found if p.action == action and p.naming is not KeyNaming.RELATED_KEY)
    return list(dict.fromkeys(wanted))


def _find_by_member(backend: Backend, names: Names, permission: Permission) -> Iterator[NamedKey]:
    """Yield the key that a parameter names, or that a grant token is about."""
    token = names.parameters.get("GrantToken")
    if permission.naming is KeyNaming.GRANT and token is not None:
        grant = backend.get_grant(names.region, token)
        if grant is None:
            raise ValueError(f"parameters['GrantToken'] is of no grant in {names.region}")
        yield _find_named(backend, names, grant.key_arn)
    reference = names.parameters.get(permission.key_member or "")
    if reference is not None:
        yield _find_named(backend, names, reference)


def _find_by_ciphertext(
    backend: Backend, names: Names, permission: Permission, keys: list[NamedKey]
) -> Iterator[NamedKey]:
    """Yield the key of a symmetric ciphertext. keys: those that are known otherwise."""
    blob = names.parameters.get("CiphertextBlob")
    if permission.naming is not KeyNaming.CIPHERTEXT or blob is None:
        return
    regions = {named.key.region_name for named in keys if named.key is not None} or {names.region}
    try:
        material_id = ciphertext.parse(blob).material_id
    except DecryptionFailed:
        material_id = b""
    region = next(backend.regions_named(regions.pop()), None)
    key = None if region is None else region.materials.get(material_id)
    if key is not None:
        yield NamedKey(key)
    elif not keys:
        raise ValueError(
            f"parameters['CiphertextBlob'] was made by no symmetric key in {names.region}; "
            f"{_how_to_name([permission])}"
        )


def _find_named(backend: Backend, names: Names, reference: str) -> NamedKey:
    name = resource_of(reference)
    alias = name if name.startswith(ALIAS_PREFIX) else None
    return NamedKey(_find_key(backend, reference, names.account, names.region), alias)


def _require_alias_and_grant(names: Names, key: Key | None) -> None:
    """Require a name of the alias or grant that an action is about as well (ValueError)."""
    action, parameters = names.action, names.parameters
    named_by_alias = resource_of(names.key or "").startswith(ALIAS_PREFIX)
    if is_decided_on_alias(action) and not named_by_alias and "AliasName" not in parameters:
        raise ValueError(f"{action} is about an alias, too: pass parameters with AliasName")
    if action != "kms:RetireGrant" or "GrantToken" in parameters or key is None:
        return
    grant_id = parameters.get("GrantId")
    if grant_id is None:
        raise ValueError(f"{action} is about a grant: pass parameters with GrantToken or GrantId")
    if key.grants.get(grant_id) is None:
        raise ValueError(f"{key.arn} has no grant {grant_id!r}")


def _how_to_name(permissions: list[Permission]) -> str:
    """Return how to name the key of an action, for the end of an error message."""
    members = []
    for permission in permissions:
        members.append(permission.key_member or "")
        members += ["CiphertextBlob"] if permission.naming is KeyNaming.CIPHERTEXT else []
        members += ["GrantToken"] if permission.naming is KeyNaming.GRANT else []
    return "pass key" + (f", or parameters with {' or '.join(members)}" if members else "")


def _find_key(backend: Backend, reference: str, account: str, region: str) -> Key:
    """Find a key by id, ARN, alias name or alias ARN; raises ValueError if it does not exist."""
    name = reference
    arn = Arn.parse(reference)
    if arn is not None:
        account, region = arn.account, arn.region
        name = arn.key_or_alias or reference
    key = backend.region(account, region).get(name)
    if key is None:
        hint = _find_elsewhere(backend, name, account, region)
        raise ValueError(f"account {account} has no key {reference!r} in {region}{hint}")
    return key


def _find_elsewhere(backend: Backend, name: str, account: str, region: str) -> str:
    """Return where a key is that is not in an account and Region, for the end of an error."""
    for other in backend.regions.values():
        if other.get(name) is not None:
            return f"; account {other.account} has it in {other.name}: name it by its ARN"
    known = backend.region(account, region)
    return did_you_mean(name, known.aliases) or did_you_mean(name, known.keys)
