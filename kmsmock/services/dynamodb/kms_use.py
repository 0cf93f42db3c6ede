"""What DynamoDB does with KMS: the keys of tables, its grants on them, and keys that are lost.

Source: Amazon DynamoDB Developer Guide, "DynamoDB encryption at rest: How it works" and "DynamoDB
encryption at rest usage notes".
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from kmsmock.aws.arns import Arn
from kmsmock.aws.errors import DisabledException, ServiceError
from kmsmock.keys.key import Key
from kmsmock.keys.states import KeyState
from kmsmock.services.data_key_cache import requester_of
from kmsmock.services.dynamodb.state import TableKey, tables_of
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.kms_errors import ErrorTemplate, ErrorTemplates
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import find_key

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
_GRANTED = [
    *("Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"),
    *("RetireGrant", "DescribeKey"),
]
#: How long DynamoDB works with the key of a table before it asks KMS again.
_TABLE_KEY_LIFETIME = timedelta(minutes=5)
#: How long after a key was lost DynamoDB notices; on AWS it takes from 13 to 75 minutes.
_UNTIL_NOTICED = timedelta(minutes=13)


def create_table_key(call: ServiceCall, arn: str, key_id: str | None) -> TableKey | None:
    """Create the grant by which DynamoDB uses a key, and generate the table's own key with it.

    arn: of the table. key_id: None for the key that AWS owns, which is no key of KMS to see.
    """
    if key_id is None:
        return None
    as_caller = _forwarded(call)
    key_arn = as_caller.call("DescribeKey", KeyId=key_id)["KeyMetadata"]["Arn"]
    service, context = _service(call), _context(arn)
    grant = as_caller.call(
        "CreateGrant",
        KeyId=key_arn,
        GranteePrincipal=service,
        RetiringPrincipal=service,
        Operations=_GRANTED,
        Constraints={"EncryptionContextSubset": context},
        Name=call.backend.new_uuid(),
    )
    generated = _own(call).call(
        "GenerateDataKey",
        KeyId=key_arn,
        KeySpec="AES_256",
        EncryptionContext=context,
        GrantTokens=[grant["GrantToken"]],
    )
    return TableKey(key_arn, grant["GrantId"], generated["CiphertextBlob"], call.now)


def retire_grant(call: ServiceCall, key: TableKey | None) -> None:
    """Give up the grant on a key."""
    if key is None:
        return
    with suppress(ServiceError):  # of a grant that was revoked, or is gone with its key
        _own(call).call("RetireGrant", KeyId=key.arn, GrantId=key.grant_id)


def decrypt_table_key(call: ServiceCall, arn: str, key: TableKey) -> None:
    """Open the own key of a table with the identity of the caller."""
    _Decrypt(_forwarded(call), arn, key)()


def decrypt_for_items(call: ServiceCall, arn: str) -> None:
    """Open the own key of a table for its items, unless it is at hand."""
    require_accessible(call, arn)
    key = current_key(call, arn)
    if key is not None:
        decrypt = _Decrypt(_forwarded(call), arn, key)
        cache = tables_of(call).cache
        requester = requester_of(call.identities, call.principal)
        cache.get(requester, arn, key.ciphertext, call.now, _TABLE_KEY_LIFETIME, decrypt)


def require_accessible(call: ServiceCall, arn: str) -> None:
    """Require that DynamoDB has not noticed that the key of a table is lost."""
    key = current_key(call, arn)
    if key is not None and key.lost is not None:
        _refuse_lost(call, arn, key)


def require_readable(call: ServiceCall, arn: str, key: TableKey) -> None:
    """Require that items can be read to be encrypted again; that needs no grant."""
    if not _is_usable(_key_of(call, key)):
        _refuse_lost(call, arn, key)


def current_key(call: ServiceCall, arn: str) -> TableKey | None:
    """Return the key of a table, once it was noticed whether it has gone, or is back."""
    table = tables_of(call).tables.get(arn)
    if table is None or table.key is None:
        return None
    key, found = table.key, _key_of(call, table.key)
    if _is_usable(found) and _is_granted(found, key):
        key = replace(key, seen=call.now, lost=None)
    elif key.lost is None and call.now - key.seen >= _UNTIL_NOTICED:
        key = replace(key, lost=call.now)
    tables_of(call).tables[arn] = replace(table, key=key)
    return key


def _refuse_lost(call: ServiceCall, arn: str, key: TableKey) -> None:
    found = _key_of(call, key)
    if found is not None and not _is_granted(found, key):
        raise DisabledException(
            f"{key.arn} is disabled.",
            explanation="The grant by which DynamoDB uses the key is gone, which is as if the key "
            "were disabled: give the table another key.",
        )
    _Decrypt(_own(call), arn, key)()


@dataclass(frozen=True, slots=True)
class _Decrypt:
    kms: KmsCaller
    arn: str
    key: TableKey

    def __call__(self) -> None:
        self.kms.call(
            "Decrypt", CiphertextBlob=self.key.ciphertext, EncryptionContext=_context(self.arn)
        )


def _is_usable(key: Key | None) -> bool:
    return key is not None and key.state is KeyState.ENABLED


def _is_granted(key: Key | None, of_table: TableKey) -> bool:
    return key is not None and key.grants.get(of_table.grant_id) is not None


def _key_of(call: ServiceCall, key: TableKey) -> Key | None:
    return find_key(call.backend, key.arn)


def _context(arn: str) -> Mapping[str, Any]:
    table = Arn.of(arn)
    return {
        "aws:dynamodb:tableName": table.resource_id,
        "aws:dynamodb:subscriberId": table.account,
    }


def _service(call: ServiceCall) -> str:
    return f"dynamodb.{call.region}.amazonaws.com"


def _own(call: ServiceCall) -> KmsCaller:
    return KmsCaller.as_service(call.backend, _service(call), call.region)


def _forwarded(call: ServiceCall) -> KmsCaller:
    return KmsCaller.forwarded(call, "dynamodb")
