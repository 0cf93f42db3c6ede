"""Lambda beside another store: environment variables are encrypted with KMS keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kmsmock.aws.arns import looks_like_arn
from kmsmock.aws.errors import ServiceError
from kmsmock.services.beside import BesideStore, NotStoredError, Steps
from kmsmock.services.lambda_.kms_use import (
    ERRORS,
    decrypt_variables,
    decrypt_when_invoked,
    encrypt_variables,
    retire_grant,
)
from kmsmock.services.lambda_.state import Environment, functions_of
from kmsmock.services.lambda_.store import (
    get_environment,
    get_settings,
    shown_in,
    version_arn,
    without_qualifier,
)
from kmsmock.services.registry import ServiceCall


def _create_function(call: ServiceCall) -> Steps:
    parameters = call.parameters
    yield from _encrypt_and_store(call, parameters, parameters["Role"], parameters.get("KMSKeyArn"))


def _update_function_configuration(call: ServiceCall) -> Steps:
    arn, parameters = _arn(call), call.parameters
    role, key_id = get_settings(call, arn)
    role = parameters.get("Role", role)
    if role is None or not parameters.keys() & {"Environment", "KMSKeyArn", "Role"}:
        answer = yield  # The function is unknown, or nothing for KMS changes.
        _record_version(call, answer)
        _set_variables(call, answer)
        return
    old_environment = get_environment(call, arn)
    configuration: Mapping[str, Any] = parameters
    if "Environment" not in parameters:
        configuration = {}
        if old_environment is not None:
            configuration = {
                "Environment": {"Variables": decrypt_variables(call, arn, old_environment)}
            }
    yield from _encrypt_and_store(call, configuration, role, parameters.get("KMSKeyArn", key_id))


def _encrypt_and_store(
    call: ServiceCall, configuration: Mapping[str, Any], role: str, key_id: str | None
) -> Steps:
    """Encrypt the variables of a function, and record them once the function is stored.

    configuration: of the request. role, key_id: of the function. The grant for the old variables
    is retired.
    """
    arn, state = _arn(call), functions_of(call)
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
    state.shown[arn] = shown_in(answer)
    if environment is not None:
        state.environments[arn] = environment
    _record_version(call, answer)


def _publish_version(call: ServiceCall) -> Steps:
    get_environment(call, _arn(call))
    answer = yield
    _record_version(call, answer)
    _set_variables(call, answer)


def _record_version(call: ServiceCall, configuration: Mapping[str, Any]) -> None:
    """Record the variables of a published version, which never change."""
    state, arn = functions_of(call), _arn(call)
    name = version_arn(arn, configuration.get("Version"))
    if arn in state.environments and name not in state.environments:
        state.environments[name] = state.environments[arn]
        state.shown[name] = shown_in(configuration)


def _set_alias(call: ServiceCall) -> Steps:
    answer = yield
    arn = _arn(call)
    aliases = functions_of(call).aliases
    aliases[f"{arn}:{answer['Name']}"] = version_arn(arn, answer["FunctionVersion"])


def _get_function(call: ServiceCall) -> Steps:
    answer = yield
    _set_variables(call, answer.get("Configuration", answer))


def _list_functions(call: ServiceCall) -> Steps:
    answer = yield
    for configuration in (*answer.get("Functions", ()), *answer.get("Versions", ())):
        _set_variables(call, configuration)


def _delete_function(call: ServiceCall) -> Steps:
    state, arn, qualifier = functions_of(call), _arn(call), _qualifier(call)
    get_environment(call, version_arn(arn, qualifier))
    yield
    deleted = [version_arn(arn, qualifier)]
    if qualifier is None:
        state.settings.pop(arn, None)
        deleted += [version for version in state.environments if version.startswith(f"{arn}:")]
    for version in deleted:
        state.shown.pop(version, None)
        _retire_grant(call, state.environments.pop(version, None))


def _invoke(call: ServiceCall) -> Steps:
    arn = _arn(call)
    environment = get_environment(call, version_arn(arn, _qualifier(call)))
    if environment is not None:
        decrypt_when_invoked(call, arn, environment)
    yield


def _set_variables(call: ServiceCall, configuration: dict[str, Any]) -> None:
    """Set the variables in an answer, decrypted as the caller, or else the error of KMS.

    configuration: of a function or version.
    """
    arn = without_qualifier(configuration["FunctionArn"])
    environment = get_environment(call, version_arn(arn, configuration.get("Version")))
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
    """Retire the grant for variables that were removed, unless a version still uses it."""
    if environment is not None and environment not in functions_of(call).environments.values():
        retire_grant(call, environment)


def _arn(call: ServiceCall) -> str:
    """Return the ARN of the function that a call names, without a qualifier."""
    name: str = call.parameters["FunctionName"]
    if looks_like_arn(name):
        return without_qualifier(name)
    account, _, name = name.rpartition(":function:")
    arn = call.arn("lambda", f"function:{name}", account=account or None)
    return without_qualifier(arn)


def _qualifier(call: ServiceCall) -> str | None:
    """Return the version or alias that a call names; None for the function itself."""
    name: str = call.parameters["FunctionName"]
    name = name.partition(":function:")[2] or name
    qualifier: str | None = call.parameters.get("Qualifier") or name.partition(":")[2] or None
    return qualifier


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
    data_operations=("Invoke",),
)
