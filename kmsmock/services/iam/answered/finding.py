"""What the operations share: finding what a call names, its tags, its page of a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.aws.paging import InvalidMarkerError, paginate
from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.entities import Entity, Group, Identity, ManagedPolicy
from kmsmock.services.errors import (
    EntityAlreadyExists,
    InvalidInput,
    LimitExceeded,
    NoSuchEntity,
    ValidationError,
)
from kmsmock.services.registry import ServiceCall

_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
_PAGE = 100
_MOST_TAGS = 50


@dataclass(frozen=True)
class Kind:
    """A kind of identity. word: as in the names of operations. largest: bytes of inline policies.

    Source: IAM User Guide, "IAM and AWS STS quotas".
    """

    word: str
    find: Callable[[ServiceCall], Identity]
    largest: int

    @property
    def member(self) -> str:
        """The parameter that names one."""
        return f"{self.word}Name"

    def resource(self, call: ServiceCall) -> str:
        """Return the ARN of what a call names, if it exists or not."""
        try:
            return self.find(call).arn
        except NoSuchEntity:
            return call.iam_arn(f"{self.word.lower()}/{call.parameters.get(self.member, '')}")


def find_user(call: ServiceCall) -> Entity:
    """Find the user that a call names, or who calls when it names none."""
    name = call.parameters.get("UserName")
    if name is None:
        entity = call.identities.entity_of(call.principal)
        if entity is None or entity.kind is not PrincipalKind.USER:
            raise ValidationError("Must specify userName when calling with non-User credentials")
        return entity
    return _named(call, PrincipalKind.USER, "user", name)


def find_role(call: ServiceCall) -> Entity:
    """Find the role that a call names."""
    return _named(call, PrincipalKind.ASSUMED_ROLE, "role", call.parameters["RoleName"])


def find_group(call: ServiceCall) -> Group:
    """Find the group that a call names."""
    name = call.parameters["GroupName"]
    for group in call.identities.groups_of(call.account, call.partition):
        if group.name.lower() == name.lower():
            return group
    raise NoSuchEntity(f"The group with name {name} cannot be found.")


def _named(call: ServiceCall, kind: PrincipalKind, word: str, name: str) -> Entity:
    found = call.identities.named(kind, call.account, name, call.partition)
    if found is None:
        raise NoSuchEntity(f"The {word} with name {name} cannot be found.")
    return found


USER = Kind("User", find_user, 2048)
ROLE = Kind("Role", find_role, 10_240)
GROUP = Kind("Group", find_group, 5120)
KINDS = (USER, ROLE, GROUP)


def find_attachable(call: ServiceCall) -> ManagedPolicy:
    """Find the managed policy that a call is to attach."""
    return _find_managed(call, "PolicyArn", "Policy {} does not exist or is not attachable.")


def find_managed(call: ServiceCall) -> ManagedPolicy:
    """Find the managed policy that a call names."""
    return _find_managed(call, "PolicyArn", "Policy {} was not found.")


def find_boundary(call: ServiceCall) -> ManagedPolicy:
    """Find the managed policy that is to be a permissions boundary."""
    text = "Scope ARN: {} does not exist or is not attachable."
    return _find_managed(call, "PermissionsBoundary", text)


def _find_managed(call: ServiceCall, member: str, text: str) -> ManagedPolicy:
    arn = call.parameters[member]
    parsed = Arn.parse(arn)
    is_of_aws = parsed is not None and parsed.is_of_aws
    managed = None
    if is_of_aws or arn.startswith(call.iam_arn("policy/")):
        managed = call.identities.managed.get(arn)
    if managed is None:
        few = "Of the policies that AWS manages, the few are here that tests of key access use."
        raise NoSuchEntity(text.format(arn), explanation=few if is_of_aws else None)
    return managed


def require_free_name(call: ServiceCall, kind: Kind) -> str:
    """Return the name of what is to be made, which must be free."""
    name: str = call.parameters[kind.member]
    try:
        kind.find(call)
    except NoSuchEntity:
        return name
    raise EntityAlreadyExists(f"{kind.word} with name {name} already exists.")


def require_good_names(parameters: Mapping[str, Any]) -> None:
    """Require that names have but the characters that IAM's names have."""
    for member in ("UserName", "RoleName", "GroupName", "PolicyName"):
        if not _NAME.fullmatch(parameters.get(member, "a")):
            raise ValidationError(
                f"The specified value for {member[0].lower()}{member[1:]} is invalid. It must "
                "contain only alphanumeric characters and/or the following: +=,.@_-"
            )


def page(call: ServiceCall, operation: str, member: str, items: Iterable[Any]) -> dict[str, Any]:
    """Return one page of a list, and the marker of the next."""
    marker, limit = call.parameters.get("Marker"), call.parameters.get("MaxItems", _PAGE)
    try:
        shown, next_marker = paginate(call.backend.markers, operation, items, marker, limit)
    except InvalidMarkerError:
        raise ValidationError("Invalid Marker.") from None
    if next_marker is None:
        return {member: shown, "IsTruncated": False}
    return {member: shown, "IsTruncated": True, "Marker": next_marker}


def under_path(call: ServiceCall, identities: Iterable[Any]) -> Iterable[Any]:
    """Leave out what is not under the path that a call asks for."""
    prefix = call.parameters.get("PathPrefix", "/")
    return (identity for identity in identities if identity.path.startswith(prefix))


def with_new_tags(call: ServiceCall, word: str, known: Mapping[str, str]) -> dict[str, str]:
    """Add the tags of a call to those that are there. word: what has them, ``User`` for example."""
    given = call.parameters.get("Tags", ())
    if len({tag["Key"].lower() for tag in given}) < len(given):
        raise InvalidInput(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    pairs = {**known, **{tag["Key"]: tag["Value"] for tag in given}}
    if len(pairs) > _MOST_TAGS:
        raise LimitExceeded(f"Cannot exceed quota for TagsPer{word}: {_MOST_TAGS}")
    return pairs
