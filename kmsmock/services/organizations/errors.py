"""Errors of Organizations: the class name is the code.

Source: AWS Organizations API Reference; texts are those of responses in public issues and tests.
"""

from __future__ import annotations

from typing import ClassVar

from kmsmock.aws.errors import ServiceError


class _Error(ServiceError):
    """An error with AWS's only text for it."""

    text_member = "Message"
    TEXT: ClassVar[str]

    def __init__(self, message: str | None = None, *, explanation: str | None = None) -> None:
        super().__init__(message or self.TEXT, explanation=explanation)


class AWSOrganizationsNotInUseException(_Error):
    """The account is in no organization."""

    TEXT = "Your account is not a member of an organization."


class AccountNotFoundException(_Error):
    """The account is not in the organization."""

    TEXT = "You specified an account that doesn't exist."


class ChildNotFoundException(_Error):
    """The account or organizational unit is not in the organization."""

    TEXT = "You specified a child that doesn't exist."


class InvalidInputException(_Error):
    """A parameter has an invalid value."""

    TEXT = "You specified an invalid value."


class OrganizationalUnitNotFoundException(_Error):
    """The organizational unit is not in the organization."""

    TEXT = "You specified an organizational unit that doesn't exist."


class ParentNotFoundException(_Error):
    """The root or organizational unit is not in the organization."""

    TEXT = "You specified a parent that doesn't exist."


class PolicyNotFoundException(_Error):
    """The organization has no such policy."""

    TEXT = "You specified a policy that doesn't exist."


class TargetNotFoundException(_Error):
    """The root, organizational unit or account is not in the organization."""

    TEXT = "You specified a target that doesn't exist."
