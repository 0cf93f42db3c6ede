"""Users, roles, groups and policies, as the members of IAM's answers describe them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from dateutil.tz import tzutc

from kmsmock.identities.entities import Entity, Group, Identity, ManagedPolicy, PolicyVersion
from kmsmock.services.iam.answered.lookup import list_attached, list_bounded
from kmsmock.services.registry import ServiceCall


def to_response_time(at: datetime) -> datetime:
    """Return a time as botocore parses it from a response: in whole seconds, UTC."""
    return at.replace(microsecond=0, tzinfo=tzutc())


def describe_user(entity: Entity, *, brief: bool = False) -> dict[str, Any]:
    """Describe a user. brief: without boundary and tags, as in lists."""
    return _identity(entity, "User") | ({} if brief else _details(entity))


def describe_role(entity: Entity, *, brief: bool = False) -> dict[str, Any]:
    """Describe a role. brief: without boundary, tags and last use, as in lists."""
    members = _identity(entity, "Role")
    if entity.trust is not None:
        members["AssumeRolePolicyDocument"] = quote(entity.trust.text)
    if entity.description:
        members["Description"] = entity.description
    members["MaxSessionDuration"] = entity.longest_session
    return members | ({} if brief else {**_details(entity), "RoleLastUsed": {}})


def describe_group(group: Group) -> dict[str, Any]:
    """Describe a group, without its members."""
    return _identity(group, "Group")


def _identity(identity: Identity, word: str) -> dict[str, Any]:
    return {
        "Path": identity.path,
        f"{word}Name": identity.name,
        f"{word}Id": identity.unique_id,
        "Arn": identity.arn,
        "CreateDate": to_response_time(identity.created),
    }


def _details(entity: Entity) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if entity.boundary_policy is not None:
        details["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": entity.boundary_policy.arn,
        }
    if entity.tags:
        details["Tags"] = describe_tags(entity.tags)
    return details


def describe_tags(pairs: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags in the form of answers. pairs: key -> value."""
    return [{"Key": name, "Value": value} for name, value in pairs.items()]


def describe_managed_policy(call: ServiceCall, managed: ManagedPolicy) -> dict[str, Any]:
    """Describe a managed policy, without its document."""
    members: dict[str, Any] = {
        "PolicyName": managed.name,
        "PolicyId": managed.policy_id,
        "Arn": managed.arn,
        "Path": managed.path,
        "DefaultVersionId": managed.default,
        "AttachmentCount": len(list_attached(call, managed)),
        "PermissionsBoundaryUsageCount": len(list_bounded(call, managed)),
        "IsAttachable": True,
        "CreateDate": to_response_time(managed.created),
        "UpdateDate": to_response_time(managed.updated or managed.created),
    }
    if managed.description:
        members["Description"] = managed.description
    return members


def describe_attached(managed: ManagedPolicy) -> dict[str, str]:
    """Describe a managed policy as one that is attached to an identity."""
    return {"PolicyName": managed.name, "PolicyArn": managed.arn}


def describe_version(
    managed: ManagedPolicy, version: PolicyVersion, *, with_document: bool = False
) -> dict[str, Any]:
    """Describe a version of a managed policy."""
    return {
        **({"Document": quote(version.policy.text)} if with_document else {}),
        "VersionId": version.version_id,
        "IsDefaultVersion": version.version_id == managed.default,
        "CreateDate": to_response_time(version.created),
    }
