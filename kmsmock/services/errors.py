"""Errors of services that speak the query protocol: the class name is the code."""

from __future__ import annotations

from kmsmock.aws.errors import ServiceError


class AccessDenied(ServiceError):
    """The caller may not do this."""

    status = 403


class DeleteConflict(ServiceError):
    """Something still belongs to what is to be deleted."""

    status = 409


class EntityAlreadyExists(ServiceError):
    """The name is taken."""

    status = 409


class InvalidAction(ServiceError):
    """The service has no such operation, or it is not emulated."""


class InvalidClientTokenId(ServiceError):
    """The access key is nobody's."""

    status = 403


class InvalidInput(ServiceError):
    """A parameter does not fit the others, or what there is."""


class LimitExceeded(ServiceError):
    """A quota of IAM is reached."""

    status = 409


class MalformedPolicyDocument(ServiceError):
    """A policy is none."""


class NoSuchEntity(ServiceError):
    """There is no such user, role, group, policy or access key."""

    status = 404


class ValidationError(ServiceError):
    """A parameter breaks a limit."""
