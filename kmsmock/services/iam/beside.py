"""IAM beside another mock: its users, roles, groups and policies are created here too.

They get the same ids and access keys.
"""

from __future__ import annotations

import json
from dataclasses import replace

from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.credentials import Credentials
from kmsmock.identities.entities import Group
from kmsmock.services.beside import BesideStore
from kmsmock.services.errors import MalformedPolicyDocument
from kmsmock.services.iam.answered import OPERATIONS
from kmsmock.services.iam.answered.lookup import (
    find_group,
    find_managed_policy,
    find_role,
    find_user,
)
from kmsmock.services.iam.mirrored import mirrored_identities
from kmsmock.services.mirroring import Answer, MirrorChange, mirror
from kmsmock.services.registry import ServiceCall

_READS = ("Get", "List", "Simulate")
#: Any policy that can be read: it is not kept.
_TRUSTS_ACCOUNT = json.dumps(
    {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}
)


def _create_named_identities(call: ServiceCall, operation: str) -> None:
    """Create the identities that a call names, if they are older than this mock."""
    parameters, identities = call.parameters, call.identities
    kinds = (("User", PrincipalKind.USER), ("Role", PrincipalKind.ASSUMED_ROLE))
    for word, kind in kinds:
        name = parameters.get(f"{word}Name")
        if name is not None and operation != f"Create{word}":
            identities.get_or_create_entity(kind, call.account, name, None, call.partition)
    name = parameters.get("GroupName")
    if name is not None and operation != "CreateGroup":
        groups = identities.groups_of(call.account, call.partition)
        if not any(group.name.lower() == name.lower() for group in groups):
            arn = call.iam_arn(f"group/{name}")
            new_id = identities.credentials.new_id("AGPA")
            identities.add_group(Group(arn, name, "/", new_id, call.now))


def _adopt_user_id(call: ServiceCall, answer: Answer) -> None:
    user = find_user(call)
    call.identities.replace_id(user, answer["User"]["UserId"])
    mirrored_identities(call).entities.append(user.arn)


def _adopt_role_id(call: ServiceCall, answer: Answer) -> None:
    role = find_role(call)
    call.identities.replace_id(role, answer["Role"]["RoleId"])
    mirrored_identities(call).entities.append(role.arn)


def _adopt_group_id(call: ServiceCall, answer: Answer) -> None:
    group = find_group(call)
    group.unique_id = answer["Group"]["GroupId"]
    mirrored_identities(call).groups.append(group.arn)


def _adopt_policy_id(call: ServiceCall, answer: Answer) -> None:
    created = answer["Policy"]
    parameters = {"PolicyArn": created["Arn"]}
    lookup = ServiceCall(call.backend, call.principal, call.region, call.now, parameters)
    policy = find_managed_policy(lookup)
    policy.policy_id = created["PolicyId"]
    mirrored_identities(call).policies.append(policy.arn)


def _add_access_key(call: ServiceCall, answer: Answer) -> None:
    _create_named_identities(call, "CreateAccessKey")
    created = answer["AccessKey"]
    owner = call.identities.user(call.account, created["UserName"], partition=call.partition)
    credentials = Credentials.of(created["AccessKeyId"], created["SecretAccessKey"])
    call.identities.credentials.add_key(owner, credentials)


#: Operations that assign ids -> what sets the same id on what was created here.
_ADOPTIONS: dict[str, MirrorChange] = {
    "CreateUser": _adopt_user_id,
    "CreateRole": _adopt_role_id,
    "CreateGroup": _adopt_group_id,
    "CreatePolicy": _adopt_policy_id,
}


def _mirror_by_answering(operation: str) -> MirrorChange:
    """Return a function that answers the same call here, and then sets the same id."""

    def mirror_change(call: ServiceCall, answer: Answer) -> None:
        _create_named_identities(call, operation)
        OPERATIONS[operation](call)
        if operation in _ADOPTIONS:
            _ADOPTIONS[operation](call, answer)

    return mirror_change


def _mirror_trust(operation: str, member: str) -> MirrorChange:
    """Return a function that makes the change, also with a trust policy that cannot be read.

    The role then trusts its account, and using it is warned of. member: has the policy.
    """
    mirror_change = _mirror_by_answering(operation)

    def mirror_trust(call: ServiceCall, answer: Answer) -> None:
        try:
            mirror_change(call, answer)
        except MalformedPolicyDocument as defect:
            readable = {**call.parameters, member: _TRUSTS_ACCOUNT}
            mirror_change(replace(call, parameters=readable), answer)
            role = find_role(call)
            role.trust, role.unread_trust = None, defect.explanation or str(defect)

    return mirror_trust


_CHANGES = {name: _mirror_by_answering(name) for name in OPERATIONS if not name.startswith(_READS)}
_CHANGES["CreateAccessKey"] = _add_access_key
_CHANGES["CreateRole"] = _mirror_trust("CreateRole", "AssumeRolePolicyDocument")
_CHANGES["UpdateAssumeRolePolicy"] = _mirror_trust("UpdateAssumeRolePolicy", "PolicyDocument")
BESIDE = BesideStore(
    {name: mirror(name, change) for name, change in _CHANGES.items()}, {}, trusts_store=True
)
