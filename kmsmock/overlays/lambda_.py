"""Environment variables of AWS Lambda functions under keys of KMS.

Source: AWS Lambda Developer Guide, "Securing Lambda environment variables" and "Troubleshoot
invocation issues in Lambda".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from kmsmock.errors import DisabledException, NotFoundException, ServiceError
from kmsmock.services.beside import BesideStore, NotStoredError, Steps
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates, translate_error
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import find_key

_MANAGED_KEY = "alias/aws/lambda"
_UNABLE = "Lambda was unable to decrypt the environment variables because"
_SETTINGS = "Please check the function's KMS key settings."
_WHEN_INVOKED: ErrorTemplates = {
    "AccessDeniedException": ErrorTemplate(
        "KMSAccessDeniedException",
        f"{_UNABLE} KMS access was denied. {_SETTINGS} KMS Exception: {{code}}"
        "KMS Message: {text}",
        status=502,
    ),
    "DisabledException": ErrorTemplate(
        "KMSDisabledException", f"{_UNABLE} the KMS key used is disabled. {_SETTINGS}", status=502
    ),
    "NotFoundException": ErrorTemplate(
        "KMSNotFoundException", f"{_UNABLE} the KMS key was not found. {_SETTINGS}", status=502
    ),
    "*": ErrorTemplate(
        "KMSInvalidStateException",
        f"{_UNABLE} the state of the KMS key used is not valid for Decrypt. {_SETTINGS}",
        status=502,
    ),
}


@dataclass(frozen=True, slots=True)
class Environment:
    """The encrypted variables of a function. role: the ARN of what it runs as.

    grant_id, grant_token: of the grant by which the role opens them.
    """

    role: str
    key_arn: str
    grant_id: str
    grant_token: str
    ciphertext: bytes


@dataclass(slots=True)
class Functions:
    """Functions by ARN: their role and key as given, and their variables if they have any.

    environments: of published versions too, by their ARN. aliases: ARN of one -> of its version.
    """

    settings: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)


def _create(call: ServiceCall) -> Steps:
    parameters = call.parameters
    given = parameters["Role"], parameters.get("KMSKeyArn")
    yield from _keep(call, parameters, *given)


def _update(call: ServiceCall) -> Steps:
    arn, parameters = _arn(call), call.parameters
    role, key_id = call.backend.service_state(Functions).settings.get(arn, (None, None))
    role = parameters.get("Role", role)
    if role is None or not parameters.keys() & {"Environment", "KMSKeyArn", "Role"}:
        answer = yield  # to a function that was made unseen, or without anything for KMS
        _keep_version(call, answer)
        _show(call, answer)
        return
    before = _environments(call).get(arn)
    variables: Mapping[str, Any] = parameters
    if "Environment" not in parameters:
        variables = {} if before is None else _opened(call, arn, before)
    yield from _keep(call, variables, role, parameters.get("KMSKeyArn", key_id))


def _keep(call: ServiceCall, given: Mapping[str, Any], role: str, key_id: str | None) -> Steps:
    """Encrypt variables, and keep them once the function is stored; older ones lose their grant."""
    arn, held = _arn(call), call.backend.service_state(Functions)
    environment = _encrypt(call, arn, given, key_id, role)
    try:
        answer = yield
    except NotStoredError:
        _retire(call, environment)
        raise
    held.settings[arn] = (role, key_id)
    _retire(call, held.environments.pop(arn, None))
    if environment is not None:
        held.environments[arn] = environment
    _keep_version(call, answer)


def _publish(call: ServiceCall) -> Steps:
    answer = yield
    _keep_version(call, answer)
    _show(call, answer)


def _keep_version(call: ServiceCall, configuration: Mapping[str, Any]) -> None:
    """Keep the variables of a version that was published: they stay as they are."""
    environments, arn = _environments(call), _arn(call)
    if arn in environments:
        environments.setdefault(_version_arn(arn, configuration.get("Version")), environments[arn])


def _keep_alias(call: ServiceCall) -> Steps:
    answer = yield
    arn = _arn(call)
    aliases = call.backend.service_state(Functions).aliases
    aliases[f"{arn}:{answer['Name']}"] = _version_arn(arn, answer["FunctionVersion"])


def _get(call: ServiceCall) -> Steps:
    answer = yield
    _show(call, answer.get("Configuration", answer))


def _list(call: ServiceCall) -> Steps:
    answer = yield
    for configuration in (*answer.get("Functions", ()), *answer.get("Versions", ())):
        _show(call, configuration)


def _delete(call: ServiceCall) -> Steps:
    yield
    held, arn, qualifier = call.backend.service_state(Functions), _arn(call), _qualifier(call)
    gone = [_version_arn(arn, qualifier)]
    if qualifier is None:
        held.settings.pop(arn, None)
        gone += [known for known in held.environments if known.startswith(f"{arn}:")]
    for known in gone:
        _retire(call, held.environments.pop(known, None))


def _invoke(call: ServiceCall) -> Steps:
    arn, held = _arn(call), call.backend.service_state(Functions)
    version = _version_arn(arn, _qualifier(call))
    environment = held.environments.get(held.aliases.get(version, version))
    if environment is not None:
        _, role = environment.role.split(":role/")
        session = f"assumed-role/{role.rpartition('/')[2]}/{arn.split(':')[6]}"
        account = environment.role.split(":")[4]
        principal = call.backend.identities.at(f"arn:{call.partition}:sts::{account}:{session}")
        as_function = KmsCaller(call.backend, principal, call.region, "lambda.amazonaws.com")
        try:
            _decrypt(as_function, arn, environment)
        except ServiceError as error:
            has_grant = call.backend.grant_of_token(call.region, environment.grant_token)
            if (
                error.code == "AccessDeniedException"
                and find_key(call.backend, environment.key_arn) is None
            ):
                error = NotFoundException(error.message, explanation=error.explanation)
            elif error.code == "AccessDeniedException" and has_grant is None:
                # So it shows when the grant of the role has been revoked.
                error = DisabledException(error.message, explanation=error.explanation)
            raise translate_error(error, call, _WHEN_INVOKED) from None
    yield


def _encrypt(
    call: ServiceCall,
    arn: str,
    given: Mapping[str, Any],
    key_id: str | None,
    role: str,
) -> Environment | None:
    """Encrypt variables as the caller, and let the role of the function open them."""
    variables = given.get("Environment", {}).get("Variables")
    if not variables:
        return None
    kms = _kms(call)
    encrypted = kms.call(
        "Encrypt",
        KeyId=key_id or _MANAGED_KEY,
        Plaintext=json.dumps(variables).encode(),
        EncryptionContext=_context(arn),
    )
    key_arn = encrypted["KeyId"]
    call.backend.identities.at(role)
    grant = kms.call(
        "CreateGrant",
        KeyId=key_arn,
        GranteePrincipal=role,
        RetiringPrincipal=_SERVICE,
        Operations=["Decrypt", "RetireGrant"],
        Constraints={"EncryptionContextEquals": _context(arn)},
    )
    return Environment(
        role,
        key_arn,
        grant["GrantId"],
        grant["GrantToken"],
        encrypted["CiphertextBlob"],
    )


def _show(call: ServiceCall, configuration: dict[str, Any]) -> None:
    """Show the variables to one who may decrypt them, or else why not."""
    arn = ":".join(configuration["FunctionArn"].split(":")[:7])
    environment = _environments(call).get(_version_arn(arn, configuration.get("Version")))
    if environment is None:
        return
    try:
        configuration["Environment"] = _opened(call, arn, environment)["Environment"]
    except ServiceError as error:
        configuration["Environment"] = {
            "Error": {
                "ErrorCode": error.code,
                "Message": "Lambda was unable to decrypt your environment variables because the "
                "KMS access was denied. Please check your KMS permissions. KMS Exception: "
                f"{error.code} KMS Message: {error.message or 'null'}",
            }
        }


def _opened(call: ServiceCall, arn: str, environment: Environment) -> dict[str, Any]:
    return {"Environment": {"Variables": _decrypt(_kms(call), arn, environment)}}


def _decrypt(kms: KmsCaller, arn: str, environment: Environment) -> Any:
    opened = kms.call(
        "Decrypt", CiphertextBlob=environment.ciphertext, EncryptionContext=_context(arn)
    )
    return json.loads(opened["Plaintext"])


def _retire(call: ServiceCall, environment: Environment | None) -> None:
    """Retire the grant of variables that are no more, unless a version shares it."""
    if environment is None or environment in _environments(call).values():
        return
    with suppress(ServiceError):  # of a grant that was revoked, or is gone with its key
        KmsCaller.own(call.backend, _SERVICE, call.region).call(
            "RetireGrant", KeyId=environment.key_arn, GrantId=environment.grant_id
        )


def _arn(call: ServiceCall) -> str:
    named: str = call.parameters["FunctionName"]
    if named.startswith("arn:"):
        return ":".join(named.split(":")[:7])
    account, _, name = named.rpartition(":function:")
    name = name.partition(":")[0]
    return f"arn:{call.partition}:lambda:{call.region}:{account or call.account}:function:{name}"


def _qualifier(call: ServiceCall) -> str | None:
    """Give the version or alias that a call is about; None for the function itself."""
    name: str = call.parameters["FunctionName"]
    told = name.partition(":function:")[2] or name
    qualifier: str | None = call.parameters.get("Qualifier") or told.partition(":")[2] or None
    return qualifier


def _version_arn(arn: str, version: str | None) -> str:
    return arn if version in (None, "$LATEST") else f"{arn}:{version}"


def _context(arn: str) -> dict[str, str]:
    return {"aws:lambda:FunctionArn": arn}


def _environments(call: ServiceCall) -> dict[str, Environment]:
    return call.backend.service_state(Functions).environments


_SERVICE = "lambda.amazonaws.com"


def _kms(call: ServiceCall) -> KmsCaller:
    return KmsCaller.forwarded(call, "lambda")


BESIDE = BesideStore(
    {
        "CreateFunction": _create,
        "UpdateFunctionConfiguration": _update,
        "UpdateFunctionCode": _publish,
        "PublishVersion": _publish,
        "CreateAlias": _keep_alias,
        "UpdateAlias": _keep_alias,
        "GetFunction": _get,
        "GetFunctionConfiguration": _get,
        "ListFunctions": _list,
        "ListVersionsByFunction": _list,
        "DeleteFunction": _delete,
        "Invoke": _invoke,
    },
    {
        "*": ErrorTemplate(
            "InvalidParameterValueException",
            "Lambda was unable to configure access to your environment variables because the KMS "
            "key is invalid for CreateGrant. Please check your KMS key settings. KMS Exception: "
            "{code} KMS Message: {text}",
        ),
    },
)
