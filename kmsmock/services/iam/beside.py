"""Beside another mock of IAM: its users, roles, groups and policies are made here too.

They have the ids and access keys that it has given them.
"""

from __future__ import annotations

from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.credentials import Credentials
from kmsmock.identities.entities import Group
from kmsmock.services.beside import BesideStore
from kmsmock.services.iam.answered import OPERATIONS
from kmsmock.services.iam.answered.finding import find_group, find_managed, find_role, find_user
from kmsmock.services.mirroring import Answer, MirrorChange, mirror
from kmsmock.services.registry import ServiceCall

_READS = ("Get", "List", "Simulate")


def _make_what_is_named(call: ServiceCall, operation: str) -> None:
    """Make what was there before this mock was."""
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
    call.identities.replace_id(find_user(call), answer["User"]["UserId"])


def _adopt_role_id(call: ServiceCall, answer: Answer) -> None:
    call.identities.replace_id(find_role(call), answer["Role"]["RoleId"])


def _adopt_group_id(call: ServiceCall, answer: Answer) -> None:
    find_group(call).unique_id = answer["Group"]["GroupId"]


def _adopt_policy_id(call: ServiceCall, answer: Answer) -> None:
    made = answer["Policy"]
    arn = {"PolicyArn": made["Arn"]}
    named = ServiceCall(call.backend, call.principal, call.region, call.now, arn)
    find_managed(named).policy_id = made["PolicyId"]


def _add_access_key(call: ServiceCall, answer: Answer) -> None:
    _make_what_is_named(call, "CreateAccessKey")
    made = answer["AccessKey"]
    owner = call.identities.user(call.account, made["UserName"], partition=call.partition)
    credentials = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    call.identities.credentials.add_key(owner, credentials)


#: Operations that give out ids -> what takes over the id, once the same has been made here.
_ADOPTIONS: dict[str, MirrorChange] = {
    "CreateUser": _adopt_user_id,
    "CreateRole": _adopt_role_id,
    "CreateGroup": _adopt_group_id,
    "CreatePolicy": _adopt_policy_id,
}


def _repeat(operation: str) -> MirrorChange:
    """Return what repeats an operation: answers it here too, and takes over the id."""

    def repeat(call: ServiceCall, answer: Answer) -> None:
        _make_what_is_named(call, operation)
        OPERATIONS[operation](call)
        if operation in _ADOPTIONS:
            _ADOPTIONS[operation](call, answer)

    return repeat


_REPEATED = {name: _repeat(name) for name in OPERATIONS if not name.startswith(_READS)}
_REPEATED["CreateAccessKey"] = _add_access_key
BESIDE = BesideStore(
    {name: mirror(name, repeat) for name, repeat in _REPEATED.items()}, {}, trusts_store=True
)
