"""Errors of services that speak the query protocol: the class name is the code."""

from __future__ import annotations

from kmsmock.errors import ServiceError


class AccessDenied(ServiceError):
    """The caller may not do this."""

    status = 403


class InvalidAction(ServiceError):
    """The service has no such operation, or it is not emulated."""


class InvalidClientTokenId(ServiceError):
    """The access key is nobody's."""

    status = 403


class MalformedPolicyDocument(ServiceError):
    """A policy is none."""


class ValidationError(ServiceError):
    """A parameter breaks a limit."""
