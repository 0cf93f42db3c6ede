"""Parameter Store beside another store: SecureString parameters are encrypted with KMS keys."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from kmsmock.aws.arns import looks_like_arn
from kmsmock.aws.coded_error import CodedError
from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.registry import ServiceCall
from kmsmock.services.ssm.kms_use import ERRORS, decrypt, encrypt
from kmsmock.services.ssm.state import SecureString, versions_of
from kmsmock.services.unknown_keys import warn_unknown_key

_SECURE = "SecureString"
_STANDARD, _ADVANCED, _INTELLIGENT = "Standard", "Advanced", "Intelligent-Tiering"
#: The longest value of a parameter in each tier, in bytes.
_STANDARD_LIMIT, _ADVANCED_LIMIT = 4096, 8192


def _put_parameter(call: ServiceCall) -> Steps:
    parameters, versions = call.parameters, versions_of(call)
    arn = _arn(call, parameters["Name"])
    is_secure = parameters.get("Type", _SECURE if arn in versions else None) == _SECURE
    if "KeyId" in parameters and not is_secure:
        raise CodedError(
            "ValidationException", "KeyId is required for SecureString type parameter only."
        )
    value = parameters["Value"].encode()
    will_be_stored = arn not in versions or parameters.get("Overwrite", False)
    if will_be_stored:
        _require_no_downgrade(parameters, versions.get(arn, {}))
    is_advanced = _is_advanced(parameters, versions.get(arn, {}), len(value))
    if (
        not is_secure
        or not will_be_stored
        or len(value) > (_ADVANCED_LIMIT if is_advanced else _STANDARD_LIMIT)
    ):
        yield  # The parameter is no SecureString, or the store refuses the request.
        return
    secure_string = encrypt(call, arn, parameters.get("KeyId"), value, is_advanced=is_advanced)
    answer = yield
    versions.setdefault(arn, {})[answer["Version"]] = secure_string


def _require_no_downgrade(
    parameters: Mapping[str, Any], versions: Mapping[int, SecureString]
) -> None:
    if parameters.get("Tier") == _STANDARD and any(one.is_advanced for one in versions.values()):
        raise CodedError(
            "ValidationException",
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from "
            "the advanced-parameter tier to the standard-parameter tier. If necessary, you can "
            "delete the advanced parameter and recreate it as a standard parameter. Be aware that "
            "standard parameters have a value limit of 4096 characters.",
        )


def _is_advanced(
    parameters: Mapping[str, Any], versions: Mapping[int, SecureString], size: int
) -> bool:
    """Return whether a version is in the advanced tier, which a parameter never leaves."""
    tier = parameters.get("Tier")
    is_large = tier == _INTELLIGENT and (size > _STANDARD_LIMIT or "Policies" in parameters)
    return tier == _ADVANCED or is_large or any(one.is_advanced for one in versions.values())


def _get_parameter(call: ServiceCall) -> Steps:
    answer = yield
    _set_values(call, [answer["Parameter"]])


def _get_parameters(call: ServiceCall) -> Steps:
    answer = yield
    _set_values(call, answer["Parameters"])


def _get_parameter_history(call: ServiceCall) -> Steps:
    answer = yield
    _set_values(call, answer["Parameters"])
    _set_key_ids(call, answer["Parameters"])


def _describe_parameters(call: ServiceCall) -> Steps:
    answer = yield
    _set_key_ids(call, answer["Parameters"])


def _delete_parameter(call: ServiceCall) -> Steps:
    yield
    versions_of(call).pop(_arn(call, call.parameters["Name"]), None)


def _delete_parameters(call: ServiceCall) -> Steps:
    answer = yield
    for name in answer.get("DeletedParameters", ()):
        versions_of(call).pop(_arn(call, name), None)


def _set_values(call: ServiceCall, parameters: Iterable[dict[str, Any]]) -> None:
    """Set the values of SecureString parameters: plaintext with WithDecryption, else ciphertext."""
    for parameter in parameters:
        if parameter["Type"] != _SECURE:
            continue
        arn = _arn(call, parameter.get("ARN", parameter["Name"]))
        secure_string = versions_of(call).get(arn, {}).get(parameter["Version"])
        if secure_string is None:
            warn_unknown_key(arn)
        elif call.parameters.get("WithDecryption"):
            plaintext = decrypt(call, arn, secure_string)
            if not secure_string.is_advanced:
                parameter["Value"] = plaintext.decode()
        else:
            parameter["Value"] = b64encode(secure_string.ciphertext).decode()


def _set_key_ids(call: ServiceCall, parameters: Iterable[dict[str, Any]]) -> None:
    """Set the key ids of SecureString parameters, as in PutParameter."""
    for parameter in parameters:
        versions = versions_of(call).get(_arn(call, parameter["Name"]), {})
        secure_string = versions.get(parameter["Version"])
        if secure_string is not None:
            parameter["KeyId"] = secure_string.key_id


def _arn(call: ServiceCall, name: str) -> str:
    """Return the ARN of a parameter. name: its name or ARN."""
    return name if looks_like_arn(name) else call.arn("ssm", f"parameter/{name.lstrip('/')}")


BESIDE = BesideStore(
    {
        "PutParameter": _put_parameter,
        "GetParameter": _get_parameter,
        "GetParameters": _get_parameters,
        "GetParametersByPath": _get_parameters,
        "GetParameterHistory": _get_parameter_history,
        "DescribeParameters": _describe_parameters,
        "DeleteParameter": _delete_parameter,
        "DeleteParameters": _delete_parameters,
    },
    ERRORS,
)
