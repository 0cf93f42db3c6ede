"""What IAM and STS accept as names, paths and tags.

Source: IAM API Reference, CreateUser, CreateRole, CreateGroup, CreatePolicy and Tag; AWS STS API
Reference, AssumeRole and GetFederationToken. A test compares the limits with botocore's models,
which check the requests to IAM and STS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from kmsmock.aws.arns import looks_like_arn
from kmsmock.aws.policy_limits import CountLimit
from kmsmock.aws.principals import PrincipalKind
from kmsmock.misuse.values import describe, require_type

#: The quotas of tags, groups and access keys. Source: IAM User Guide, "IAM and AWS STS quotas".
MAX_TAGS = 50
GROUPS_PER_USER = CountLimit("the groups of a user", 10)
KEYS_PER_USER = CountLimit("the access keys of a user", 2)


class NameLimits(NamedTuple):
    """The limits of a name."""

    #: What is named.
    word: str
    #: The least and the greatest length, in characters.
    low: int
    high: int

    def require(self, name: object) -> None:
        """Require a valid name. Raises TypeError, ValueError."""
        require_type(name, str, f"the {self.word}", "a str")
        text = str(name)
        if not (self.low <= len(text) <= self.high and VALID_NAME.fullmatch(text)):
            length = "" if len(text) <= self.high else f" ({len(text)})"
            hint = "; kms.principal takes an ARN" if looks_like_arn(text) else ""
            raise ValueError(
                f"the {self.word} must be {self.low} to {self.high} letters, digits and +=,.@_-, "
                f"not {describe(text)}{length}{hint}"
            )


#: The characters of all names.
VALID_NAME = re.compile(r"[\w+=,.@-]+", re.ASCII)
USER_NAME = NameLimits("user name", 1, 64)
ROLE_NAME = NameLimits("role name", 1, 64)
GROUP_NAME = NameLimits("group name", 1, 128)
POLICY_NAME = NameLimits("policy name", 1, 128)
#: Kind of principal -> the limits of its name.
NAME_LIMITS = {PrincipalKind.USER: USER_NAME, PrincipalKind.ASSUMED_ROLE: ROLE_NAME}
ROLE_SESSION_NAME = NameLimits("role session name", 2, 64)
FEDERATED_USER_NAME = NameLimits("name of a federated user", 2, 32)

_PATH = re.compile(r"/|/[!-~]+/")
_MAX_PATH = 512
_TAG_TEXT = re.compile(r"[\w\s.:/=+@-]*")
_MAX_TAG_KEY = 128
_MAX_TAG_VALUE = 256


def is_path(text: str) -> bool:
    """Return whether a text is a valid path."""
    return len(text) <= _MAX_PATH and _PATH.fullmatch(text) is not None


def require_path(path: object) -> None:
    """Require a valid path, such as ``/team/``. Raises TypeError, ValueError."""
    require_type(path, str, "the path", "a str")
    text = str(path)
    if not is_path(text):
        whole = f"/{text.strip('/')}/"
        hint = f": write {whole!r}" if _PATH.fullmatch(whole) else ""
        raise ValueError(
            f"the path must be / or begin and end with it, and have at most {_MAX_PATH} "
            f"characters, not {describe(text)}{hint}"
        )


def require_tags(tags: object) -> dict[str, str]:
    """Return valid tags. tags: name -> value. Raises TypeError, ValueError."""
    if not isinstance(tags, Mapping):
        raise TypeError(f"tags must be a dict, such as {{'team': 'a'}}, not {describe(tags)}")
    for key, value in tags.items():
        require_type(key, str, "the key of a tag", "a str")
        require_type(value, str, f"the value of the tag {key!r}", "a str")
        if not (1 <= len(key) <= _MAX_TAG_KEY and _TAG_TEXT.fullmatch(key)):
            raise ValueError(f"the key of a tag cannot be {describe(key)}")
        if not (len(value) <= _MAX_TAG_VALUE and _TAG_TEXT.fullmatch(value)):
            raise ValueError(f"the value of the tag {key!r} cannot be {describe(value)}")
    if len(tags) > MAX_TAGS:
        raise ValueError(f"there can be {MAX_TAGS} tags, not {len(tags)}")
    return dict(tags)
