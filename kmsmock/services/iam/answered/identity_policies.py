"""Policies of users, roles and groups: inline ones, attached ones, and boundaries.

The three kinds have the same operations, so each is written once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from kmsmock.authorization.policy import PolicyKind
from kmsmock.identities.entities import Entity, Identity
from kmsmock.services.errors import LimitExceeded, NoSuchEntity
from kmsmock.services.iam.answered.documents import read_policy
from kmsmock.services.iam.answered.finding import (
    KINDS,
    ROLE,
    USER,
    Kind,
    find_attachable,
    find_boundary,
    find_managed,
    page,
    under_path,
)
from kmsmock.services.iam.answered.registry import operation
from kmsmock.services.registry import ServiceCall

Operation = Callable[[ServiceCall, Kind, Identity], "dict[str, Any] | None"]

_ATTACHED = 10


def _of_each(name: str, *kinds: Kind) -> Callable[[Operation], Operation]:
    """Register an operation for each kind of identity. name: with ``{}`` for the kind."""

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


@_of_each("Put{}Policy")
def put_policy(call: ServiceCall, kind: Kind, identity: Identity) -> None:
    """Put an inline policy, in the place of one of the same name."""
    name, text = call.parameters["PolicyName"], call.parameters["PolicyDocument"]
    policy = read_policy(text, PolicyKind.IDENTITY, name)
    others = [other.text for known, other in identity.inline.items() if known != name]
    # White space does not count.
    if sum(len("".join(document.split())) for document in (text, *others)) > kind.largest:
        raise LimitExceeded(
            f"Maximum policy size of {kind.largest} bytes exceeded for "
            f"{kind.word.lower()} {identity.name}"
        )
    identity.inline[name] = policy
    call.identities.settle(identity)


@_of_each("Get{}Policy")
def get_policy(call: ServiceCall, kind: Kind, identity: Identity) -> dict[str, Any]:
    """Show an inline policy."""
    name = _inline(call, kind, identity)
    return {
        kind.member: identity.name,
        "PolicyName": name,
        "PolicyDocument": quote(identity.inline[name].text),
    }


@_of_each("Delete{}Policy")
def delete_policy(call: ServiceCall, kind: Kind, identity: Identity) -> None:
    """Delete an inline policy."""
    del identity.inline[_inline(call, kind, identity)]
    call.identities.settle(identity)


@_of_each("List{}Policies")
def list_policies(call: ServiceCall, kind: Kind, identity: Identity) -> dict[str, Any]:
    """List the names of the inline policies."""
    return page(call, f"List{kind.word}Policies", "PolicyNames", identity.inline)


def _inline(call: ServiceCall, kind: Kind, identity: Identity) -> str:
    name: str = call.parameters["PolicyName"]
    if name not in identity.inline:
        raise NoSuchEntity(f"The {kind.word.lower()} policy with name {name} cannot be found.")
    return name


# --- attached policies ------------------------------------------------------------------------


@_of_each("Attach{}Policy")
def attach_policy(call: ServiceCall, kind: Kind, identity: Identity) -> None:
    """Attach a managed policy."""
    managed = find_attachable(call)
    if managed.arn not in identity.attached and len(identity.attached) == _ATTACHED:
        raise LimitExceeded(f"Cannot exceed quota for PoliciesPer{kind.word}: {_ATTACHED}")
    identity.attached[managed.arn] = managed
    call.identities.settle(identity)


@_of_each("Detach{}Policy")
def detach_policy(call: ServiceCall, kind: Kind, identity: Identity) -> None:  # noqa: ARG001
    """Detach a managed policy."""
    managed = find_managed(call)
    if identity.attached.pop(managed.arn, None) is None:
        raise NoSuchEntity(f"Policy {managed.arn} was not found.")
    call.identities.settle(identity)


@_of_each("ListAttached{}Policies")
def list_attached_policies(call: ServiceCall, kind: Kind, identity: Identity) -> dict[str, Any]:
    """List the managed policies that are attached."""
    shown = (
        {"PolicyName": managed.name, "PolicyArn": managed.arn}
        for managed in under_path(call, identity.attached.values())
    )
    return page(call, f"ListAttached{kind.word}Policies", "AttachedPolicies", shown)


# --- boundaries -------------------------------------------------------------------------------


@_of_each("Put{}PermissionsBoundary", USER, ROLE)
def put_permissions_boundary(call: ServiceCall, kind: Kind, identity: Identity) -> None:  # noqa: ARG001
    """Let a managed policy be the boundary of a user or role."""
    assert isinstance(identity, Entity)
    identity.set_boundary(find_boundary(call))


@_of_each("Delete{}PermissionsBoundary", USER, ROLE)
def delete_permissions_boundary(call: ServiceCall, kind: Kind, identity: Identity) -> None:  # noqa: ARG001
    """Take away the boundary of a user or role."""
    assert isinstance(identity, Entity)
    if identity.boundary is None:
        raise NoSuchEntity(f"The {kind.word.lower()} {identity.name} has no permissions boundary.")
    identity.set_boundary(None)
