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

from kmsmock.errors import DisabledException, ServiceError
from kmsmock.overlays.registry import NotStored, Overlay, Refusal, Refusals, Steps, refused
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall

_MANAGED_KEY = "alias/aws/lambda"
_UNABLE = "Lambda was unable to decrypt the environment variables because"
_SETTINGS = "Please check the function's KMS key settings."
_WHEN_INVOKED: Refusals = {
    "AccessDeniedException": Refusal(
        "KMSAccessDeniedException",
        f"{_UNABLE} KMS access was denied. {_SETTINGS} KMS Exception: {{code}} "
        "KMS Message: {text}",
        status=502,
    ),
    "DisabledException": Refusal(
        "KMSDisabledException", f"{_UNABLE} the KMS key used is disabled. {_SETTINGS}", status=502
    ),
    "NotFoundException": Refusal(
        "KMSNotFoundException", f"{_UNABLE} the KMS key was not found. {_SETTINGS}", status=502
    ),
    "*": Refusal(
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
    """Functions by ARN: their role and key as given, and their variables if they have any."""

    settings: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)


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
        _show(call, arn, answer)
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
        yield
    except NotStored:
        _retire(call, environment)
        raise
    held.settings[arn] = (role, key_id)
    _retire(call, held.environments.pop(arn, None))
    if environment is not None:
        held.environments[arn] = environment


def _get(call: ServiceCall) -> Steps:
    answer = yield
    _show(call, _arn(call), answer.get("Configuration", answer))


def _delete(call: ServiceCall) -> Steps:
    yield
    if "Qualifier" not in call.parameters:
        call.backend.service_state(Functions).settings.pop(_arn(call), None)
        _retire(call, _environments(call).pop(_arn(call), None))


def _invoke(call: ServiceCall) -> Steps:
    arn = _arn(call)
    environment = _environments(call).get(arn)
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
            if error.code == "AccessDeniedException" and has_grant is None:
                # So it shows when the grant of the role has been revoked.
                error = DisabledException(error.message, explanation=error.explanation)
            raise refused(error, call, _WHEN_INVOKED) from None
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


def _show(call: ServiceCall, arn: str, configuration: dict[str, Any]) -> None:
    """Show the variables to one who may decrypt them, or else why not."""
    environment = _environments(call).get(arn)
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
                f"{error.code} KMS Message: {error.message}",
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
    if environment is None:
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


def _context(arn: str) -> dict[str, str]:
    return {"aws:lambda:FunctionArn": arn}


def _environments(call: ServiceCall) -> dict[str, Environment]:
    return call.backend.service_state(Functions).environments


_SERVICE = "lambda.amazonaws.com"


def _kms(call: ServiceCall) -> KmsCaller:
    return KmsCaller.forwarded(call, "lambda", _SERVICE)


OVERLAY = Overlay(
    {
        "CreateFunction": _create,
        "UpdateFunctionConfiguration": _update,
        "GetFunction": _get,
        "GetFunctionConfiguration": _get,
        "DeleteFunction": _delete,
        "Invoke": _invoke,
    },
    {
        "*": Refusal(
            "InvalidParameterValueException",
            "Lambda was unable to configure access to your environment variables because the KMS "
            "key is invalid for CreateGrant. Please check your KMS key settings. KMS Exception: "
            "{code} KMS Message: {text}",
        ),
    },
)
