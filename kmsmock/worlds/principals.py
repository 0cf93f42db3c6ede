"""Users, roles, groups, managed policies and organizations in a document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.arns import Arn
from kmsmock.authorization.policy import Policy, PolicyKind
from kmsmock.backend import Backend
from kmsmock.identities.credentials import Credentials
from kmsmock.identities.directory import ADMINISTRATOR
from kmsmock.identities.entities import Entity, Group, Identity, ManagedPolicy, Organization
from kmsmock.principals import PrincipalKind
from kmsmock.worlds.errors import At, WorldError, shown
from kmsmock.worlds.keys import account_id
from kmsmock.worlds.reading import (
    Object,
    Read,
    flag,
    list_of,
    policy,
    shown_time,
    text,
    texts,
    time,
    whole,
)

_KINDS = {"users": PrincipalKind.USER, "roles": PrincipalKind.ASSUMED_ROLE}


# --- writing ------------------------------------------------------------------------------------


def written_principals(backend: Backend) -> dict[str, Any]:
    """Write what IAM and Organizations hold."""
    identities = backend.identities
    of_kind = {
        name: [
            _written_entity(entity, backend)
            for entity in identities.entities.values()
            if entity.kind is kind and not _is_untouched(entity)
        ]
        for name, kind in _KINDS.items()
    }
    return {
        "policies": [_written_managed(one) for one in identities.managed.of_customers()],
        "groups": [_written_identity(group) for group in identities.groups.values()],
        **of_kind,
        "organizations": {
            account: _written_organization(one) for account, one in identities.organizations.items()
        },
    }


def _is_untouched(entity: Entity) -> bool:
    """Tell whether this is an administrator as each account has one."""
    return entity.name == ADMINISTRATOR and not (
        entity.inline or entity.tags or entity.groups or entity.boundary
    )


def _written_identity(identity: Identity) -> dict[str, Any]:
    arn = Arn.parse(identity.arn)
    assert arn is not None
    return {
        "name": identity.name,
        "account": arn.account,
        "partition": None if arn.partition == "aws" else arn.partition,
        "path": None if identity.path == "/" else identity.path,
        "id": identity.unique_id,
        "created": shown_time(identity.created),
        "policies": {name: one.document for name, one in identity.inline.items()} or None,
        "attached": list(identity.attached) or None,
    }


def _written_entity(entity: Entity, backend: Backend) -> dict[str, Any]:
    boundary = entity.boundary_policy
    own = entity.boundary
    keys = [
        {
            "id": key.credentials.access_key,
            "secret": key.credentials.secret_key,
            "created": shown_time(key.created),
            "active": None if key.is_active else False,
        }
        for key in backend.identities.credentials.keys_of(entity.unique_id)
    ]
    is_role = entity.kind is PrincipalKind.ASSUMED_ROLE
    return {
        **_written_identity(entity),
        "groups": [group.name for group in entity.groups.values()] or None,
        "tags": dict(entity.tags) or None,
        "boundary": boundary.arn if boundary is not None else own and own.document,
        "description": entity.description or None,
        "trust": entity.trust and entity.trust.document,
        "longest_session": entity.longest_session if is_role else None,
        "access_keys": keys or None,
    }


def _written_managed(managed: ManagedPolicy) -> dict[str, Any]:
    arn = Arn.parse(managed.arn)
    assert arn is not None
    return {
        "name": managed.name,
        "account": arn.account,
        "partition": None if arn.partition == "aws" else arn.partition,
        "path": None if managed.path == "/" else managed.path,
        "id": managed.policy_id,
        "created": shown_time(managed.created),
        "description": managed.description or None,
        "tags": dict(managed.tags) or None,
        "default": managed.default,
        "versions_made": managed.versions_made,
        "versions": {
            name: {"document": one.policy.document, "created": shown_time(one.created)}
            for name, one in managed.versions.items()
        },
    }


def _written_organization(organization: Organization) -> dict[str, Any]:
    def levels(given: Iterable[Iterable[Policy]]) -> list[list[Any]] | None:
        return [[one.document for one in level] for level in given] or None

    return {
        "id": organization.organization_id,
        "path": organization.path,
        "service_control": levels(organization.service_control),
        "resource_control": levels(organization.resource_control),
    }


# --- loading ------------------------------------------------------------------------------------


class PrincipalLoader:
    """Makes the principals of a document in a backend. account: of those that do not say."""

    def __init__(self, backend: Backend, account: str, now: datetime) -> None:
        self._identities = backend.identities
        self._account = account
        self._now = now
        self._trusts: list[tuple[Entity, Policy]] = []

    def load(self, document: Object) -> None:
        """Make all of them. Raises WorldError."""
        document.each("policies", self._managed)
        document.each("groups", self._group)
        for name, kind in _KINDS.items():
            document.get(name, list_of(self._entity_of(kind)))
        # Only now is everybody there whom a trust policy may name.
        for role, trust in self._trusts:
            self._identities.set_trust(role, trust)
        document.get("organizations", self._organizations)

    def _place(self, item: Object, default_name: str = "") -> tuple[str, str, str, str]:
        """Give name, account, partition and path."""
        return (
            default_name or item.need("name", text),
            item.get("account", account_id) or self._account,
            item.get("partition", text) or self._identities.partition,
            item.get("path", text) or "/",
        )

    def _managed(self, value: Any) -> None:
        item = Object(value)
        name, account, partition, path = self._place(item)
        arn = f"arn:{partition}:iam::{account}:policy{path}{name}"
        if self._identities.managed.get(arn) is not None:
            raise WorldError(f"there is a policy {arn}")
        made = ManagedPolicy(
            arn,
            name,
            path,
            item.get("id", text) or self._identities.credentials.new_id("ANPA"),
            item.get("created", time) or self._now,
            item.get("description", text) or "",
            item.get("tags", texts) or {},
        )
        single = item.get("document", policy(PolicyKind.IDENTITY, arn))
        if single is not None:
            made.add_version(single.text, made.created, is_default=True)
        versions = item.get("versions", _versions(made))
        if (single is None) is (versions is None):
            raise WorldError("it has a 'document', or 'versions'")
        made.default = item.get("default", text) or made.default
        if made.default not in made.versions:
            raise WorldError(f"'default' must be one of {', '.join(made.versions)}")
        count = item.get("versions_made", whole(1, 10**6))
        made.versions_made = max(made.versions_made, count or 0)
        item.end()
        self._identities.managed.add(made)

    def _group(self, value: Any) -> None:
        item = Object({"name": value} if isinstance(value, str) else value)
        name, account, partition, path = self._place(item)
        arn = f"arn:{partition}:iam::{account}:group{path}{name}"
        if arn in self._identities.groups:
            raise WorldError(f"there is a group {arn}")
        unique_id = item.get("id", text) or self._identities.credentials.new_id("AGPA")
        group = Group(arn, name, path, unique_id, item.get("created", time) or self._now)
        self._load_policies(item, group)
        item.end()
        self._identities.add_group(group)

    def _entity_of(self, kind: PrincipalKind) -> Read[None]:
        def read(value: Any) -> None:
            self._entity(Object({"name": value} if isinstance(value, str) else value), kind)

        return read

    def _entity(self, item: Object, kind: PrincipalKind) -> None:
        identities = self._identities
        name, account, partition, path = self._place(item)
        known = identities.named(kind, account, name, partition)
        if known is not None and not _is_untouched(known):
            raise WorldError(f"there is {known.arn}")
        entity = known or identities.make(kind, account, name, path, partition)
        unique_id = item.get("id", text)
        if unique_id is not None:
            identities.adopt_id(entity, unique_id)
        entity.created = item.get("created", time) or self._now
        self._load_policies(item, entity)
        find = partial(self._found_group, account, partition)
        entity.groups.update((group.arn, group) for group in item.each("groups", find))
        entity.tags = item.get("tags", texts) or {}
        entity.description = item.get("description", text) or ""
        entity.longest_session = item.get("longest_session", whole(3600, 43200)) or 3600
        trust = item.get("trust", policy(PolicyKind.TRUST, entity.arn))
        if trust is not None:
            self._trusts.append((entity, trust))
        entity.set_boundary(item.get("boundary", self._boundary))
        entity.settle()
        if kind is PrincipalKind.USER:
            item.get("access_keys", list_of(self._access_key_of(account, name, partition)))
        item.end()

    def _load_policies(self, item: Object, identity: Identity) -> None:
        given = item.get("policies", _inline)
        if given is not None:
            identity.inline = given
        attached = item.each("attached", self._found_policy)
        identity.attached.update((managed.arn, managed) for managed in attached)

    def _found_policy(self, value: Any) -> ManagedPolicy:
        managed = self._identities.managed.get(text(value))
        if managed is None:
            raise WorldError(f"there is no managed policy {value!r}")
        return managed

    def _found_group(self, account: str, partition: str, value: Any) -> Group:
        for group in self._identities.groups_of(account, partition):
            if group.name == text(value):
                return group
        raise WorldError(f"there is no group {value!r} in {account}")

    def _boundary(self, value: Any) -> Policy | ManagedPolicy:
        if isinstance(value, str) and value.startswith("arn:"):
            return self._found_policy(value)
        made: Policy = policy(PolicyKind.BOUNDARY)(value)
        return made

    def _access_key_of(self, account: str, name: str, partition: str) -> Read[None]:
        owner = self._identities.user(account, name, partition=partition)
        store = self._identities.credentials

        def read(value: Any) -> None:
            item = Object(value)
            given = Credentials(item.need("id", text), item.need("secret", text))
            if store.owner_of(given.access_key) is not None:
                raise WorldError(f"there is an access key {given.access_key}")
            key = store.add_key(owner, given, item.get("created", time) or self._now)
            if item.get("active", flag) is False:
                store.set_active(key, is_active=False)
            item.end()

        return read

    def _organizations(self, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise WorldError(f"must be an object, not {shown(value)}")
        for account, given in value.items():
            with At(account_id(account)):
                item = Object(given)
                levels = (
                    item.each(name, list_of(policy(kind)))
                    for name, kind in (
                        ("service_control", PolicyKind.SERVICE_CONTROL),
                        ("resource_control", PolicyKind.RESOURCE_CONTROL),
                    )
                )
                service, resource = (tuple(map(tuple, level)) for level in levels)
                organization = Organization(
                    item.get("id", text), service, resource, item.get("path", text)
                )
                item.end()
                self._identities.set_organization(account, organization)


def _inline(value: Any) -> dict[str, Policy]:
    """Read inline policies: by name, or a list of them without."""
    if isinstance(value, (list, tuple)):
        value = {f"policy {number}": one for number, one in enumerate(value, 1)}
    if not isinstance(value, Mapping):
        raise WorldError(f"must be policies by name, or a list of them, not {shown(value)}")
    found = {}
    for name, one in value.items():
        with At(name):
            found[name] = policy(PolicyKind.IDENTITY, name)(one)
    return found


def _versions(made: ManagedPolicy) -> Read[bool]:
    def read(value: Any) -> bool:
        if not isinstance(value, Mapping):
            raise WorldError(f"must be versions by id, not {shown(value)}")
        for name, given in value.items():
            with At(name):
                item = Object(given)
                document = item.need("document", policy(PolicyKind.IDENTITY, made.arn))
                created = item.get("created", time) or made.created
                item.end()
                version = made.add_version(document.text, created, is_default=True)
                made.versions[name] = version.__class__(name, version.policy, created)
                if name != version.version_id:
                    del made.versions[version.version_id]
                made.default = name
        return True

    return read
