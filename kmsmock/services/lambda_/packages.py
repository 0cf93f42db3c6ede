"""Deployment packages (.zip files) under a customer managed key, SourceKMSKeyArn.

Source: AWS Lambda Developer Guide, "Encrypting Lambda .zip deployment packages", by which Lambda
needs the key policy to encrypt a package, and whoever gets it needs the key. It has the code and
the message that GetFunction shows for a denial.
"""

from __future__ import annotations

from typing import Any

from kmsmock.aws.errors import ServiceError
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates, translate_error
from kmsmock.services.lambda_.names import function_arn
from kmsmock.services.lambda_.state import Package, functions_of
from kmsmock.services.registry import ServiceCall

_SERVICE = "lambda.amazonaws.com"
_KMS = "KMS Exception: {code} KMS Message: {text}"
_DENIED = f"KMS access is denied. Check your KMS permissions. {_KMS}"
#: The code is one of CreateFunction; the messages are like that of GetFunction, and not recorded.
_ERRORS: ErrorTemplates = {
    "AccessDeniedException": ErrorTemplate("InvalidParameterValueException", _DENIED),
    "*": ErrorTemplate(
        "InvalidParameterValueException",
        f"The KMS key cannot be used. Check your KMS key settings. {_KMS}",
    ),
}


def encrypt_package(call: ServiceCall, key_arn: str | None) -> Package | None:
    """Generate the data key of a new package, as Lambda itself.

    key_arn: as in the request; None for a package that needs no key, for which None is returned.
    Raises InvalidParameterValueException.
    """
    if not key_arn:
        return None
    arn = function_arn(call)
    kms = KmsCaller.as_service(call.backend, _SERVICE, call.region, source_arn=arn)
    try:
        answer = kms.call(
            "GenerateDataKey", KeyId=key_arn, KeySpec="AES_256", EncryptionContext=_context(arn)
        )
    except ServiceError as error:
        raise translate_error(error, call, _ERRORS) from None
    return Package(key_arn, answer["CiphertextBlob"])


def set_package(call: ServiceCall, package: Package | None) -> None:
    """Record the package of the function that a call names, once it is stored."""
    packages, arn = functions_of(call).packages, function_arn(call)
    if package is None:
        packages.pop(arn, None)
    else:
        packages[arn] = package


def show_package(call: ServiceCall, version: str, answer: dict[str, Any]) -> None:
    """Set the key in an answer of GetFunction, or why the caller cannot get the package.

    version: the ARN of the version.
    """
    package = functions_of(call).packages.get(version)
    if package is None:
        return
    code = answer.setdefault("Code", {})
    code["SourceKMSKeyArn"] = package.key_arn
    try:
        KmsCaller.forwarded(call, "lambda").call(
            "Decrypt",
            CiphertextBlob=package.data_key,
            EncryptionContext=_context(function_arn(call)),
        )
    except ServiceError as error:
        code.pop("Location", None)
        text = _DENIED if error.code == "AccessDeniedException" else _ERRORS["*"].text
        message = text.format(code=error.code, text=error.message or "null")
        code["Error"] = {"ErrorCode": error.code, "Message": message}


def _context(arn: str) -> dict[str, str]:
    return {"aws:lambda:FunctionArn": arn}
