"""Customer managed policies and their versions."""

from __future__ import annotations

from typing import Any

from kmsmock.authorization.policy import PolicyKind
from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.entities import Entity, Group, ManagedPolicy, PolicyVersion
from kmsmock.services.errors import (
    AccessDenied,
    DeleteConflict,
    EntityAlreadyExists,
    LimitExceeded,
    NoSuchEntity,
)
from kmsmock.services.iam.answered import views
from kmsmock.services.iam.answered.documents import read_policy
from kmsmock.services.iam.answered.finding import find_managed, page, under_path, with_new_tags
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall

_LARGEST = 6144
_VERSIONS = 5


def _new(call: ServiceCall) -> str:
    path = call.parameters.get("Path", "/")
    return call.iam_arn(f"policy{path}{call.parameters['PolicyName']}")


def _named(call: ServiceCall) -> str:
    arn: str = call.parameters["PolicyArn"]
    return arn


@operation("CreatePolicy", _new)
def create_policy(call: ServiceCall) -> dict[str, Any]:
    """Make a managed policy, whose first version is in force."""
    parameters = call.parameters
    name = parameters["PolicyName"]
    for known in call.identities.managed.of(call.account, call.partition):
        if known.name.lower() == name.lower():
            raise EntityAlreadyExists(
                f"A policy called {name} already exists. Duplicate names are not allowed."
            )
    arn = _new(call)
    _require_good(parameters["PolicyDocument"], arn)
    managed = ManagedPolicy(
        arn,
        name,
        parameters.get("Path", "/"),
        call.identities.credentials.new_id("ANPA"),
        call.now,
        parameters.get("Description", ""),
        with_new_tags(call, "Policy", {}),
    )
    managed.add_version(parameters["PolicyDocument"], call.now, is_default=True)
    call.identities.managed.add(managed)
    return {"Policy": _shown(call, managed)}


@operation("GetPolicy", _named)
def get_policy(call: ServiceCall) -> dict[str, Any]:
    """Show a managed policy."""
    return {"Policy": _shown(call, find_managed(call))}


@operation("ListPolicies", lambda call: call.iam_arn("policy/"))
def list_policies(call: ServiceCall) -> dict[str, Any]:
    """List managed policies; of AWS's, those that somebody has used here."""
    scope = call.parameters.get("Scope", "All")
    identities = call.identities
    policies: list[ManagedPolicy] = []
    if scope != "Local":
        policies += identities.managed.of("aws", call.partition)
    if scope != "AWS":
        policies += identities.managed.of(call.account, call.partition)
    shown = [views.managed_policy(call, managed) for managed in under_path(call, policies)]
    usage = {
        "PermissionsPolicy": "AttachmentCount",
        "PermissionsBoundary": "PermissionsBoundaryUsageCount",
    }.get(call.parameters.get("PolicyUsageFilter", ""))
    if usage is not None:
        shown = [policy for policy in shown if policy[usage]]
    if call.parameters.get("OnlyAttached"):
        shown = [policy for policy in shown if policy["AttachmentCount"]]
    return page(call, "ListPolicies", "Policies", shown)


@operation("DeletePolicy", _named)
def delete_policy(call: ServiceCall) -> None:
    """Delete a managed policy that is not in use, and has but one version."""
    managed = _own(call)
    identities = call.identities
    if any(identities.list_attached(managed)) or any(identities.list_bounded(managed)):
        raise DeleteConflict("Cannot delete a policy attached to entities.")
    if len(managed.versions) > 1:
        raise DeleteConflict(
            "This policy has more than one version. Before you delete a policy, you must delete "
            "the policy's versions. The default version is deleted with the policy."
        )
    identities.managed.remove(managed)


@operation("ListEntitiesForPolicy", _named)
def list_entities_for_policy(call: ServiceCall) -> dict[str, Any]:
    """List the users, roles and groups that a managed policy is attached to."""
    managed = find_managed(call)
    wanted = call.parameters.get("EntityFilter")
    as_boundary = call.parameters.get("PolicyUsageFilter") == "PermissionsBoundary"
    identities = call.identities
    holders = identities.list_bounded(managed) if as_boundary else identities.list_attached(managed)
    found: dict[str, list[dict[str, str]]] = {"User": [], "Role": [], "Group": []}
    for holder in under_path(call, holders):
        word = "Role"
        if isinstance(holder, Group):
            word = "Group"
        elif isinstance(holder, Entity) and holder.kind is PrincipalKind.USER:
            word = "User"
        if wanted in (None, word):
            found[word].append({f"{word}Name": holder.name, f"{word}Id": holder.unique_id})
    return {
        "PolicyUsers": found["User"],
        "PolicyRoles": found["Role"],
        "PolicyGroups": found["Group"],
        "IsTruncated": False,
    }


# --- versions ---------------------------------------------------------------------------------


@operation("CreatePolicyVersion", _named)
def create_policy_version(call: ServiceCall) -> dict[str, Any]:
    """Add a version to a managed policy."""
    managed = _own(call)
    text = call.parameters["PolicyDocument"]
    _require_good(text, managed.arn)
    if len(managed.versions) == _VERSIONS:
        raise LimitExceeded(
            f"A managed policy can have up to {_VERSIONS} versions. Before you create a new "
            "version, you must delete an existing version."
        )
    is_default = call.parameters.get("SetAsDefault", False)
    version = managed.add_version(text, call.now, is_default=is_default)
    call.identities.settle(managed)
    return {"PolicyVersion": views.version(managed, version)}


@operation("GetPolicyVersion", _named)
def get_policy_version(call: ServiceCall) -> dict[str, Any]:
    """Show a version of a managed policy, with its document."""
    managed = find_managed(call)
    return {"PolicyVersion": views.version(managed, _version(call, managed), with_document=True)}


@operation("ListPolicyVersions", _named)
def list_policy_versions(call: ServiceCall) -> dict[str, Any]:
    """List the versions of a managed policy, newest first."""
    managed = find_managed(call)
    shown = (views.version(managed, version) for version in reversed(managed.versions.values()))
    return page(call, "ListPolicyVersions", "Versions", shown)


@operation("SetDefaultPolicyVersion", _named)
def set_default_policy_version(call: ServiceCall) -> None:
    """Let a version of a managed policy be in force."""
    managed = _own(call)
    managed.default = _version(call, managed).version_id
    managed.updated = call.now
    call.identities.settle(managed)


@operation("DeletePolicyVersion", _named)
def delete_policy_version(call: ServiceCall) -> None:
    """Delete a version of a managed policy that is not in force."""
    managed = _own(call)
    version = _version(call, managed)
    if version.version_id == managed.default:
        raise DeleteConflict("Cannot delete the default version of a policy.")
    del managed.versions[version.version_id]


def _own(call: ServiceCall) -> ManagedPolicy:
    managed = find_managed(call)
    if managed.is_of_aws:
        raise AccessDenied(
            "Cannot perform the operation on a policy that is managed by AWS.",
            explanation="Make a policy of your own, with CreatePolicy.",
        )
    return managed


def _version(call: ServiceCall, managed: ManagedPolicy) -> PolicyVersion:
    wanted = call.parameters["VersionId"]
    if wanted not in managed.versions:
        raise NoSuchEntity(
            f"Policy {managed.arn} version {wanted} does not exist or is not attachable."
        )
    return managed.versions[wanted]


def _require_good(text: str, arn: str) -> None:
    read_policy(text, PolicyKind.IDENTITY, arn)
    if len("".join(text.split())) > _LARGEST:
        raise LimitExceeded(f"Cannot exceed quota for PolicySize: {_LARGEST}")


def _shown(call: ServiceCall, managed: ManagedPolicy) -> dict[str, Any]:
    shown = views.managed_policy(call, managed)
    return shown | ({"Tags": views.tags(managed.tags)} if managed.tags else {})
