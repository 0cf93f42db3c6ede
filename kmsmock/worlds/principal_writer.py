"""Write users, roles, groups, managed policies and organizations of a world."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kmsmock.authorization.policy import Policy
from kmsmock.aws.arns import Arn
from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.credentials import AccessKey
from kmsmock.identities.directory import ADMINISTRATOR
from kmsmock.identities.entities import (
    Entity,
    Identity,
    ManagedPolicy,
    Organization,
)
from kmsmock.state.backend import Backend
from kmsmock.worlds.writing import without_none, write_ids, write_policy, write_time

#: Member of a document -> the kind of its items.
KINDS = {"users": PrincipalKind.USER, "roles": PrincipalKind.ASSUMED_ROLE}


def write_principals(backend: Backend, *, secrets: bool) -> dict[str, Any]:
    """Return the members of a document for all that IAM and Organizations contain.

    secrets: whether with secret access keys.
    """
    identities = backend.identities
    keys: dict[str, list[AccessKey]] = {}
    for key in identities.credentials.list_keys():
        keys.setdefault(key.owner.entity_id, []).append(key)
    of_kind = {
        name: [
            _write_entity(entity, backend, keys.get(entity.unique_id, ()), secrets=secrets)
            for entity in identities.entities.values()
            if entity.kind is kind and not is_untouched(entity, backend)
        ]
        for name, kind in KINDS.items()
    }
    return {
        "policies": [_write_managed_policy(one) for one in identities.managed.of_customers()],
        "groups": [_write_identity(group) for group in identities.groups.values()],
        **of_kind,
        "organizations": {
            account: _write_organization(one) for account, one in identities.organizations.items()
        },
    }


def is_untouched(entity: Entity, backend: Backend) -> bool:
    """Return whether this is the default administrator of an account, without changes."""
    credentials = backend.identities.credentials
    return (
        (entity.name, entity.kind) == (ADMINISTRATOR, PrincipalKind.USER)
        and all(policy.is_of_aws for policy in entity.attached.values())
        and len(entity.attached) == 1
        and not any((entity.inline, entity.tags, entity.groups, entity.boundary))
        and not any(credentials.keys_of(entity.unique_id))
    )


def _written_names(named: Identity | ManagedPolicy) -> dict[str, Any]:
    """Return the members that name an identity or policy; None where they are the default."""
    arn = Arn.of(named.arn)
    return {
        "name": named.name,
        "account": arn.account,
        "partition": None if arn.partition == "aws" else arn.partition,
        "path": None if named.path == "/" else named.path,
    }


def _write_identity(identity: Identity) -> dict[str, Any]:
    inline = {name: write_policy(one.text) for name, one in identity.inline.items()}
    return without_none(
        {
            **_written_names(identity),
            "id": identity.unique_id,
            "created": write_time(identity.created),
            "policies": inline or None,
            "attached": list(identity.attached),
        }
    )


def _write_entity(
    entity: Entity, backend: Backend, access_keys: Iterable[AccessKey], *, secrets: bool
) -> dict[str, Any]:
    boundary = entity.boundary_policy
    own = entity.boundary
    keys = [
        {
            "id": key.credentials.access_key,
            **({"secret": key.credentials.secret_key} if secrets else {}),
            "created": write_time(key.created),
            "active": key.is_active,
        }
        for key in access_keys
    ]
    is_role = entity.kind is PrincipalKind.ASSUMED_ROLE
    trust = entity.trust
    current = backend.identities.names.find_ids(trust) if trust is not None else {}
    return {
        **_write_identity(entity),
        **without_none(
            {
                "groups": [group.name for group in entity.groups.values()] or None,
                "tags": dict(entity.tags) or None,
                "boundary": boundary.arn if boundary else own and write_policy(own.text),
                "description": entity.description or None,
                "trust": trust and write_policy(trust.text),
                "trust_ids": write_ids(entity.trust_ids, current),
                "longest_session": entity.longest_session if is_role else None,
                "access_keys": keys or None,
            }
        ),
    }


def _write_managed_policy(managed: ManagedPolicy) -> dict[str, Any]:
    versions = {
        name: {"document": write_policy(one.policy.text), "created": write_time(one.created)}
        for name, one in managed.versions.items()
    }
    return without_none(
        {
            **_written_names(managed),
            "id": managed.policy_id,
            "created": write_time(managed.created),
            "updated": write_time(managed.updated),
            "description": managed.description or None,
            "tags": dict(managed.tags) or None,
            "default": managed.default,
            "versions_made": managed.versions_made,
            "versions": versions,
        }
    )


def _write_organization(organization: Organization) -> dict[str, Any]:
    def write_levels(levels: Iterable[Iterable[Policy]]) -> list[list[Any]] | None:
        return [[write_policy(one.text) for one in level] for level in levels] or None

    return without_none(
        {
            "id": organization.organization_id,
            "path": organization.path,
            "service_control": write_levels(organization.service_control),
            "resource_control": write_levels(organization.resource_control),
        }
    )
