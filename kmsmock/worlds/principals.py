"""Load users, roles, groups, managed policies and organizations of a world."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sized
from datetime import datetime
from functools import partial
from typing import Any

from kmsmock.authorization.policy import Policy
from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.aws.arns import iam_arn, looks_like_arn
from kmsmock.aws.policy_limits import (
    ATTACHED_POLICIES,
    BOUNDARY,
    INLINE_POLICIES,
    MANAGED_POLICY,
    ORGANIZATION_LEVELS,
    POLICY_VERSIONS,
    TRUST_POLICY,
    CountLimit,
)
from kmsmock.aws.principals import PrincipalKind
from kmsmock.aws.regions import REGIONS
from kmsmock.identities import iam_names
from kmsmock.identities.credentials import Credentials
from kmsmock.identities.entities import (
    Entity,
    Group,
    Identity,
    ManagedPolicy,
    Organization,
    PolicyVersion,
)
from kmsmock.identities.iam_names import GROUPS_PER_USER, KEYS_PER_USER, NameLimits
from kmsmock.identities.policy_arguments import require_level
from kmsmock.misuse.values import quote
from kmsmock.state.backend import Backend
from kmsmock.worlds.errors import Within, WorldError, describe_value
from kmsmock.worlds.keys import account_id
from kmsmock.worlds.principal_writer import KINDS, is_untouched
from kmsmock.worlds.reading import (
    Object,
    Reader,
    flag,
    list_of,
    one_of,
    policy,
    text,
    texts,
    time,
    whole_number,
)


class PrincipalLoader:
    """Loads the principals of a document. account: of those without this member."""

    def __init__(self, backend: Backend, account: str, now: datetime) -> None:
        self._backend = backend
        self._identities = backend.identities
        self._account = account
        self._now = now
        self._trusts: list[tuple[Entity, Policy, dict[str, str] | None]] = []
        #: Account and partition -> its groups, by name.
        self._groups: dict[tuple[str, str], dict[str, Group]] = {}

    def load(self, document: Object) -> None:
        """Load all of them. Raises WorldError."""
        document.each("policies", self._managed)
        document.each("groups", self._group)
        for name, kind in KINDS.items():
            document.get(name, list_of(self._entity_of(kind)))
        # Trust policies can name any principal, so they come after all of them.
        for role, trust, ids in self._trusts:
            self._identities.set_trust(role, trust)
            role.trust_ids = role.trust_ids if ids is None else ids
        document.get("organizations", self._organizations)

    def _read_names(self, item: Object, limits: NameLimits) -> tuple[str, str, str, str]:
        """Read name, account, partition and path. limits: of the name."""
        return (
            item.require("name", _name_within(limits)),
            item.get("account", account_id) or self._account,
            item.get("partition", one_of(REGIONS)) or self._identities.partition,
            item.get("path", _path) or "/",
        )

    def _managed(self, value: Any) -> None:
        item = Object(value)
        name, account, partition, path = self._read_names(item, iam_names.POLICY_NAME)
        arn = iam_arn(partition, account, f"policy{path}{name}")
        if self._identities.managed.get(arn) is not None:
            raise WorldError(f"there is a policy {arn}")
        made = ManagedPolicy(
            arn,
            name,
            path,
            item.get("id", text) or self._identities.credentials.new_id("ANPA"),
            item.get("created", time) or self._now,
            item.get("description", text) or "",
            item.get("tags", _tags) or {},
        )
        single = item.get("document", policy(PolicyKind.IDENTITY, arn, MANAGED_POLICY))
        if single is not None:
            made.add_version(single.text, made.created, is_default=True)
        versions = item.get("versions", _versions(made))
        if (single is None) is not bool(versions):
            raise WorldError("it has a 'document', or 'versions'")
        made.versions.update(versions or {})
        newest = max(int(name.removeprefix("v")) for name in made.versions)
        made.default = item.get("default", one_of(made.versions)) or f"v{newest}"
        made.versions_made = item.get("versions_made", whole_number(newest, 10**6)) or newest
        made.updated = item.get("updated", time) or made.created
        item.end()
        self._identities.managed.add(made)

    def _group(self, value: Any) -> None:
        item = Object({"name": value} if isinstance(value, str) else value)
        name, account, partition, path = self._read_names(item, iam_names.GROUP_NAME)
        arn = iam_arn(partition, account, f"group{path}{name}")
        if arn in self._identities.groups:
            raise WorldError(f"there is a group {arn}")
        unique_id = item.get("id", text) or self._identities.credentials.new_id("AGPA")
        group = Group(arn, name, path, unique_id, item.get("created", time) or self._now)
        self._load_policies(item, group)
        item.end()
        self._identities.add_group(group)

    def _entity_of(self, kind: PrincipalKind) -> Reader[None]:
        def read(value: Any) -> None:
            self._entity(Object({"name": value} if isinstance(value, str) else value), kind)

        return read

    def _entity(self, item: Object, kind: PrincipalKind) -> None:
        identities = self._identities
        name, account, partition, path = self._read_names(item, iam_names.NAME_LIMITS[kind])
        known = identities.named(kind, account, name, partition)
        if known is not None and not is_untouched(known, self._backend):
            raise WorldError(f"there is {known.arn}")
        entity = known or identities.get_or_create_entity(kind, account, name, path, partition)
        unique_id = item.get("id", text)
        if unique_id is not None:
            identities.replace_id(entity, unique_id)
        entity.created = item.get("created", time) or self._now
        self._load_policies(item, entity)
        find = partial(self._find_group, account, partition)
        entity.groups.update((group.arn, group) for group in item.each("groups", find))
        _require_at_most(GROUPS_PER_USER, entity.groups, "groups")
        entity.tags = item.get("tags", _tags) or {}
        entity.description = item.get("description", text) or ""
        if kind is PrincipalKind.ASSUMED_ROLE:
            trust = item.get("trust", policy(PolicyKind.TRUST, entity.arn, TRUST_POLICY))
            ids = item.get("trust_ids", texts)
            entity.longest_session = item.get("longest_session", whole_number(3600, 43200)) or 3600
            if trust is not None:
                self._trusts.append((entity, trust, ids))
        entity.set_boundary(item.get("boundary", self._boundary))
        entity.update_policies()
        if kind is PrincipalKind.USER:
            keys = item.each("access_keys", self._access_key_of(account, name, partition))
            _require_at_most(KEYS_PER_USER, keys, "access_keys")
        item.end()

    def _load_policies(self, item: Object, identity: Identity) -> None:
        inline = item.get("policies", _inline)
        if inline is not None:
            with Within("policies"):
                texts_of_policies = (one.text for one in inline.values())
                INLINE_POLICIES[identity.word].require(*texts_of_policies)
            identity.inline = inline
        attached = item.get("attached", list_of(self._find_policy))
        if attached is not None:
            identity.attached = {managed.arn: managed for managed in attached}
            with Within("attached"):
                ATTACHED_POLICIES[identity.word].require(len(identity.attached))

    def _find_policy(self, value: Any) -> ManagedPolicy:
        managed = self._identities.managed.get(text(value))
        if managed is None:
            raise WorldError(f"there is no managed policy {quote(value)}")
        return managed

    def _find_group(self, account: str, partition: str, value: Any) -> Group:
        owner = (account, partition)
        if owner not in self._groups:  # all groups are there before the first user
            groups = self._identities.groups_of(account, partition)
            self._groups[owner] = {group.name: group for group in groups}
        group = self._groups[owner].get(text(value))
        if group is not None:
            return group
        raise WorldError(f"there is no group {quote(value)} in {account}")

    def _boundary(self, value: Any) -> Policy | ManagedPolicy:
        if isinstance(value, str) and looks_like_arn(value):
            return self._find_policy(value)
        made: Policy = policy(PolicyKind.BOUNDARY, limit=BOUNDARY)(value)
        return made

    def _access_key_of(self, account: str, name: str, partition: str) -> Reader[None]:
        owner = self._identities.user(account, name, partition=partition)
        store = self._identities.credentials

        def read(value: Any) -> None:
            item = Object(value)
            secret = item.get("secret", text) or store.new_secret_key()
            credentials = Credentials.of(item.require("id", text), secret)
            if store.get_owner(credentials.access_key) is not None:
                raise WorldError(f"there is an access key {credentials.access_key}")
            key = store.add_key(owner, credentials, item.get("created", time) or self._now)
            if item.get("active", flag) is False:
                store.set_active(key, is_active=False)
            item.end()

        return read

    def _organizations(self, value: Any) -> None:
        for account, member in Object(value).members.items():
            with Within(str(account)):
                account_id(account)
                item = Object(member)
                levels = (
                    item.each(name, _level(kind))
                    for name, kind in (
                        ("service_control", PolicyKind.SERVICE_CONTROL),
                        ("resource_control", PolicyKind.RESOURCE_CONTROL),
                    )
                )
                service, resource = (tuple(map(tuple, level)) for level in levels)
                ORGANIZATION_LEVELS.require(max(len(service), len(resource)))
                organization = Organization(
                    item.get("id", text), service, resource, item.get("path", text)
                )
                item.end()
                self._identities.set_organization(account, organization)


def _name_within(limits: NameLimits) -> Reader[str]:
    def read(value: Any) -> str:
        name = text(value)
        if not iam_names.VALID_NAME.fullmatch(name) or len(name) > limits.high:
            raise WorldError(
                f"must be letters, digits and +=,.@_-, at most {limits.high}, "
                f"not {describe_value(value)}"
            )
        return name

    return read


def _path(value: Any) -> str:
    if not iam_names.is_path(text(value)):
        raise WorldError(f"must be / or begin and end with it, not {describe_value(value)}")
    return str(value)


def _tags(value: Any) -> dict[str, str]:
    tags = texts(value)
    try:
        return iam_names.require_tags(tags)
    except ValueError as reason:
        raise WorldError(str(reason)) from None


def _require_at_most(limit: CountLimit, items: Sized, member: str) -> None:
    with Within(member):
        limit.require(len(items))


def _level(kind: PolicyKind) -> Reader[list[Policy]]:
    """Return a reader of the policies of a level of an organization."""

    def read(value: Any) -> list[Policy]:
        policies: list[Policy] = list_of(policy(kind))(value)
        require_level(value, kind)
        return policies

    return read


def _inline(value: Any) -> dict[str, Policy]:
    """Read inline policies: name -> policy, or a list of policies."""
    if isinstance(value, (list, tuple)):
        value = {f"policy {number}": one for number, one in enumerate(value, 1)}
    if not isinstance(value, Mapping):
        raise WorldError(
            f"must be policies by name, or a list of them, not {describe_value(value)}"
        )
    policies = {}
    for name, one in value.items():
        with Within(name):
            policies[name] = policy(PolicyKind.IDENTITY, name)(one)
    return policies


def _versions(managed: ManagedPolicy) -> Reader[dict[str, PolicyVersion]]:
    def read(value: Any) -> dict[str, PolicyVersion]:
        versions = {}
        for name, member in Object(value).members.items():
            with Within(name):
                if not re.fullmatch(r"v[1-9][0-9]{0,5}", text(name)):
                    raise WorldError(f"must be a version such as v1, not {describe_value(name)}")
                item = Object(member)
                read_document = policy(PolicyKind.IDENTITY, managed.arn, MANAGED_POLICY)
                document = item.require("document", read_document)
                created = item.get("created", time) or managed.created
                item.end()
                versions[name] = PolicyVersion(name, document, created)
        POLICY_VERSIONS.require(len(versions))
        return versions

    return read
