"""Parameter Store beside another store: SecureString parameters are encrypted with KMS keys."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.aws.coded_error import CodedError
from kmsmock.services.beside import BesideStore, Steps
from kmsmock.services.registry import ServiceCall
from kmsmock.services.ssm.kms_use import ERRORS, REFERENCE, decrypt, decrypt_secret, encrypt
from kmsmock.services.ssm.state import ADVANCED, SECURE, SecureString, versions_of
from kmsmock.services.ssm.store import arn_of, get_versions
from kmsmock.services.unknown_keys import warn_unknown_key

_STANDARD, _INTELLIGENT = "Standard", "Intelligent-Tiering"
#: The staging label of the version of a secret that a reference without a selector is to.
_CURRENT = "AWSCURRENT"
#: The longest value of a parameter in each tier, in bytes.
_STANDARD_LIMIT, _ADVANCED_LIMIT = 4096, 8192


def _put_parameter(call: ServiceCall) -> Steps:
    parameters, versions = call.parameters, versions_of(call)
    get_versions(call, parameters["Name"])
    arn = arn_of(call, parameters["Name"])
    is_secure = parameters.get("Type", SECURE if arn in versions else None) == SECURE
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
    if "KeyId" not in parameters and versions.get(arn):
        before = versions[arn][max(versions[arn])]
        secure_string = replace(secure_string, shown_key_id=before.shown_key_id or before.key_id)
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
    return tier == ADVANCED or is_large or any(one.is_advanced for one in versions.values())


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
    versions_of(call).pop(arn_of(call, call.parameters["Name"]), None)


def _delete_parameters(call: ServiceCall) -> Steps:
    answer = yield
    for name in answer.get("DeletedParameters", ()):
        versions_of(call).pop(arn_of(call, name), None)


def _set_values(call: ServiceCall, parameters: Iterable[dict[str, Any]]) -> None:
    """Set the values of SecureString parameters: plaintext with WithDecryption, else ciphertext."""
    for parameter in parameters:
        if parameter["Type"] != SECURE:
            continue
        if "SourceResult" in parameter:
            _read_secret(call, parameter)
            continue
        arn = arn_of(call, parameter["Name"])
        secure_string = get_versions(call, parameter["Name"]).get(parameter["Version"])
        if secure_string is None and "ARN" in parameter:  # shared by another account
            arn = parameter["ARN"]
            secure_string = get_versions(call, arn).get(parameter["Version"])
        if secure_string is None:
            warn_unknown_key(arn)
        elif call.parameters.get("WithDecryption"):
            plaintext = decrypt(call, arn, secure_string)
            if not secure_string.is_advanced:
                parameter["Value"] = plaintext.decode()
        else:
            parameter["Value"] = b64encode(secure_string.ciphertext).decode()


def _read_secret(call: ServiceCall, parameter: Mapping[str, Any]) -> None:
    """Read the secret that a parameter refers to. parameter: in the answer of the store."""
    try:
        source = json.loads(parameter["SourceResult"])
    except ValueError:
        return
    arn, stages = source.get("ARN"), source.get("VersionIdsToStages", {})
    requested = call.parameters.get("Names") or [call.parameters.get("Name", "")]
    wanted = next(
        (
            selector
            for secret_id, _, selector in (
                n.removeprefix(REFERENCE).partition(":") for n in requested
            )
            if secret_id == source.get("Name")
        ),
        "",
    )
    version = source.get("VersionId") or next(
        (v for v, labels in stages.items() if wanted == v or (wanted or _CURRENT) in labels), None
    )
    if arn is not None and version is not None and Arn.parse(arn) is not None:
        decrypt_secret(call, arn, version)


def _set_key_ids(call: ServiceCall, parameters: Iterable[dict[str, Any]]) -> None:
    """Set the key ids of SecureString parameters, as in PutParameter."""
    for parameter in parameters:
        if parameter.get("Type") != SECURE:
            continue
        versions = get_versions(call, parameter["Name"])
        secure_string = versions.get(parameter["Version"])
        if secure_string is not None:
            parameter["KeyId"] = secure_string.key_id


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
