"""Customer managed policies and their versions."""

from __future__ import annotations

from typing import Any

from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.aws.policy_limits import POLICY_VERSIONS
from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.entities import Entity, Group, ManagedPolicy, PolicyVersion
from kmsmock.services.errors import (
    AccessDenied,
    DeleteConflict,
    EntityAlreadyExists,
    LimitExceeded,
    NoSuchEntity,
)
from kmsmock.services.iam.answered.descriptions import (
    describe_managed_policy,
    describe_tags,
    describe_version,
)
from kmsmock.services.iam.answered.documents import read_policy
from kmsmock.services.iam.answered.lookup import (
    add_tags,
    filter_by_path,
    find_managed_policy,
    list_attached,
    list_bounded,
    paginate_response,
)
from kmsmock.services.iam.answered.policy_quotas import require_managed_size
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall


def _new_arn(call: ServiceCall) -> str:
    """Return the ARN of the policy that a call creates."""
    path = call.parameters.get("Path", "/")
    return call.iam_arn(f"policy{path}{call.parameters['PolicyName']}")


def _policy_arn(call: ServiceCall) -> str:
    """Return the ARN of the policy that a call names."""
    arn: str = call.parameters["PolicyArn"]
    return arn


@operation("CreatePolicy", _new_arn)
def create_policy(call: ServiceCall) -> dict[str, Any]:
    """Create a managed policy, with the document as its default version."""
    parameters = call.parameters
    name = parameters["PolicyName"]
    for other in call.identities.managed.of(call.account, call.partition):
        if other.name.lower() == name.lower():
            raise EntityAlreadyExists(
                f"A policy called {name} already exists. Duplicate names are not allowed."
            )
    arn = _new_arn(call)
    _require_valid(call, parameters["PolicyDocument"], arn)
    managed = ManagedPolicy(
        arn,
        name,
        parameters.get("Path", "/"),
        call.identities.credentials.new_id("ANPA"),
        call.now,
        parameters.get("Description", ""),
        add_tags(call, "Policy", {}),
    )
    managed.add_version(parameters["PolicyDocument"], call.now, is_default=True)
    call.identities.managed.add(managed)
    return {"Policy": _describe_with_tags(call, managed)}


@operation("GetPolicy", _policy_arn)
def get_policy(call: ServiceCall) -> dict[str, Any]:
    """Describe a managed policy."""
    return {"Policy": _describe_with_tags(call, find_managed_policy(call))}


@operation("ListPolicies", lambda call: call.iam_arn("policy/"))
def list_policies(call: ServiceCall) -> dict[str, Any]:
    """List managed policies; of the AWS managed ones, those that were used in this mock."""
    scope = call.parameters.get("Scope", "All")
    identities = call.identities
    policies: list[ManagedPolicy] = []
    if scope != "Local":
        policies += identities.managed.of("aws", call.partition)
    if scope != "AWS":
        policies += identities.managed.of(call.account, call.partition)
    listed = [describe_managed_policy(call, managed) for managed in filter_by_path(call, policies)]
    usage = {
        "PermissionsPolicy": "AttachmentCount",
        "PermissionsBoundary": "PermissionsBoundaryUsageCount",
    }.get(call.parameters.get("PolicyUsageFilter", ""))
    if usage is not None:
        listed = [policy for policy in listed if policy[usage]]
    if call.parameters.get("OnlyAttached"):
        listed = [policy for policy in listed if policy["AttachmentCount"]]
    return paginate_response(call, "ListPolicies", "Policies", listed)


@operation("DeletePolicy", _policy_arn)
def delete_policy(call: ServiceCall) -> None:
    """Delete a managed policy that is not in use, and has only its default version."""
    managed = _find_customer_managed(call)
    if list_attached(call, managed) or list_bounded(call, managed):
        raise DeleteConflict("Cannot delete a policy attached to entities.")
    if len(managed.versions) > 1:
        raise DeleteConflict(
            "This policy has more than one version. Before you delete a policy, you must delete "
            "the policy's versions. The default version is deleted with the policy."
        )
    call.identities.managed.remove(managed)


@operation("ListEntitiesForPolicy", _policy_arn)
def list_entities_for_policy(call: ServiceCall) -> dict[str, Any]:
    """List the users, roles and groups that a managed policy is attached to."""
    managed = find_managed_policy(call)
    requested = call.parameters.get("EntityFilter")
    as_boundary = call.parameters.get("PolicyUsageFilter") == "PermissionsBoundary"
    holders = list_bounded(call, managed) if as_boundary else list_attached(call, managed)
    names: dict[str, list[dict[str, str]]] = {"User": [], "Role": [], "Group": []}
    for holder in filter_by_path(call, holders):
        word = "Role"
        if isinstance(holder, Group):
            word = "Group"
        elif isinstance(holder, Entity) and holder.kind is PrincipalKind.USER:
            word = "User"
        if requested in (None, word):
            names[word].append({f"{word}Name": holder.name, f"{word}Id": holder.unique_id})
    return {
        "PolicyUsers": names["User"],
        "PolicyRoles": names["Role"],
        "PolicyGroups": names["Group"],
        "IsTruncated": False,
    }


# --- versions ---------------------------------------------------------------------------------


@operation("CreatePolicyVersion", _policy_arn)
def create_policy_version(call: ServiceCall) -> dict[str, Any]:
    """Add a version to a managed policy."""
    managed = _find_customer_managed(call)
    text = call.parameters["PolicyDocument"]
    _require_valid(call, text, managed.arn)
    if len(managed.versions) == POLICY_VERSIONS.most:
        raise LimitExceeded(
            f"A managed policy can have up to {POLICY_VERSIONS.most} versions. Before you create a "
            "new version, you must delete an existing version."
        )
    is_default = call.parameters.get("SetAsDefault", False)
    version = managed.add_version(text, call.now, is_default=is_default)
    call.identities.update_policies(managed)
    return {"PolicyVersion": describe_version(managed, version)}


@operation("GetPolicyVersion", _policy_arn)
def get_policy_version(call: ServiceCall) -> dict[str, Any]:
    """Describe a version of a managed policy, with its document."""
    managed = find_managed_policy(call)
    return {"PolicyVersion": describe_version(managed, _version(call, managed), with_document=True)}


@operation("ListPolicyVersions", _policy_arn)
def list_policy_versions(call: ServiceCall) -> dict[str, Any]:
    """List the versions of a managed policy, newest first."""
    managed = find_managed_policy(call)
    versions = (describe_version(managed, v) for v in reversed(managed.versions.values()))
    return paginate_response(call, "ListPolicyVersions", "Versions", versions)


@operation("SetDefaultPolicyVersion", _policy_arn)
def set_default_policy_version(call: ServiceCall) -> None:
    """Make a version the default version of a managed policy, which is in force."""
    managed = _find_customer_managed(call)
    managed.default = _version(call, managed).version_id
    managed.updated = call.now
    call.identities.update_policies(managed)


@operation("DeletePolicyVersion", _policy_arn)
def delete_policy_version(call: ServiceCall) -> None:
    """Delete a version of a managed policy that is not its default version."""
    managed = _find_customer_managed(call)
    version = _version(call, managed)
    if version.version_id == managed.default:
        raise DeleteConflict("Cannot delete the default version of a policy.")
    del managed.versions[version.version_id]


def _find_customer_managed(call: ServiceCall) -> ManagedPolicy:
    managed = find_managed_policy(call)
    if managed.is_of_aws:
        raise AccessDenied(
            "Cannot perform the operation on a policy that is managed by AWS.",
            explanation="Create a customer managed policy with CreatePolicy.",
        )
    return managed


def _version(call: ServiceCall, managed: ManagedPolicy) -> PolicyVersion:
    version_id = call.parameters["VersionId"]
    if version_id not in managed.versions:
        raise NoSuchEntity(
            f"Policy {managed.arn} version {version_id} does not exist or is not attachable."
        )
    return managed.versions[version_id]


def _require_valid(call: ServiceCall, text: str, arn: str) -> None:
    read_policy(text, PolicyKind.IDENTITY, arn)
    require_managed_size(call, text)


def _describe_with_tags(call: ServiceCall, managed: ManagedPolicy) -> dict[str, Any]:
    members = describe_managed_policy(call, managed)
    return members | ({"Tags": describe_tags(managed.tags)} if managed.tags else {})
