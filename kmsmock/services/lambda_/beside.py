"""Beside what stores functions: their environment variables are encrypted under keys of KMS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kmsmock.aws.arns import Arn, looks_like_arn
from kmsmock.aws.errors import ServiceError
from kmsmock.services.beside import BesideStore, NotStoredError, Steps
from kmsmock.services.lambda_.kms_use import (
    ERRORS,
    Environment,
    decrypt_variables,
    decrypt_when_invoked,
    encrypt_variables,
    retire_grant,
)
from kmsmock.services.registry import ServiceCall


@dataclass(slots=True)
class Functions:
    """Functions by ARN: their role and key as given, and their variables if they have any.

    environments: of published versions too, by their ARN. aliases: ARN of one -> of its version.
    """

    settings: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def _create_function(call: ServiceCall) -> Steps:
    parameters = call.parameters
    yield from _keep(call, parameters, parameters["Role"], parameters.get("KMSKeyArn"))


def _update_function_configuration(call: ServiceCall) -> Steps:
    arn, parameters = _arn(call), call.parameters
    role, key_id = _functions(call).settings.get(arn, (None, None))
    role = parameters.get("Role", role)
    if role is None or not parameters.keys() & {"Environment", "KMSKeyArn", "Role"}:
        answer = yield  # to a function that was stored before, or without anything for KMS
        _keep_version(call, answer)
        _show_variables(call, answer)
        return
    before = _functions(call).environments.get(arn)
    configuration: Mapping[str, Any] = parameters
    if "Environment" not in parameters:
        configuration = {}
        if before is not None:
            configuration = {"Environment": {"Variables": decrypt_variables(call, arn, before)}}
    yield from _keep(call, configuration, role, parameters.get("KMSKeyArn", key_id))


def _keep(
    call: ServiceCall, configuration: Mapping[str, Any], role: str, key_id: str | None
) -> Steps:
    """Encrypt variables, and keep them once the function is stored; older ones lose their grant."""
    arn, state = _arn(call), _functions(call)
    variables = configuration.get("Environment", {}).get("Variables")
    environment = None
    if variables:
        environment = encrypt_variables(call, arn, variables, key_id, role)
    try:
        answer = yield
    except NotStoredError:
        _retire_grant(call, environment)
        raise
    state.settings[arn] = (role, key_id)
    _retire_grant(call, state.environments.pop(arn, None))
    if environment is not None:
        state.environments[arn] = environment
    _keep_version(call, answer)


def _publish_version(call: ServiceCall) -> Steps:
    answer = yield
    _keep_version(call, answer)
    _show_variables(call, answer)


def _keep_version(call: ServiceCall, configuration: Mapping[str, Any]) -> None:
    """Keep the variables of a version that was published: they stay as they are."""
    environments, arn = _functions(call).environments, _arn(call)
    if arn in environments:
        environments.setdefault(_version_arn(arn, configuration.get("Version")), environments[arn])


def _set_alias(call: ServiceCall) -> Steps:
    answer = yield
    arn = _arn(call)
    aliases = _functions(call).aliases
    aliases[f"{arn}:{answer['Name']}"] = _version_arn(arn, answer["FunctionVersion"])


def _get_function(call: ServiceCall) -> Steps:
    answer = yield
    _show_variables(call, answer.get("Configuration", answer))


def _list_functions(call: ServiceCall) -> Steps:
    answer = yield
    for configuration in (*answer.get("Functions", ()), *answer.get("Versions", ())):
        _show_variables(call, configuration)


def _delete_function(call: ServiceCall) -> Steps:
    yield
    state, arn, qualifier = _functions(call), _arn(call), _qualifier(call)
    deleted = [_version_arn(arn, qualifier)]
    if qualifier is None:
        state.settings.pop(arn, None)
        deleted += [known for known in state.environments if known.startswith(f"{arn}:")]
    for known in deleted:
        _retire_grant(call, state.environments.pop(known, None))


def _invoke(call: ServiceCall) -> Steps:
    arn, state = _arn(call), _functions(call)
    version = _version_arn(arn, _qualifier(call))
    environment = state.environments.get(state.aliases.get(version, version))
    if environment is not None:
        decrypt_when_invoked(call, arn, environment)
    yield


def _show_variables(call: ServiceCall, configuration: dict[str, Any]) -> None:
    """Show the variables to one who may decrypt them, or else why not."""
    arn = _without_qualifier(configuration["FunctionArn"])
    version = _version_arn(arn, configuration.get("Version"))
    environment = _functions(call).environments.get(version)
    if environment is None:
        return
    try:
        configuration["Environment"] = {"Variables": decrypt_variables(call, arn, environment)}
    except ServiceError as error:
        configuration["Environment"] = {
            "Error": {
                "ErrorCode": error.code,
                "Message": "Lambda was unable to decrypt your environment variables because the "
                "KMS access was denied. Please check your KMS permissions. KMS Exception: "
                f"{error.code} KMS Message: {error.message or 'null'}",
            }
        }


def _retire_grant(call: ServiceCall, environment: Environment | None) -> None:
    """Retire the grant of variables that are no more, unless a version shares it."""
    if environment is not None and environment not in _functions(call).environments.values():
        retire_grant(call, environment)


def _arn(call: ServiceCall) -> str:
    name: str = call.parameters["FunctionName"]
    if looks_like_arn(name):
        return _without_qualifier(name)
    account, _, name = name.rpartition(":function:")
    arn = call.arn("lambda", f"function:{name}", account=account or None)
    return _without_qualifier(arn)


def _without_qualifier(function_arn: str) -> str:
    """Return the ARN of a function itself, from that of a version or alias."""
    arn = Arn.of(function_arn)
    return str(arn._replace(resource=":".join(arn.resource.split(":")[:2])))


def _qualifier(call: ServiceCall) -> str | None:
    """Return the version or alias that a call is about; None for the function itself."""
    name: str = call.parameters["FunctionName"]
    name = name.partition(":function:")[2] or name
    qualifier: str | None = call.parameters.get("Qualifier") or name.partition(":")[2] or None
    return qualifier


def _version_arn(arn: str, version: str | None) -> str:
    return arn if version in (None, "$LATEST") else f"{arn}:{version}"


def _functions(call: ServiceCall) -> Functions:
    return call.backend.service_state(Functions)


BESIDE = BesideStore(
    {
        "CreateFunction": _create_function,
        "UpdateFunctionConfiguration": _update_function_configuration,
        "UpdateFunctionCode": _publish_version,
        "PublishVersion": _publish_version,
        "CreateAlias": _set_alias,
        "UpdateAlias": _set_alias,
        "GetFunction": _get_function,
        "GetFunctionConfiguration": _get_function,
        "ListFunctions": _list_functions,
        "ListVersionsByFunction": _list_functions,
        "DeleteFunction": _delete_function,
        "Invoke": _invoke,
    },
    ERRORS,
)
