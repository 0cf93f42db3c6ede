"""What Lambda does with KMS for environment variables, as the caller and as the execution role.

Source: AWS Lambda Developer Guide, "Securing Lambda environment variables" and "Troubleshoot
invocation issues in Lambda".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from kmsmock.aws.arns import Arn, session_arn
from kmsmock.aws.errors import DisabledException, NotFoundException, ServiceError
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates, translate_error
from kmsmock.services.lambda_.state import (
    GRANT_OPERATIONS,
    MANAGED_KEY,
    SERVICE,
    Environment,
    context_of,
)
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import get_key

_UNABLE = "Lambda was unable to decrypt the environment variables because"
_SETTINGS = "Please check the function's KMS key settings."
_ERRORS_OF_INVOKE: ErrorTemplates = {
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
ERRORS: ErrorTemplates = {
    "*": ErrorTemplate(
        "InvalidParameterValueException",
        "Lambda was unable to configure access to your environment variables because the KMS key "
        "is invalid for CreateGrant. Please check your KMS key settings. KMS Exception: {code} KMS "
        "Message: {text}",
    ),
}


def encrypt_variables(
    call: ServiceCall, arn: str, variables: Mapping[str, str], key_id: str | None, role: str
) -> Environment:
    """Encrypt environment variables as the caller, and create the grant for the execution role.

    arn: of the function. key_id: None for the AWS managed key. role: the ARN of the execution role.
    Raises the errors of KMS.
    """
    kms = KmsCaller.forwarded(call, "lambda")
    encrypted = kms.call(
        "Encrypt",
        KeyId=key_id or MANAGED_KEY,
        Plaintext=json.dumps(variables).encode(),
        EncryptionContext=context_of(arn),
    )
    key_arn = encrypted["KeyId"]
    call.backend.identities.get_or_create(role)
    grant = kms.call(
        "CreateGrant",
        KeyId=key_arn,
        GranteePrincipal=role,
        RetiringPrincipal=SERVICE,
        Operations=list(GRANT_OPERATIONS),
        Constraints={"EncryptionContextEquals": context_of(arn)},
    )
    return Environment(
        role, key_arn, grant["GrantId"], grant["GrantToken"], encrypted["CiphertextBlob"]
    )


def decrypt_variables(call: ServiceCall, arn: str, environment: Environment) -> Any:
    """Decrypt variables as the caller; return them by name.

    arn: of the function. Raises the errors of KMS.
    """
    return _decrypt(KmsCaller.forwarded(call, "lambda"), arn, environment)


def decrypt_when_invoked(call: ServiceCall, arn: str, environment: Environment) -> None:
    """Decrypt variables as the execution role of the function.

    arn: of the function. Raises the errors that Invoke answers with.
    """
    role = Arn.of(environment.role)
    name = Arn.of(arn).resource_id
    # A session name has two letters or more; which one a function with one letter has is a guess.
    session = session_arn(role.partition, role.account, role.name, name if name[1:] else name * 2)
    principal = call.backend.identities.get_or_create(session)
    kms = KmsCaller(call.backend, principal, call.region, SERVICE)
    try:
        _decrypt(kms, arn, environment)
    except ServiceError as error:
        has_grant = call.backend.get_grant(call.region, environment.grant_token)
        key = get_key(call.backend, environment.key_arn)
        if error.code == "AccessDeniedException" and key is None:
            error = NotFoundException(error.message, explanation=error.explanation)
        elif error.code == "AccessDeniedException" and has_grant is None:
            # The answer of Invoke after the grant was revoked.
            error = DisabledException(error.message, explanation=error.explanation)
        raise translate_error(error, call, _ERRORS_OF_INVOKE) from None


def retire_grant(call: ServiceCall, environment: Environment) -> None:
    """Retire the grant for variables that were removed, as Lambda itself."""
    with suppress(ServiceError):  # The grant was revoked, or deleted with its key.
        KmsCaller.as_service(call.backend, SERVICE, call.region).call(
            "RetireGrant", KeyId=environment.key_arn, GrantId=environment.grant_id
        )


def _decrypt(kms: KmsCaller, arn: str, environment: Environment) -> Any:
    answer = kms.call(
        "Decrypt", CiphertextBlob=environment.ciphertext, EncryptionContext=context_of(arn)
    )
    return json.loads(answer["Plaintext"])
