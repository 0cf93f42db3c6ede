"""Lambda beside another store: environment variables, packages and filters are encrypted."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from kmsmock.aws.errors import ServiceError
from kmsmock.services.beside import BesideStore, NotStoredError, Steps
from kmsmock.services.lambda_ import event_sources
from kmsmock.services.lambda_.kms_use import (
    ERRORS,
    decrypt_variables,
    decrypt_when_invoked,
    encrypt_variables,
    retire_grant,
)
from kmsmock.services.lambda_.names import (
    function_arn,
    qualifier_of,
    require_role,
    version_arn,
    without_qualifier,
)
from kmsmock.services.lambda_.packages import encrypt_package, set_package, show_package
from kmsmock.services.lambda_.state import Environment, functions_of
from kmsmock.services.lambda_.store import (
    get_environment,
    get_settings,
    shown_in,
)
from kmsmock.services.registry import ServiceCall


def _create_function(call: ServiceCall) -> Steps:
    parameters = call.parameters
    package = encrypt_package(call, parameters.get("Code", {}).get("SourceKMSKeyArn"))
    answer = yield from _encrypt_and_store(
        call, parameters, parameters["Role"], parameters.get("KMSKeyArn")
    )
    set_package(call, package)
    _record_version(call, answer)


def _update_function_configuration(call: ServiceCall) -> Steps:
    arn, parameters = function_arn(call), call.parameters
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
    answer = yield from _encrypt_and_store(
        call, configuration, role, parameters.get("KMSKeyArn", key_id)
    )
    _record_version(call, answer)


def _encrypt_and_store(
    call: ServiceCall, configuration: Mapping[str, Any], role: str, key_id: str | None
) -> Generator[None, dict[str, Any], dict[str, Any]]:
    """Encrypt the variables of a function, and record them once it is stored; return the answer.

    configuration: of the request. role, key_id: of the function. The grant for the old variables
    is retired.
    """
    arn, state = function_arn(call), functions_of(call)
    variables = configuration.get("Environment", {}).get("Variables")
    environment = None
    if variables:
        require_role(role)
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
    return answer


def _update_function_code(call: ServiceCall) -> Steps:
    package = encrypt_package(call, call.parameters.get("SourceKMSKeyArn"))
    answer = yield
    if not call.parameters.get("DryRun"):
        set_package(call, package)
        _record_version(call, answer)
    _set_variables(call, answer)


def _publish_version(call: ServiceCall) -> Steps:
    get_environment(call, function_arn(call))
    answer = yield
    _record_version(call, answer)
    _set_variables(call, answer)


def _record_version(call: ServiceCall, configuration: Mapping[str, Any]) -> None:
    """Record the variables and the package of a published version, which never change."""
    state, arn = functions_of(call), function_arn(call)
    version = version_arn(arn, configuration.get("Version"))
    if arn in state.environments and version not in state.environments:
        state.environments[version] = state.environments[arn]
        state.shown[version] = shown_in(configuration)
    if arn in state.packages:
        state.packages.setdefault(version, state.packages[arn])


def _set_alias(call: ServiceCall) -> Steps:
    answer = yield
    arn = function_arn(call)
    aliases = functions_of(call).aliases
    aliases[f"{arn}:{answer['Name']}"] = version_arn(arn, answer["FunctionVersion"])


def _get_function(call: ServiceCall) -> Steps:
    answer = yield
    _set_variables(call, answer["Configuration"])
    show_package(call, _version_named(call), answer)


def _get_function_configuration(call: ServiceCall) -> Steps:
    answer = yield
    _set_variables(call, answer)


def _list_functions(call: ServiceCall) -> Steps:
    answer = yield
    for configuration in (*answer.get("Functions", ()), *answer.get("Versions", ())):
        _set_variables(call, configuration)


def _delete_function(call: ServiceCall) -> Steps:
    state, arn, qualifier = functions_of(call), function_arn(call), qualifier_of(call)
    get_environment(call, version_arn(arn, qualifier))
    yield
    deleted = [version_arn(arn, qualifier)]
    if qualifier is None:
        state.settings.pop(arn, None)
        versions = {*state.environments, *state.packages}
        deleted += [version for version in versions if version.startswith(f"{arn}:")]
    for version in deleted:
        state.shown.pop(version, None)
        state.packages.pop(version, None)
        _retire_grant(call, state.environments.pop(version, None))


def _invoke(call: ServiceCall) -> Steps:
    arn = function_arn(call)
    environment = get_environment(call, version_arn(arn, qualifier_of(call)))
    if environment is not None:
        decrypt_when_invoked(call, arn, environment)
    yield


def _version_named(call: ServiceCall) -> str:
    """Return the ARN of the function or of the published version that a call names."""
    version = version_arn(function_arn(call), qualifier_of(call))
    return functions_of(call).aliases.get(version, version)


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


BESIDE = BesideStore(
    {
        "CreateFunction": _create_function,
        "UpdateFunctionConfiguration": _update_function_configuration,
        "UpdateFunctionCode": _update_function_code,
        "PublishVersion": _publish_version,
        "CreateAlias": _set_alias,
        "UpdateAlias": _set_alias,
        "GetFunction": _get_function,
        "GetFunctionConfiguration": _get_function_configuration,
        "ListFunctions": _list_functions,
        "ListVersionsByFunction": _list_functions,
        "DeleteFunction": _delete_function,
        "Invoke": _invoke,
        **event_sources.OPERATIONS,
    },
    ERRORS,
    data_operations=("Invoke",),
)
