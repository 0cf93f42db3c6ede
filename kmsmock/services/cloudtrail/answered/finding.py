"""How requests name trails: by name in the home Region, by ARN anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from kmsmock.aws.arns import Arn, looks_like_arn
from kmsmock.services.cloudtrail import errors
from kmsmock.services.registry import ServiceCall
from kmsmock.trail.configured import ConfiguredTrail, Trails

_SHORTEST_NAME, _LONGEST_NAME = 3, 128
_LETTERS = re.compile(r"[A-Za-z0-9._-]+")
_NEIGHBOURS = re.compile(r"[._-]{2}")
_RESOURCE_TYPE = "trail"


def trails(call: ServiceCall) -> Trails:
    """Return the trails of all accounts."""
    return call.backend.service_state(Trails)


def trail_arn(call: ServiceCall, name: str) -> str:
    """Return the ARN that a trail of this name has in the Region of the call."""
    return call.arn("cloudtrail", f"{_RESOURCE_TYPE}/{name}")


def named(member: str) -> Callable[[ServiceCall], str]:
    """Return the ARN of the trail that a parameter names, for policies."""

    def arn(call: ServiceCall) -> str:
        return _arn_of(call, call.parameters[member])

    return arn


def find_trail(call: ServiceCall, name: str) -> ConfiguredTrail:
    """Find a trail by name or ARN.

    Raises TrailNotFoundException, InvalidTrailNameException, CloudTrailARNInvalidException.
    """
    trail = trails(call).get(_arn_of(call, name))
    if trail is None or trail.account != call.account or not trail.covers(call.region):
        raise errors.TrailNotFoundException(
            f"Unknown trail: {name} for the user: {call.account}",
            explanation="A name is looked for among the trails of this Region; those of others are "
            "found by their ARN, when they are multi-Region trails.",
        )
    return trail


def find_own_trail(call: ServiceCall, name: str) -> ConfiguredTrail:
    """Find a trail that is to be changed, which its home Region alone can do.

    Raises what `find_trail` does, and InvalidHomeRegionException.
    """
    trail = find_trail(call, name)
    if trail.home_region != call.region:
        raise errors.InvalidHomeRegionException(
            f"Trail {trail.arn} can only be modified from its home region: {trail.home_region}"
        )
    return trail


def require_good_name(name: str) -> None:
    """Raise InvalidTrailNameException for what no trail can be called.

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
    if _LETTERS.fullmatch(name) is None or _NEIGHBOURS.search(name):
        raise errors.InvalidTrailNameException(
            "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, "
            "periods (.), hyphens (-), and underscores (_).",
            explanation="Periods, hyphens and underscores must not stand beside each other.",
        )


def _arn_of(call: ServiceCall, name: str) -> str:
    if not looks_like_arn(name):
        require_good_name(name)
        return trail_arn(call, name)
    arn = Arn.parse(name)
    if arn is None or arn.service != "cloudtrail" or arn.resource_type != _RESOURCE_TYPE:
        raise errors.CloudTrailARNInvalidException(
            f"The ARN is not valid: {name}",
            explanation=f"The ARN of a trail is like {trail_arn(call, 'Name')}.",
        )
    return name


def _is_letter_or_number(letter: str) -> bool:
    return letter.isascii() and letter.isalnum()
