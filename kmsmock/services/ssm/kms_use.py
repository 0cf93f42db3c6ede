"""What Parameter Store does with KMS for SecureString parameters, with the identity of the caller.

Source: AWS Systems Manager User Guide, "AWS KMS encryption for AWS Systems Manager Parameter Store
SecureString parameters".
"""

from __future__ import annotations

from kmsmock.aws.secret_values import SecretBytes
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates
from kmsmock.services.registry import ServiceCall
from kmsmock.services.ssm.state import SecureString

_MANAGED_KEY = "alias/aws/ssm"
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
    key_id, kms, context = key_id or _MANAGED_KEY, _kms(call), _context(arn)
    if is_advanced:
        answer = kms.call(
            "GenerateDataKey", KeyId=key_id, KeySpec="AES_256", EncryptionContext=context
        )
    else:
        answer = kms.call("Encrypt", KeyId=key_id, Plaintext=value, EncryptionContext=context)
    return SecureString(key_id, answer["CiphertextBlob"], is_advanced)


def decrypt(call: ServiceCall, arn: str, secure_string: SecureString) -> bytes:
    """Decrypt the value of a parameter, or the data key of one in the advanced tier.

    arn: of the parameter. Raises the errors of KMS.
    """
    answer = _kms(call).call(
        "Decrypt", CiphertextBlob=secure_string.ciphertext, EncryptionContext=_context(arn)
    )
    plaintext: SecretBytes = answer["Plaintext"]
    return plaintext


def _context(arn: str) -> dict[str, str]:
    return {"PARAMETER_ARN": arn}


def _kms(call: ServiceCall) -> KmsCaller:
    return KmsCaller.forwarded(call, "ssm")
