"""Policies of users, roles and groups: inline policies, attached policies and boundaries.

The three kinds of identities have the same operations, so that each is written once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from kmsmock.authorization.policy_document import PolicyKind
from kmsmock.identities.entities import Entity, Identity
from kmsmock.services.errors import NoSuchEntity
from kmsmock.services.iam.answered.descriptions import describe_attached
from kmsmock.services.iam.answered.documents import read_policy
from kmsmock.services.iam.answered.lookup import (
    KINDS,
    ROLE,
    USER,
    Kind,
    filter_by_path,
    find_attachable,
    find_boundary,
    find_managed_policy,
    paginate_response,
)
from kmsmock.services.iam.answered.policy_quotas import require_attachable, require_inline_size
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall

Operation = Callable[[ServiceCall, Kind, Identity], "dict[str, Any] | None"]


def _operation_of_kinds(name: str, *kinds: Kind) -> Callable[[Operation], Operation]:
    """Register an operation for kinds of identities, for all of them when none is given.

    name: with ``{}`` for the kind.
    """

    def register(function: Operation) -> Operation:
        for kind in kinds or KINDS:
            _register(name.format(kind.word), kind, function)
        return function

    return register


def _register(name: str, kind: Kind, function: Operation) -> None:
    @operation(name, kind.resource)
    def answer(call: ServiceCall) -> dict[str, Any] | None:
        return function(call, kind, kind.find(call))


# --- inline policies --------------------------------------------------------------------------


@_operation_of_kinds("Put{}Policy")
def put_policy(call: ServiceCall, kind: Kind, identity: Identity) -> None:  # noqa: ARG001
    """Add an inline policy, or replace the one of the same name."""
    name, text = call.parameters["PolicyName"], call.parameters["PolicyDocument"]
    policy = read_policy(text, PolicyKind.IDENTITY, name)
    require_inline_size(call, identity, name, text)
    identity.inline[name] = policy
    call.identities.update_policies(identity)


@_operation_of_kinds("Get{}Policy")
def get_policy(call: ServiceCall, kind: Kind, identity: Identity) -> dict[str, Any]:
    """Return the document of an inline policy, URL-encoded."""
    name = _inline_policy_name(call, kind, identity)
    return {
        kind.member: identity.name,
        "PolicyName": name,
        "PolicyDocument": quote(identity.inline[name].text),
    }


@_operation_of_kinds("Delete{}Policy")
def delete_policy(call: ServiceCall, kind: Kind, identity: Identity) -> None:
    """Delete an inline policy."""
    del identity.inline[_inline_policy_name(call, kind, identity)]
    call.identities.update_policies(identity)


@_operation_of_kinds("List{}Policies")
def list_policies(call: ServiceCall, kind: Kind, identity: Identity) -> dict[str, Any]:
    """List the names of the inline policies."""
    return paginate_response(call, f"List{kind.word}Policies", "PolicyNames", identity.inline)


def _inline_policy_name(call: ServiceCall, kind: Kind, identity: Identity) -> str:
    """Return the name of the inline policy that a call names. Raises NoSuchEntity."""
    name: str = call.parameters["PolicyName"]
    if name not in identity.inline:
        raise NoSuchEntity(f"The {kind.word.lower()} policy with name {name} cannot be found.")
    return name


# --- attached policies ------------------------------------------------------------------------


@_operation_of_kinds("Attach{}Policy")
def attach_policy(call: ServiceCall, kind: Kind, identity: Identity) -> None:  # noqa: ARG001
    """Attach a managed policy."""
    managed = find_attachable(call)
    if managed.arn not in identity.attached:
        require_attachable(call, identity)
    identity.attached[managed.arn] = managed
    call.identities.update_policies(identity)


@_operation_of_kinds("Detach{}Policy")
def detach_policy(call: ServiceCall, kind: Kind, identity: Identity) -> None:  # noqa: ARG001
    """Detach a managed policy."""
    managed = find_managed_policy(call)
    if identity.attached.pop(managed.arn, None) is None:
        raise NoSuchEntity(f"Policy {managed.arn} was not found.")
    call.identities.update_policies(identity)


@_operation_of_kinds("ListAttached{}Policies")
def list_attached_policies(call: ServiceCall, kind: Kind, identity: Identity) -> dict[str, Any]:
    """List the managed policies that are attached."""
    attached = map(describe_attached, filter_by_path(call, identity.attached.values()))
    return paginate_response(call, f"ListAttached{kind.word}Policies", "AttachedPolicies", attached)


# --- boundaries -------------------------------------------------------------------------------


@_operation_of_kinds("Put{}PermissionsBoundary", USER, ROLE)
def put_permissions_boundary(call: ServiceCall, kind: Kind, identity: Identity) -> None:  # noqa: ARG001
    """Set the permissions boundary of a user or role."""
    assert isinstance(identity, Entity)
    identity.set_boundary(find_boundary(call))


@_operation_of_kinds("Delete{}PermissionsBoundary", USER, ROLE)
def delete_permissions_boundary(call: ServiceCall, kind: Kind, identity: Identity) -> None:  # noqa: ARG001
    """Delete the permissions boundary of a user or role."""
    assert isinstance(identity, Entity)
    if identity.boundary is None:
        raise NoSuchEntity(f"The {kind.word.lower()} {identity.name} has no permissions boundary.")
    identity.set_boundary(None)
