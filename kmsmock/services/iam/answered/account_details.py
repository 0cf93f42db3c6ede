"""All users, groups, roles and policies of an account, as one list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.entities import Entity, Group, Identity, ManagedPolicy
from kmsmock.services.iam.answered.descriptions import (
    describe_attached,
    describe_group,
    describe_managed_policy,
    describe_role,
    describe_user,
    describe_version,
)
from kmsmock.services.iam.answered.lookup import list_attached, list_bounded, paginate_response
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall

#: Type in the request's ``Filter`` -> the member of the answer with what is of the type.
_LISTS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}
#: Members that other operations return, and this one does not.
_LEFT_OUT = ("Description", "MaxSessionDuration")


@operation("GetAccountAuthorizationDetails", lambda call: "*")  # noqa: ARG005 - no resource
def get_account_authorization_details(call: ServiceCall) -> dict[str, Any]:
    """Describe users, groups, roles and managed policies, each with its policies.

    Of the AWS managed policies, those that are in use in the account.
    """
    types = call.parameters.get("Filter") or list(_LISTS)
    items = [
        (_LISTS[kind], item, describe)
        for kind in _LISTS
        if kind in types
        for item, describe in _list_items(call, kind)
    ]
    page = paginate_response(call, "GetAccountAuthorizationDetails", "Items", items)
    answer: dict[str, Any] = {member: [] for member in _LISTS.values()}
    for member, item, describe in page.pop("Items"):
        answer[member].append(describe(call, item))
    return {**answer, **page}


_Describe = Callable[[ServiceCall, Any], "dict[str, Any]"]


def _list_items(call: ServiceCall, kind: str) -> Iterator[tuple[Any, _Describe]]:
    """Yield what is of a type, each with the function that describes it."""
    identities, account, partition = call.identities, call.account, call.partition
    describe: _Describe = _describe_policy
    items: Iterable[Any]
    if kind == "User":
        items = identities.entities_of(account, partition, PrincipalKind.USER)
        describe = _describe_user
    elif kind == "Role":
        items = identities.entities_of(account, partition, PrincipalKind.ASSUMED_ROLE)
        describe = _describe_role
    elif kind == "Group":
        items, describe = identities.groups_of(account, partition), _describe_group
    elif kind == "LocalManagedPolicy":
        items = identities.managed.of(account, partition)
    else:
        policies = identities.managed.of("aws", partition)
        items = [p for p in policies if list_attached(call, p) or list_bounded(call, p)]
    return ((item, describe) for item in items)


def _describe_user(call: ServiceCall, user: Entity) -> dict[str, Any]:  # noqa: ARG001 - as others
    return {
        **describe_user(user),
        "GroupList": [group.name for group in user.groups.values()],
        **_describe_policies(user, "User"),
    }


def _describe_role(call: ServiceCall, role: Entity) -> dict[str, Any]:  # noqa: ARG001 - as others
    described = {
        name: member for name, member in describe_role(role).items() if name not in _LEFT_OUT
    }
    return {**described, "InstanceProfileList": [], **_describe_policies(role, "Role")}


def _describe_group(call: ServiceCall, group: Group) -> dict[str, Any]:  # noqa: ARG001 - as others
    return {**describe_group(group), **_describe_policies(group, "Group")}


def _describe_policies(identity: Identity, word: str) -> dict[str, Any]:
    """Describe inline and attached policies. word: the kind of the identity in member names."""
    inline = [
        {"PolicyName": name, "PolicyDocument": quote(policy.text)}
        for name, policy in identity.inline.items()
    ]
    attached = [describe_attached(managed) for managed in identity.attached.values()]
    return {f"{word}PolicyList": inline, "AttachedManagedPolicies": attached}


def _describe_policy(call: ServiceCall, managed: ManagedPolicy) -> dict[str, Any]:
    versions = [
        describe_version(managed, version, with_document=True)
        for version in reversed(managed.versions.values())
    ]
    return {**describe_managed_policy(call, managed), "PolicyVersionList": versions}
