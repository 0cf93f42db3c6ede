"""The keys of tables: taken with a grant, by which DynamoDB then uses them, and lost."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from kmsmock.errors import DisabledException, ServiceError
from kmsmock.keys.key import Key
from kmsmock.keys.states import KeyState
from kmsmock.overlays.dynamodb.stored import TableKey, stored
from kmsmock.services.data_key_cache import requester_of
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall
from kmsmock.services.storage_keys import find_key

_GRANTED = [
    *("Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"),
    *("RetireGrant", "DescribeKey"),
]
#: How long DynamoDB works with the key of a table before it asks KMS again.
_TABLE_KEY_TIME = timedelta(minutes=5)
#: How long after a key was lost DynamoDB notices; on AWS it takes from 13 to 75 minutes.
_UNTIL_NOTICED = timedelta(minutes=13)


def encrypt(call: ServiceCall, arn: str, key_id: str | None) -> TableKey | None:
    """Take a key for a table: with a grant for DynamoDB, by which it makes the table's own key.

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
    made = _own(call).call(
        "GenerateDataKey",
        KeyId=key_arn,
        KeySpec="AES_256",
        EncryptionContext=context,
        GrantTokens=[grant["GrantToken"]],
    )
    return TableKey(key_arn, grant["GrantId"], made["CiphertextBlob"], call.now)


def retire(call: ServiceCall, key: TableKey | None) -> None:
    """Give up the grant on a key."""
    if key is None:
        return
    with suppress(ServiceError):  # of a grant that was revoked, or is gone with its key
        _own(call).call("RetireGrant", KeyId=key.arn, GrantId=key.grant_id)


def open_(call: ServiceCall, arn: str, key: TableKey) -> None:
    """Open the own key of a table with the identity of the caller."""
    _Decrypt(_forwarded(call), arn, key)()


def open_where_needed(call: ServiceCall, arn: str) -> None:
    """Open the own key of a table for its items, unless it is at hand."""
    require_accessible(call, arn)
    key = looked_after(call, arn)
    if key is not None:
        decrypt = _Decrypt(_forwarded(call), arn, key)
        cache = stored(call).cache
        requester = requester_of(call.identities, call.principal)
        cache.get(requester, arn, key.ciphertext, call.now, _TABLE_KEY_TIME, decrypt)


def require_accessible(call: ServiceCall, arn: str) -> None:
    """Require that DynamoDB has not noticed that the key of a table is lost."""
    key = looked_after(call, arn)
    if key is not None and key.lost is not None:
        _refuse_lost(call, arn, key)


def require_readable(call: ServiceCall, arn: str, key: TableKey) -> None:
    """Require that what is there can be read to be encrypted anew; a grant is not needed to."""
    if not _is_usable(_key_of(call, key)):
        _refuse_lost(call, arn, key)


def looked_after(call: ServiceCall, arn: str) -> TableKey | None:
    """Give the key of a table, once it was noticed whether it has gone, or is back."""
    table = stored(call).tables.get(arn)
    if table is None or table.key is None:
        return None
    key, found = table.key, _key_of(call, table.key)
    if _is_usable(found) and _is_granted(found, key):
        key = replace(key, seen=call.now, lost=None)
    elif key.lost is None and call.now - key.seen >= _UNTIL_NOTICED:
        key = replace(key, lost=call.now)
    stored(call).tables[arn] = replace(table, key=key)
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
    return {
        "aws:dynamodb:tableName": arn.partition("/")[2],
        "aws:dynamodb:subscriberId": arn.split(":")[4],
    }


def _service(call: ServiceCall) -> str:
    return f"dynamodb.{call.region}.amazonaws.com"


def _own(call: ServiceCall) -> KmsCaller:
    return KmsCaller.own(call.backend, _service(call), call.region)


def _forwarded(call: ServiceCall) -> KmsCaller:
    return KmsCaller.forwarded(call, "dynamodb")
