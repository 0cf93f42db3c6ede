"""Errors of services that use the query protocol: the class name is the code."""

from __future__ import annotations

from kmsmock.aws.errors import ServiceError


class AccessDenied(ServiceError):
    """The caller is not authorized."""

    status = 403


class DeleteConflict(ServiceError):
    """The entity that is to be deleted has subordinate entities."""

    status = 409


class EntityAlreadyExists(ServiceError):
    """The name is in use."""

    status = 409


class InvalidInput(ServiceError):
    """A parameter contradicts other parameters, or what exists."""


class LimitExceeded(ServiceError):
    """A quota of IAM is reached."""

    status = 409


class MalformedPolicyDocument(ServiceError):
    """The text is not a valid policy."""


class NoSuchEntity(ServiceError):
    """The user, role, group, policy or access key does not exist."""

    status = 404


class PackedPolicyTooLarge(ServiceError):
    """Session policies and session tags together are too large."""


class UnmodifiableEntity(ServiceError):
    """A service-linked role, which only its service changes."""


class ValidationError(ServiceError):
    """A parameter breaks a limit."""
