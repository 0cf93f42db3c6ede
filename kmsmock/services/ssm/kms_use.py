"""What Parameter Store does with KMS for SecureString parameters, with the identity of the caller.

Source: AWS Systems Manager User Guide, "AWS KMS encryption for AWS Systems Manager Parameter Store
SecureString parameters".
"""

from __future__ import annotations

from kmsmock.aws.coded_error import CodedError
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.secret_values import SecretBytes
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates
from kmsmock.services.registry import ServiceCall
from kmsmock.services.secretsmanager.kms_use import decrypt_value
from kmsmock.services.ssm.state import MANAGED_KEY, SecureString, context_of

#: The beginning of the names of parameters that refer to secrets.
REFERENCE = "/aws/reference/secretsmanager/"
ERRORS: ErrorTemplates = {
    "AccessDeniedException": ErrorTemplate("AccessDeniedException"),
    "ThrottlingException": ErrorTemplate("ThrottlingException"),
    "KMSInternalException": ErrorTemplate("InternalServerError", status=500),
    "*": ErrorTemplate("InvalidKeyId"),
}


def encrypt(
    call: ServiceCall, arn: str, key_id: str | None, value: bytes, *, is_advanced: bool
) -> SecureString:
    """Encrypt the value of a parameter, or generate a data key for a value in the advanced tier.

    arn: of the parameter. key_id: None for the AWS managed key. Raises the errors of KMS.
    """
    key_id, kms, context = key_id or MANAGED_KEY, _kms(call), context_of(arn)
    if is_advanced:
        answer = kms.call(
            "GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext=context
        )
    else:
        answer = kms.call("Encrypt", KeyId=key_id, Plaintext=value, EncryptionContext=context)
    digest = SecureString.digest(value)
    return SecureString(key_id, answer["CiphertextBlob"], is_advanced, digest)


def decrypt(call: ServiceCall, arn: str, secure_string: SecureString) -> bytes:
    """Decrypt the value of a parameter, or the data key of one in the advanced tier.

    arn: of the parameter. Raises the errors of KMS.
    """
    answer = _kms(call).call(
        "Decrypt", CiphertextBlob=secure_string.ciphertext, EncryptionContext=context_of(arn)
    )
    plaintext: SecretBytes = answer["Plaintext"]
    return plaintext


def decrypt_secret(call: ServiceCall, arn: str, version: str) -> None:
    """Read a secret that a parameter refers to, through Secrets Manager, as the caller.

    arn, version: of the secret. Raises ParameterNotFound.
    Source: AWS Systems Manager User Guide, "Referencing AWS Secrets Manager secrets from Parameter
    Store parameters". It does not have the error, whose form is that for secrets that do not exist.
    """
    try:
        decrypt_value(call, arn, version)
    except ServiceError as error:
        raise CodedError(
            "ParameterNotFound",
            f"An error occurred ({error.code}) when referencing Secrets Manager: {error.message}",
            explanation=error.explanation,
        ) from None


def _kms(call: ServiceCall) -> KmsCaller:
    return KmsCaller.forwarded(call, "ssm")
