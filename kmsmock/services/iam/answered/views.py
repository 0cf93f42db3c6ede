"""How IAM shows what it has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from dateutil.tz import tzutc

from kmsmock.identities.entities import Entity, Group, Identity, ManagedPolicy, PolicyVersion
from kmsmock.services.registry import ServiceCall


def moment(at: datetime) -> datetime:
    """Return a time as botocore reads it from an answer: whole seconds, UTC."""
    return at.replace(microsecond=0, tzinfo=tzutc())


def user(entity: Entity, *, brief: bool = False) -> dict[str, Any]:
    """Show a user; brief: as in lists."""
    return _identity(entity, "User") | ({} if brief else _details(entity))


def role(entity: Entity, *, brief: bool = False) -> dict[str, Any]:
    """Show a role; brief: as in lists."""
    shown = _identity(entity, "Role")
    if entity.trust is not None:
        shown["AssumeRolePolicyDocument"] = quote(entity.trust.text)
    if entity.description:
        shown["Description"] = entity.description
    shown["MaxSessionDuration"] = entity.longest_session
    return shown | ({} if brief else {**_details(entity), "RoleLastUsed": {}})


def group(shown: Group) -> dict[str, Any]:
    """Show a group."""
    return _identity(shown, "Group")


def _identity(identity: Identity, word: str) -> dict[str, Any]:
    return {
        "Path": identity.path,
        f"{word}Name": identity.name,
        f"{word}Id": identity.unique_id,
        "Arn": identity.arn,
        "CreateDate": moment(identity.created),
    }


def _details(entity: Entity) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if entity.boundary_policy is not None:
        details["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": entity.boundary_policy.arn,
        }
    if entity.tags:
        details["Tags"] = tags(entity.tags)
    return details


def tags(pairs: Mapping[str, str]) -> list[dict[str, str]]:
    """Show tags."""
    return [{"Key": name, "Value": value} for name, value in pairs.items()]


def managed_policy(call: ServiceCall, managed: ManagedPolicy) -> dict[str, Any]:
    """Show a managed policy, without its document."""
    identities = call.identities
    shown: dict[str, Any] = {
        "PolicyName": managed.name,
        "PolicyId": managed.policy_id,
        "Arn": managed.arn,
        "Path": managed.path,
        "DefaultVersionId": managed.default,
        "AttachmentCount": sum(1 for _ in identities.list_attached(managed)),
        "PermissionsBoundaryUsageCount": sum(1 for _ in identities.list_bounded(managed)),
        "IsAttachable": True,
        "CreateDate": moment(managed.created),
        "UpdateDate": moment(managed.updated or managed.created),
    }
    if managed.description:
        shown["Description"] = managed.description
    return shown


def version(
    managed: ManagedPolicy, of: PolicyVersion, *, with_document: bool = False
) -> dict[str, Any]:
    """Show a version of a managed policy."""
    return {
        **({"Document": quote(of.policy.text)} if with_document else {}),
        "VersionId": of.version_id,
        "IsDefaultVersion": of.version_id == managed.default,
        "CreateDate": moment(of.created),
    }
