"""The lookup of trails: by name in the home Region, by ARN in any Region."""

from __future__ import annotations

import re
from collections.abc import Callable

from kmsmock.aws.arns import Arn, looks_like_arn
from kmsmock.services.cloudtrail import errors
from kmsmock.services.registry import ServiceCall
from kmsmock.trail.configured_trails import ConfiguredTrail, Trails

_SHORTEST_NAME, _LONGEST_NAME = 3, 128
_CHARACTERS = re.compile(r"[A-Za-z0-9._-]+")
_ADJACENT_PUNCTUATION = re.compile(r"[._-]{2}")
_RESOURCE_TYPE = "trail"


def trails_of(call: ServiceCall) -> Trails:
    """Return the trails of all accounts in a mock."""
    return call.backend.service_state(Trails)


def trail_arn(call: ServiceCall, name: str) -> str:
    """Return the ARN that a trail of this name has in the Region of the call."""
    return call.arn("cloudtrail", f"{_RESOURCE_TYPE}/{name}")


def arn_from(member: str) -> Callable[[ServiceCall], str]:
    """Return a function that returns the ARN of the trail that a parameter names.

    Its result is the resource for the authorization.
    """

    def arn(call: ServiceCall) -> str:
        return _arn_of(call, call.parameters[member])

    return arn


def find_trail(call: ServiceCall, name: str) -> ConfiguredTrail:
    """Find a trail by name or ARN.

    Raises TrailNotFoundException, InvalidTrailNameException, CloudTrailARNInvalidException.
    """
    trail = trails_of(call).get(_arn_of(call, name))
    if trail is None or trail.account != call.account or not trail.covers(call.region):
        raise errors.TrailNotFoundException(
            f"Unknown trail: {name} for the user: {call.account}",
            explanation="A name finds trails of this Region only; an ARN also finds multi-Region "
            "trails of other Regions.",
        )
    return trail


def find_own_trail(call: ServiceCall, name: str) -> ConfiguredTrail:
    """Find a trail that is to be changed, which is possible only in its home Region.

    Raises the errors of `find_trail`, and InvalidHomeRegionException.
    """
    trail = find_trail(call, name)
    if trail.home_region != call.region:
        raise errors.InvalidHomeRegionException(
            f"Trail {trail.arn} can only be modified from its home region: {trail.home_region}"
        )
    return trail


def require_valid_name(name: str) -> None:
    """Raise InvalidTrailNameException for an invalid name.

    Source: AWS CloudTrail User Guide, "Naming requirements".
    """
    size = len(name)
    if size < _SHORTEST_NAME:
        raise errors.InvalidTrailNameException(
            f"Trail name too short. Minimum allowed length: {_SHORTEST_NAME} characters. "
            f"Specified name length: {size} characters."
        )
    if size > _LONGEST_NAME:
        raise errors.InvalidTrailNameException(
            f"Trail name too long. Maximum allowed length: {_LONGEST_NAME} characters. "
            f"Specified name length: {size} characters."
        )
    if not _is_letter_or_number(name[0]):
        raise errors.InvalidTrailNameException("Trail name must starts with a letter or number.")
    if not _is_letter_or_number(name[-1]):
        raise errors.InvalidTrailNameException("Trail name must ends with a letter or number.")
    if _CHARACTERS.fullmatch(name) is None or _ADJACENT_PUNCTUATION.search(name):
        raise errors.InvalidTrailNameException(
            "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, "
            "periods (.), hyphens (-), and underscores (_).",
            explanation="Periods, hyphens and underscores must not be adjacent.",
        )


def _arn_of(call: ServiceCall, name: str) -> str:
    if not looks_like_arn(name):
        require_valid_name(name)
        return trail_arn(call, name)
    arn = Arn.parse(name)
    if arn is None or arn.service != "cloudtrail" or arn.resource_type != _RESOURCE_TYPE:
        raise errors.CloudTrailARNInvalidException(
            f"The ARN is not valid: {name}",
            explanation=f"The ARN of a trail is like {trail_arn(call, 'Name')}.",
        )
    return name


def _is_letter_or_number(character: str) -> bool:
    return character.isascii() and character.isalnum()
