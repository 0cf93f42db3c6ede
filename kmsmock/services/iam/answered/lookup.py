"""What the operations share: the lookup of what a call names, tags, and pages of lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.aws.paging import InvalidMarkerError, paginate
from kmsmock.aws.principals import PrincipalKind
from kmsmock.identities.entities import Entity, Group, Identity, ManagedPolicy
from kmsmock.identities.iam_names import MAX_TAGS, VALID_NAME
from kmsmock.services.errors import (
    EntityAlreadyExists,
    InvalidInput,
    LimitExceeded,
    NoSuchEntity,
    ValidationError,
)
from kmsmock.services.registry import ServiceCall

_DEFAULT_PAGE_SIZE = 100


@dataclass(frozen=True)
class Kind:
    """A kind of identity: user, role or group."""

    #: The kind in operation names, such as ``User``.
    word: str
    #: Finds the identity that a call names.
    find: Callable[[ServiceCall], Identity]

    @property
    def member(self) -> str:
        """The request parameter that names an identity, such as ``UserName``."""
        return f"{self.word}Name"

    def resource(self, call: ServiceCall) -> str:
        """Return the ARN of the identity that a call names, whether it exists or not."""
        try:
            return self.find(call).arn
        except NoSuchEntity:
            return call.iam_arn(f"{self.word.lower()}/{call.parameters.get(self.member, '')}")


def find_user(call: ServiceCall) -> Entity:
    """Find the user that a call names, or the calling user when it names none.

    Raises NoSuchEntity, and ValidationError when the caller is no user.
    """
    name = call.parameters.get("UserName")
    if name is None:
        entity = call.identities.entity_of(call.principal)
        if entity is None or entity.kind is not PrincipalKind.USER:
            raise ValidationError("Must specify userName when calling with non-User credentials")
        return entity
    return _find_entity(call, PrincipalKind.USER, "user", name)


def find_role(call: ServiceCall) -> Entity:
    """Find the role that a call names. Raises NoSuchEntity."""
    return _find_entity(call, PrincipalKind.ASSUMED_ROLE, "role", call.parameters["RoleName"])


def find_group(call: ServiceCall) -> Group:
    """Find the group that a call names. Raises NoSuchEntity."""
    name = call.parameters["GroupName"]
    for group in call.identities.groups_of(call.account, call.partition):
        if group.name.lower() == name.lower():
            return group
    raise NoSuchEntity(f"The group with name {name} cannot be found.")


def _find_entity(call: ServiceCall, kind: PrincipalKind, word: str, name: str) -> Entity:
    entity = call.identities.named(kind, call.account, name, call.partition)
    if entity is None:
        raise NoSuchEntity(f"The {word} with name {name} cannot be found.")
    return entity


USER = Kind("User", find_user)
ROLE = Kind("Role", find_role)
GROUP = Kind("Group", find_group)
KINDS = (USER, ROLE, GROUP)


def find_attachable(call: ServiceCall) -> ManagedPolicy:
    """Find the managed policy that a call is to attach. Raises NoSuchEntity."""
    return _find_managed(call, "PolicyArn", "Policy {} does not exist or is not attachable.")


def find_managed_policy(call: ServiceCall) -> ManagedPolicy:
    """Find the managed policy that a call names. Raises NoSuchEntity."""
    return _find_managed(call, "PolicyArn", "Policy {} was not found.")


def find_boundary(call: ServiceCall) -> ManagedPolicy:
    """Find the managed policy that is to be a permissions boundary. Raises NoSuchEntity."""
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
        few = "Of the AWS managed policies, only those that tests of key access use are known."
        raise NoSuchEntity(text.format(arn), explanation=few if is_of_aws else None)
    return managed


def list_attached(call: ServiceCall, managed: ManagedPolicy) -> list[Identity]:
    """Return the identities of the account that a managed policy is attached to."""
    ours = call.iam_arn("")
    return [each for each in call.identities.list_attached(managed) if each.arn.startswith(ours)]


def list_bounded(call: ServiceCall, managed: ManagedPolicy) -> list[Entity]:
    """Return the users and roles of the account whose boundary a managed policy is."""
    ours = call.iam_arn("")
    return [each for each in call.identities.list_bounded(managed) if each.arn.startswith(ours)]


def require_free_name(call: ServiceCall, kind: Kind) -> str:
    """Return the name of an identity that is to be created. Raises EntityAlreadyExists."""
    name: str = call.parameters[kind.member]
    try:
        kind.find(call)
    except NoSuchEntity:
        return name
    raise EntityAlreadyExists(f"{kind.word} with name {name} already exists.")


def require_valid_names(parameters: Mapping[str, Any]) -> None:
    """Require that names have only valid characters. Raises ValidationError."""
    for member in ("UserName", "RoleName", "GroupName", "PolicyName"):
        if not VALID_NAME.fullmatch(parameters.get(member, "a")):
            raise ValidationError(
                f"The specified value for {member[0].lower()}{member[1:]} is invalid. It must "
                "contain only alphanumeric characters and/or the following: +=,.@_-"
            )


def paginate_response(
    call: ServiceCall, operation: str, member: str, items: Iterable[Any]
) -> dict[str, Any]:
    """Return the answer with one page of a list, and the marker of the next page.

    member: of the answer, that has the list. Raises ValidationError.
    """
    marker = call.parameters.get("Marker")
    limit = call.parameters.get("MaxItems", _DEFAULT_PAGE_SIZE)
    try:
        page, next_marker = paginate(call.backend.markers, operation, items, marker, limit)
    except InvalidMarkerError:
        raise ValidationError("Invalid Marker.") from None
    if next_marker is None:
        return {member: page, "IsTruncated": False}
    return {member: page, "IsTruncated": True, "Marker": next_marker}


def filter_by_path(call: ServiceCall, identities: Iterable[Any]) -> Iterable[Any]:
    """Return the identities or policies whose path begins with PathPrefix."""
    prefix = call.parameters.get("PathPrefix", "/")
    return (identity for identity in identities if identity.path.startswith(prefix))


def add_tags(call: ServiceCall, word: str, tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags with those of a call added.

    word: what is tagged, such as ``User``. tags: key -> value, as before the call. Raises
    InvalidInput, LimitExceeded.
    """
    new_tags = call.parameters.get("Tags", ())
    if len({tag["Key"].lower() for tag in new_tags}) < len(new_tags):
        raise InvalidInput(
            "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    all_tags = {**tags, **{tag["Key"]: tag["Value"] for tag in new_tags}}
    if len(all_tags) > MAX_TAGS:
        raise LimitExceeded(f"Cannot exceed quota for TagsPer{word}: {MAX_TAGS}")
    return all_tags
