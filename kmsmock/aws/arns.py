"""Parse and build ARNs, account ids and key identifiers.

Source: IAM User Guide, "Identify AWS resources with ARNs" and "IAM identifiers"; AWS KMS Developer
Guide, "Key identifiers".
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kmsmock.aws.regions import partition_of

ALIAS_PREFIX = "alias/"
AWS_ALIAS_PREFIX = "alias/aws/"

_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_ACCOUNT_PRINCIPAL = re.compile(r"([0-9]{12})|arn:([a-z-]+):iam::([0-9]{12}):root")
#: The separators between a resource's type and its id.
_TYPE_ENDS = re.compile(r"[:/]")
_KEY_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|mrk-[0-9a-fA-F]{32}")


def is_arn(text: str) -> bool:
    """Return whether a text has the six parts of an ARN."""
    return text.startswith("arn:") and text.count(":") >= 5


class NotAnArnError(ValueError):
    """A text does not have the six parts of an ARN."""


class Arn(NamedTuple):
    """The parts of an Amazon Resource Name: ``arn:partition:service:region:account:resource``.

    resource: an id, or type and id: ``<type>/<id>`` or ``<type>:<id>``.
    """

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return ":".join(("arn", *self))

    @classmethod
    def parse(cls, text: str) -> Arn | None:
        """Parse an ARN; return None if the text does not have its six parts."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn":
            return None
        return cls(*parts[1:])

    @classmethod
    def of(cls, text: str) -> Arn:
        """Parse an ARN; raises NotAnArnError if the text does not have its six parts."""
        arn = cls.parse(text)
        if arn is None:
            raise NotAnArnError(f"{text!r} is not an ARN")
        return arn

    @property
    def resource_type(self) -> str:
        """The type of the resource, such as ``key`` or ``assumed-role``; empty if it has none."""
        end = _TYPE_ENDS.search(self.resource)
        return "" if end is None else self.resource[: end.start()]

    @property
    def resource_id(self) -> str:
        """The resource without its type: key id, ``path/name``, ``role/session``."""
        end = _TYPE_ENDS.search(self.resource)
        return self.resource if end is None else self.resource[end.end() :]

    @property
    def name(self) -> str:
        """The last part of the resource id: the name of a user, role or session, without path."""
        return self.resource_id.rpartition("/")[2]

    @property
    def path(self) -> str:
        """The path of a user, role, group or managed policy, such as ``/`` or ``/team/``."""
        return f"/{self.resource_id}".rpartition("/")[0] + "/"

    @property
    def role_and_session(self) -> tuple[str, str] | None:
        """The names of role and session in the ARN of a role session; None for others."""
        role, slash, session = self.resource_id.partition("/")
        is_session = self.resource_type == "assumed-role" and slash and "/" not in session
        return (role, session) if is_session else None

    @property
    def key_or_alias(self) -> str | None:
        """The key id in a key ARN, the alias name with ``alias/`` in an alias ARN; else None."""
        resource_type, _, name = self.resource.partition("/")
        if self.service != "kms" or not name:
            return None
        if resource_type == "key":
            return name
        return self.resource if resource_type == "alias" else None

    @property
    def is_of_aws(self) -> bool:
        """Whether it is the ARN of an AWS managed policy."""
        return (self.service, self.account) == ("iam", "aws")

    @property
    def is_account_root(self) -> bool:
        """Whether it is the ARN of the root user, which in policies stands for the account."""
        return self.service == "iam" and self.resource == "root"


def looks_like_arn(text: str) -> bool:
    """Return whether a text begins like an ARN, complete or not."""
    return text.startswith("arn:")


def resource_of(text: str) -> str:
    """Return the resource part of an ARN, such as ``alias/name``; other texts unchanged."""
    arn = Arn.parse(text)
    return text if arn is None else arn.resource


def name_in(text: str) -> str:
    """Return the name at the end of an ARN; other texts unchanged."""
    arn = Arn.parse(text)
    return text if arn is None else arn.name


def is_account_id(value: object) -> bool:
    """Return whether a value is an AWS account id: a string of 12 digits."""
    return isinstance(value, str) and _ACCOUNT_ID.fullmatch(value) is not None


def read_account_principal(text: str) -> tuple[str | None, str] | None:
    """Return partition and account id of an account principal, as in policies and grants.

    text: 12 digits, whose partition is None, or the ARN of the root user. Return None for others.
    Source: IAM User Guide, "AWS JSON policy elements: Principal", "AWS account principals".
    """
    match = _ACCOUNT_PRINCIPAL.fullmatch(text)
    if match is None:
        return None
    account_id, partition, account_of_root = match.groups()
    return partition, account_id or account_of_root


def is_key_id(text: str) -> bool:
    """Return whether a text has the form of a key id: a UUID, or ``mrk-`` and 32 hex digits."""
    return _KEY_ID.fullmatch(text) is not None


def key_arn(region: str, account: str, key_id: str) -> str:
    """Return the ARN of a KMS key."""
    return f"arn:{partition_of(region)}:kms:{region}:{account}:key/{key_id}"


def alias_arn(region: str, account: str, alias_name: str) -> str:
    """Return the ARN of an alias; its name begins with ``alias/``."""
    return f"arn:{partition_of(region)}:kms:{region}:{account}:{alias_name}"


def iam_arn(partition: str, account: str, resource: str) -> str:
    """Return an IAM ARN. resource: such as ``user/path/name`` or ``root``."""
    return f"arn:{partition}:iam::{account}:{resource}"


def root_arn(partition: str, account: str) -> str:
    """Return the ARN of an account's root user, by which policies name the account."""
    return iam_arn(partition, account, "root")


def name_account_by_root(principal: str, partition: str) -> str:
    """Return the ARN of the root user for an account id; other names of principals unchanged."""
    return root_arn(partition, principal) if is_account_id(principal) else principal


def name_root_by_account(principal: str) -> str:
    """Return the account id for the ARN of a root user; other names of principals unchanged."""
    account = read_account_principal(principal)
    return principal if account is None else account[1]


def session_arn(partition: str, account: str, role: str, session: str) -> str:
    """Return the ARN of a role session. role: the name of the role, without its path."""
    return f"arn:{partition}:sts::{account}:assumed-role/{role}/{session}"


def federated_user_arn(partition: str, account: str, name: str) -> str:
    """Return the ARN of a federated user."""
    return f"arn:{partition}:sts::{account}:federated-user/{name}"


def aws_managed_policy_arn(partition: str, name: str) -> str:
    """Return the ARN of an AWS managed policy."""
    return iam_arn(partition, "aws", f"policy/{name}")
