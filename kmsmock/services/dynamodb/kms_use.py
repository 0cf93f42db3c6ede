"""What DynamoDB does with KMS: table keys, the grants for them, and KMS keys that become unusable.

Source: Amazon DynamoDB Developer Guide, "DynamoDB encryption at rest: How it works" and "DynamoDB
encryption at rest usage notes".
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

from kmsmock.aws.errors import DisabledException, ServiceError
from kmsmock.keys.key import Key
from kmsmock.keys.states import KeyState
from kmsmock.services.data_key_cache import requester_of
from kmsmock.services.dynamodb.state import (
    GRANT_OPERATIONS,
    TableKey,
    context_of,
    service_of,
    tables_of,
)
from kmsmock.services.dynamodb.store import get_table
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates, translate_error
from kmsmock.services.members import Members
from kmsmock.services.registry import ServiceCall
from kmsmock.services.s3.kms_use import ERRORS as ERRORS_OF_S3
from kmsmock.services.s3.kms_use import encrypt
from kmsmock.services.storage_keys import get_key

_MODEL = "com.amazonaws.services.kms.model"
ERRORS: ErrorTemplates = {
    "DisabledException": ErrorTemplate(
        "ValidationException",
        f"KMS key disabled error: {_MODEL}.DisabledException: {{sdk_text}}",
    ),
    "AccessDeniedException": ErrorTemplate(
        "AccessDeniedException",
        f"KMS key access denied error: {_MODEL}.AWSKMSException: {{sdk_text}}",
    ),
    "ValidationException": ErrorTemplate(
        "InternalServerError",
        f"KMS internal error: {_MODEL}.AWSKMSException: {{sdk_text}}",
        status=500,
    ),
    "ThrottlingException": ErrorTemplate("ThrottlingException"),
    "*": ErrorTemplate(
        "ValidationException", f"KMS validation error: {_MODEL}.{{code}}: {{sdk_text}}"
    ),
}
#: How long DynamoDB uses a table key before it calls KMS again.
_TABLE_KEY_LIFETIME = timedelta(minutes=5)
#: How long it takes DynamoDB to notice an unusable key; on AWS it takes from 13 to 75 minutes.
_UNTIL_NOTICED = timedelta(minutes=13)


def create_table_key(call: ServiceCall, arn: str, key_id: str | None) -> TableKey | None:
    """Create DynamoDB's grant on a KMS key, and generate the table key of a table with it.

    arn: of the table. key_id: None for the AWS owned key, for which None is returned. Raises the
    errors of KMS.
    """
    if key_id is None:
        return None
    as_caller = _as_caller(call)
    key_arn = as_caller.call("DescribeKey", KeyId=key_id)["KeyMetadata"]["Arn"]
    service, context = service_of(call.region), context_of(arn)
    grant = as_caller.call(
        "CreateGrant",
        KeyId=key_arn,
        GranteePrincipal=service,
        RetiringPrincipal=service,
        Operations=list(GRANT_OPERATIONS),
        Constraints={"EncryptionContextSubset": context},
        Name=call.backend.new_uuid(),
    )
    generated = _as_service(call).call(
        "GenerateDataKey",
        KeyId=key_arn,
        KeySpec="AES_256",
        EncryptionContext=context,
        GrantTokens=[grant["GrantToken"]],
    )
    return TableKey(key_arn, grant["GrantId"], generated["CiphertextBlob"], call.now)


def retire_grant(call: ServiceCall, key: TableKey | None) -> None:
    """Retire DynamoDB's grant on the KMS key of a table. key: None for the AWS owned key."""
    if key is None:
        return
    with suppress(ServiceError):  # The grant was revoked, or deleted with its key.
        _as_service(call).call("RetireGrant", KeyId=key.arn, GrantId=key.grant_id)


def decrypt_table_key(call: ServiceCall, arn: str, key: TableKey) -> None:
    """Decrypt a table key with the identity of the caller.

    arn: of the table. Raises the errors of KMS.
    """
    _decrypt(_as_caller(call), arn, key)


def decrypt_for_items(call: ServiceCall, arn: str) -> None:
    """Decrypt the table key of a table for access to its items, unless it is cached.

    arn: of the table. Raises the errors of KMS.
    """
    require_accessible(call, arn)
    key = current_key(call, arn)
    if key is not None:
        decrypt = partial(_decrypt, _as_caller(call), arn, key)
        cache = tables_of(call).cache
        requester = requester_of(call.identities, call.principal)
        cache.get(requester, arn, key.ciphertext, call.now, _TABLE_KEY_LIFETIME, decrypt)


def encrypt_export(call: ServiceCall, export: str) -> ServiceError | None:
    """Encrypt the objects of an export, as S3 does for the caller; return the error if it refuses.

    call: ExportTableToPointInTime. export: its ARN.
    Source: Amazon DynamoDB Developer Guide, "Requesting a table export in DynamoDB".
    """
    parameters, requested = call.parameters, Members()
    algorithm = parameters.get("S3SseAlgorithm")
    if algorithm is not None:
        requested["ServerSideEncryption"] = "aws:kms" if algorithm == "KMS" else algorithm
    if "S3SseKmsKeyId" in parameters:
        requested["SSEKMSKeyId"] = parameters["S3SseKmsKeyId"]
    # Each file has a name of its own; one stands for all.
    file = f"AWSDynamoDB/{export.rpartition('/')[2]}/data/{call.backend.new_uuid()}.json.gz"
    prefix = parameters.get("S3Prefix")
    name = f"{prefix}/{file}" if prefix else file
    try:
        encrypt(replace(call, parameters=requested), parameters["S3Bucket"], name)
    except ServiceError as error:
        return translate_error(error, call, ERRORS_OF_S3)
    return None


def require_accessible(call: ServiceCall, arn: str) -> None:
    """Raise KMS's error when DynamoDB has noticed that the key of a table is unusable."""
    key = current_key(call, arn)
    if key is not None and key.inaccessible_since is not None:
        _raise_inaccessible(call, arn, key)


def require_readable(call: ServiceCall, arn: str, key: TableKey) -> None:
    """Raise KMS's error when items cannot be decrypted to be re-encrypted; that needs no grant."""
    if not _is_usable(_kms_key(call, key)):
        _raise_inaccessible(call, arn, key)


def current_key(call: ServiceCall, arn: str) -> TableKey | None:
    """Return the key of a table, after an update of whether DynamoDB can use it.

    arn: of the table. Return None for the AWS owned key, and for an unknown table.
    """
    table = get_table(call, arn)
    if table is None or table.key is None:
        return None
    key, kms_key = table.key, _kms_key(call, table.key)
    if _is_usable(kms_key) and _is_granted(kms_key, key):
        key = replace(key, last_usable=call.now, inaccessible_since=None)
    elif key.inaccessible_since is None and call.now - key.last_usable >= _UNTIL_NOTICED:
        key = replace(key, inaccessible_since=call.now)
    tables_of(call).tables[arn] = replace(table, key=key)
    return key


def _raise_inaccessible(call: ServiceCall, arn: str, key: TableKey) -> None:
    kms_key = _kms_key(call, key)
    if kms_key is not None and not _is_granted(kms_key, key):
        raise DisabledException(
            f"{key.arn} is disabled.",
            explanation="DynamoDB's grant on the key was revoked or retired, which has the same "
            "effect as a disabled key: encrypt the table with another key.",
        )
    _decrypt(_as_service(call), arn, key)


def _decrypt(kms: KmsCaller, arn: str, key: TableKey) -> None:
    kms.call("Decrypt", CiphertextBlob=key.ciphertext, EncryptionContext=context_of(arn))


def _is_usable(kms_key: Key | None) -> bool:
    return kms_key is not None and kms_key.state is KeyState.ENABLED


def _is_granted(kms_key: Key | None, key: TableKey) -> bool:
    return kms_key is not None and kms_key.grants.get(key.grant_id) is not None


def _kms_key(call: ServiceCall, key: TableKey) -> Key | None:
    return get_key(call.backend, key.arn)


def _as_service(call: ServiceCall) -> KmsCaller:
    return KmsCaller.as_service(call.backend, service_of(call.region), call.region)


def _as_caller(call: ServiceCall) -> KmsCaller:
    return KmsCaller.forwarded(call, "dynamodb")
