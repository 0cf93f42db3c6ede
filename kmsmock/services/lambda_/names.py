"""The names of functions: a name, an ARN or part of one, with or without a version or alias."""

from __future__ import annotations

import re

from kmsmock.aws.arns import Arn, NotAnArnError, looks_like_arn
from kmsmock.aws.coded_error import CodedError
from kmsmock.services.registry import ServiceCall

#: Source: AWS Lambda API Reference, CreateFunction, Role.
_ROLE = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"


def require_role(arn: str) -> None:
    """Require the ARN of a role as execution role (ValidationException)."""
    if not re.fullmatch(_ROLE, arn):
        raise CodedError(
            "ValidationException",
            f"1 validation error detected: Value '{arn}' at 'role' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {_ROLE}",
        )


def function_arn(call: ServiceCall) -> str:
    """Return the ARN of the function that a call names, without a qualifier."""
    name: str = call.parameters["FunctionName"]
    if looks_like_arn(name):
        return without_qualifier(name)
    account, _, name = name.rpartition(":function:")
    arn = call.arn("lambda", f"function:{name}", account=account or None)
    return without_qualifier(arn)


def without_qualifier(arn: str) -> str:
    """Return the ARN of a function from that of a version or alias.

    Raises NotAnArnError for other texts.
    """
    parsed = Arn.of(arn)
    if parsed.resource_type != "function":
        raise NotAnArnError(f"{arn!r} is not the ARN of a function")
    return str(parsed._replace(resource=":".join(parsed.resource.split(":")[:2])))


def qualifier_of(call: ServiceCall) -> str | None:
    """Return the version or alias that a call names; None for the function itself."""
    name: str = call.parameters["FunctionName"]
    name = name.partition(":function:")[2] or name
    qualifier: str | None = call.parameters.get("Qualifier") or name.partition(":")[2] or None
    return qualifier


def version_arn(arn: str, version: str | None) -> str:
    """Return the ARN of a version of a function. arn: of the function."""
    return arn if version in (None, "$LATEST") else f"{arn}:{version}"
