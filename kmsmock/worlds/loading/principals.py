"""Making the users, roles, groups and managed policies of a world."""

from __future__ import annotations

from collections.abc import Mapping

from kmsmock.authorization.policy import Policy, PolicyKind, parse
from kmsmock.identities import entities
from kmsmock.identities.credentials import Credentials
from kmsmock.identities.directory import ADMINISTRATOR
from kmsmock.principals import PrincipalKind
from kmsmock.worlds.errors import At, WorldError
from kmsmock.worlds.format import principals as tables
from kmsmock.worlds.format.world import Account
from kmsmock.worlds.loading.target import Target


def add_principals(target: Target, accounts: Mapping[str, Account]) -> None:
    """Make what IAM has of all accounts, then what names principals of other ones."""
    for account, given in accounts.items():
        with At("accounts", account):
            for place, policy in enumerate(given.managed_policies):
                with At("managed_policies", place):
                    _add_managed_policy(target, account, policy)
            for place, group in enumerate(given.groups):
                with At("groups", place):
                    _add_group(target, account, group)
            for place, user in enumerate(given.users):
                with At("users", place):
                    _add_user(target, account, user)
            for place, role in enumerate(given.roles):
                with At("roles", place):
                    _add_entity(target, account, role, PrincipalKind.ASSUMED_ROLE)
            if given.organization is not None:
                with At("organization"):
                    _join_organization(target, account, given.organization)
    for account, given in accounts.items():
        for role in given.roles:
            _trust(target, account, role)


# --- managed policies and groups --------------------------------------------------------------


def _add_managed_policy(target: Target, account: str, given: tables.ManagedPolicy) -> None:
    arn = _arn(target, account, "policy", given)
    if target.identities.managed.get(arn) is not None:
        raise WorldError(f"{arn} exists already", "name")
    created = given.creation_date or target.now
    managed = entities.ManagedPolicy(
        arn,
        given.name,
        given.path,
        _unique_id(target, given, "ANPA", arn),
        created,
        given.description,
        dict(given.tags),
    )
    for number, version in enumerate(_versions(given), 1):
        version_id = version.id or f"v{number}"
        if version_id in managed.versions:
            raise WorldError(f"{version_id} is there twice", "versions", number - 1, "id")
        managed.versions[version_id] = entities.PolicyVersion(
            version_id,
            parse(version.document, PolicyKind.IDENTITY, arn),
            version.creation_date or created,
        )
    default = given.default_version or list(managed.versions)[-1]
    if default not in managed.versions:
        known = ", ".join(managed.versions)
        raise WorldError(f"there is no version {default}; there are: {known}", "default_version")
    managed.default = default
    highest = max(int(version_id[1:]) for version_id in managed.versions)
    managed.versions_made = max(highest, given.versions_made or 0)
    managed.updated = given.update_date or created
    target.identities.managed.add(managed)


def _versions(given: tables.ManagedPolicy) -> tuple[tables.PolicyVersion, ...]:
    if (given.document is None) is not bool(given.versions):
        raise WorldError("needs either a document, or versions")
    if given.document is not None:
        return (tables.PolicyVersion(document=given.document),)
    return given.versions


def _add_group(target: Target, account: str, given: tables.Group) -> None:
    arn = _arn(target, account, "group", given)
    if any(known.name.lower() == given.name.lower() for known in _groups(target, account, given)):
        raise WorldError(f"a group called {given.name} exists already", "name")
    group = entities.Group(
        arn,
        given.name,
        given.path,
        _unique_id(target, given, "AGPA", arn),
        given.creation_date or target.now,
    )
    _give_policies(target, group, given)
    target.identities.add_group(group)


def _groups(target: Target, account: str, given: tables.Named) -> list[entities.Group]:
    partition = given.partition or target.partition
    return list(target.identities.groups_of(account, partition))


# --- users and roles --------------------------------------------------------------------------


def _add_user(target: Target, account: str, given: tables.User) -> None:
    user = _add_entity(target, account, given, PrincipalKind.USER)
    by_name = {group.name.lower(): group for group in _groups(target, account, given)}
    for place, name in enumerate(given.groups):
        group = by_name.get(name.lower())
        if group is None:
            raise WorldError(f"there is no group {name} in account {account}", "groups", place)
        user.groups[group.arn] = group
    user.settle()
    identities = target.identities
    owner = identities.user(account, given.name, partition=given.partition or target.partition)
    for place, key in enumerate(given.access_keys):
        with At("access_keys", place):
            target.take(key.access_key, f"an access key of {user.arn}", "access_key")
        credentials = Credentials(key.access_key, key.secret_key)
        added = identities.credentials.add_key(
            owner, credentials, key.creation_date or target.now
        )
        if not key.is_active:
            identities.credentials.set_active(added, is_active=False)


def _add_entity(
    target: Target, account: str, given: tables.User | tables.Role, kind: PrincipalKind
) -> entities.Entity:
    partition = given.partition or target.partition
    identities = target.identities
    known = identities.named(kind, account, given.name, partition)
    if known is not None and kind is PrincipalKind.USER and known.name == ADMINISTRATOR:
        return _merge_administrator(target, known, given)
    if known is not None:
        raise WorldError(f"{known.arn} exists already", "name")
    word, prefix = ("user", "AIDA") if kind is PrincipalKind.USER else ("role", "AROA")
    arn = _arn(target, account, word, given)
    unique_id = _unique_id(target, given, prefix, arn)
    created = given.creation_date or target.now
    entity = entities.Entity(arn, given.name, given.path, unique_id, created, kind=kind)
    _equip(target, entity, given)
    identities.add_entity(entity, account, partition)
    return entity


def _equip(target: Target, entity: entities.Entity, given: tables.User | tables.Role) -> None:
    _give_policies(target, entity, given)
    entity.tags = dict(given.tags)
    if isinstance(given, tables.Role):
        entity.description = given.description
        entity.longest_session = given.max_session_seconds
    with At("boundary"):
        entity.set_boundary(_boundary(target, given.boundary))


def _boundary(target: Target, given: str | None) -> Policy | entities.ManagedPolicy | None:
    if given is None:
        return None
    if given.startswith("arn:"):
        return _managed(target, given)
    return parse(given, PolicyKind.BOUNDARY, "the permissions boundary")


def _give_policies(target: Target, identity: entities.Identity, given: tables.Group) -> None:
    identity.inline = {
        name: parse(text, PolicyKind.IDENTITY, name) for name, text in given.policies.items()
    }
    identity.attached = {}
    for place, arn in enumerate(given.attached_policies):
        with At("attached_policies", place):
            identity.attached[arn] = _managed(target, arn)


def _managed(target: Target, arn: str) -> entities.ManagedPolicy:
    managed = target.identities.managed.get(arn)
    if managed is None:
        raise WorldError(
            f"there is no managed policy {arn}; of those of AWS a few are known, others belong "
            "into managed_policies of their account"
        )
    return managed


def _merge_administrator(
    target: Target, known: entities.Entity, given: tables.User | tables.Role
) -> entities.Entity:
    """Let the administrator of the file and that of the mock be one.

    As long as nothing has happened here it becomes that of the file, under whose id others may
    name it. Later it stays who it is, and its id in the file means it.
    """
    arn = known.arn
    if is_blank(target):
        if given.id is not None:
            target.identities.adopt_id(known, target.take(given.id, arn, "id"))
        known.created = given.creation_date or known.created
        _equip(target, known, given)
        return known
    own = (dict(given.policies), set(given.attached_policies), given.boundary, dict(given.tags))
    if own != ({}, set(known.attached), None, {}):
        raise WorldError(f"{arn} exists already, and is not the same", "name")
    if given.id is not None:
        target.same_ids[given.id] = known.unique_id
    return known


def is_blank(target: Target) -> bool:
    """Tell whether the mock had nothing but administrators before, whom nobody has used."""
    return "" in target.taken


# --- trust and organizations --------------------------------------------------------------------


def _trust(target: Target, account: str, given: tables.Role) -> None:
    if given.trust is None:
        return
    identities = target.identities
    partition = given.partition or target.partition
    role = identities.named(PrincipalKind.ASSUMED_ROLE, account, given.name, partition)
    assert role is not None
    identities.set_trust(role, parse(given.trust, PolicyKind.TRUST, "the trust policy"))
    if given.trust_ids is not None:
        role.trust_ids = target.meant(given.trust_ids)


def _join_organization(target: Target, account: str, given: tables.Organization) -> None:
    if target.identities.organization_of(account).organization_id is not None:
        raise WorldError(f"account {account} is in an organization already")
    target.identities.set_organization(
        account,
        entities.Organization(
            given.id,
            _levels(given.service_control_policies, PolicyKind.SERVICE_CONTROL),
            _levels(given.resource_control_policies, PolicyKind.RESOURCE_CONTROL),
            None if given.path is None else f"{given.id}/{given.path.strip('/')}/",
        ),
    )


def _levels(
    levels: tuple[tuple[str, ...], ...], kind: PolicyKind
) -> tuple[tuple[Policy, ...], ...]:
    return tuple(tuple(parse(text, kind) for text in level) for level in levels)


# --- names and ids ------------------------------------------------------------------------------


def _arn(target: Target, account: str, word: str, given: tables.Named) -> str:
    partition = given.partition or target.partition
    return f"arn:{partition}:iam::{account}:{word}{given.path}{given.name}"


def _unique_id(target: Target, given: tables.Named, prefix: str, arn: str) -> str:
    if given.id is None:
        return target.identities.credentials.new_id(prefix)
    return target.take(given.id, arn, "id")
