"""Tables of Amazon DynamoDB under keys of KMS.

Source: Amazon DynamoDB Developer Guide, "DynamoDB encryption at rest: How it works" and "DynamoDB
encryption at rest usage notes".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from kmsmock.errors import ServiceError
from kmsmock.keys.key import Key, KeyState
from kmsmock.overlays.at_hand import AtHand
from kmsmock.overlays.registry import NotStored, Overlay, Refusal, Refused, Steps
from kmsmock.services.kms_caller import KmsCaller
from kmsmock.services.registry import ServiceCall

_MANAGED_KEY = "alias/aws/dynamodb"
_GRANTED = [
    *("Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"),
    *("RetireGrant", "DescribeKey"),
]
#: How long DynamoDB works with the key of a table before it asks KMS again.
_TABLE_KEY_TIME = timedelta(minutes=5)
#: How long after a key was lost DynamoDB notices; on AWS it takes from 13 to 75 minutes.
_UNTIL_NOTICED = timedelta(minutes=13)
_DAY = timedelta(hours=24)
_CHANGES_AT_ONCE = 4
_BETWEEN_CHANGES = timedelta(hours=6)
#: The tables of a PartiQL statement.
_NAMED = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+\"?([\w.-]+)", re.IGNORECASE)
_PREFIX = "One or more parameter values were invalid: "


@dataclass(frozen=True, slots=True)
class Table:
    """How a table is encrypted.

    table_key: its ciphertext. seen: when its key was last known to be usable. lost: when DynamoDB
    noticed that it is no longer. changes: of the key, when.
    """

    key_arn: str
    grant_id: str
    table_key: bytes
    seen: datetime
    lost: datetime | None = None
    changes: tuple[datetime, ...] = ()


@dataclass(slots=True)
class Tables:
    """Tables by ARN; None for those under a key that AWS owns."""

    tables: dict[str, Table | None] = field(default_factory=dict)
    at_hand: AtHand = field(default_factory=AtHand)


# --- tables -------------------------------------------------------------------------------------


def _create(call: ServiceCall) -> Steps:
    key_id = _asked(call.parameters.get("SSESpecification", {}))
    arn = _arn(call, call.parameters["TableName"])
    table = None if key_id is None else _encrypt(call, arn, key_id)
    try:
        answer = yield
    except NotStored:
        _retire(call, table)
        raise
    _tables(call)[arn] = table
    _show(call, answer["TableDescription"])


def _update(call: ServiceCall) -> Steps:
    specification = call.parameters.get("SSESpecification")
    arn = _arn(call, call.parameters["TableName"])
    if specification is None:
        answer = yield
        _show(call, answer["TableDescription"])
        return
    key_id, before = _asked(specification), _tables(call).get(arn)
    if before is not None and key_id == before.key_arn:
        raise Refused(
            "ValidationException",
            f"{_PREFIX}Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId "
            "parameter if you want to change Master Key",
        )
    changes = _require_change_allowed(call, before)
    if before is not None and not _key_is_usable(call, before):
        # What is there cannot be read to be encrypted anew; this raises what says so.
        _Decrypt(KmsCaller.own(call.backend, _service(call), call.region), arn, before)()
    table = None if key_id is None else replace(_encrypt(call, arn, key_id), changes=changes)
    try:
        answer = yield
    except NotStored:
        _retire(call, table)
        raise
    _retire(call, before)
    _tables(call)[arn] = table
    _show(call, answer["TableDescription"])


def _describe(call: ServiceCall) -> Steps:
    answer = yield
    _show(call, answer["Table"])


def _delete(call: ServiceCall) -> Steps:
    answer = yield
    _show(call, answer["TableDescription"])
    _retire(call, _tables(call).pop(_arn(call, call.parameters["TableName"]), None))


# --- items --------------------------------------------------------------------------------------


def _of_one(call: ServiceCall) -> Steps:
    _open(call, [call.parameters["TableName"]])
    yield


def _of_many(call: ServiceCall) -> Steps:
    _open(call, call.parameters["RequestItems"])
    yield


def _of_transaction(call: ServiceCall) -> Steps:
    items = call.parameters["TransactItems"]
    _open(call, (part["TableName"] for item in items for part in item.values()))
    yield


def _of_statements(call: ServiceCall) -> Steps:
    parameters = call.parameters
    given = parameters.get("Statements") or parameters.get("TransactStatements") or [parameters]
    _open(call, (name for one in given for name in _NAMED.findall(one["Statement"])))
    yield


def _open(call: ServiceCall, names: Iterable[str]) -> None:
    """Open the keys of tables, as far as they are not at hand."""
    for name in dict.fromkeys(names):
        arn = _arn(call, name)
        table = _tables(call).get(arn)
        if table is None:
            continue
        decrypt = _Decrypt(_kms(call), arn, table)
        held = call.backend.service_state(Tables).at_hand
        held.take(call.principal.own_arn, call.now, table.table_key, _TABLE_KEY_TIME, decrypt)


@dataclass(frozen=True, slots=True)
class _Decrypt:
    kms: KmsCaller
    arn: str
    table: Table

    def __call__(self) -> None:
        self.kms.call(
            "Decrypt",
            CiphertextBlob=self.table.table_key,
            EncryptionContext=_context(self.arn),
        )


# --- keys ---------------------------------------------------------------------------------------


def _asked(specification: Mapping[str, Any]) -> str | None:
    """Give the key that is asked for; None for the one that AWS owns."""
    kind, key_id = specification.get("SSEType"), specification.get("KMSMasterKeyId")
    is_on = specification.get("Enabled", kind is not None or key_id is not None)
    problem = None
    if not is_on and kind is not None:
        problem = "SSEType can not be specified if Enabled is false"
    elif not is_on and key_id is not None:
        problem = "KMSMasterKeyId can not be specified if Enabled is false"
    elif kind == "AES256":
        problem = "SSEType AES256 is not supported"
    elif key_id is not None and kind is None:
        problem = "SSEType KMS is required if KMSMasterKeyId is specified"
    if problem is not None:
        raise Refused("ValidationException", _PREFIX + problem)
    return (key_id or _MANAGED_KEY) if is_on else None


def _encrypt(call: ServiceCall, arn: str, key_id: str) -> Table:
    """Take a key for a table: with a grant for DynamoDB, by which it makes the table's key."""
    as_caller = _kms(call)
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
    made = KmsCaller.own(call.backend, service, call.region).call(
        "GenerateDataKey",
        KeyId=key_arn,
        KeySpec="AES_256",
        EncryptionContext=context,
        GrantTokens=[grant["GrantToken"]],
    )
    return Table(key_arn, grant["GrantId"], made["CiphertextBlob"], call.now)


def _retire(call: ServiceCall, table: Table | None) -> None:
    if table is None:
        return
    with suppress(ServiceError):  # of a grant that was revoked, or is gone with its key
        KmsCaller.own(call.backend, _service(call), call.region).call(
            "RetireGrant", KeyId=table.key_arn, GrantId=table.grant_id
        )


def _require_change_allowed(call: ServiceCall, table: Table | None) -> tuple[datetime, ...]:
    """Require that the key may be changed again so soon; gives when it was, and is now."""
    recent = [when for when in (table.changes if table else ()) if call.now - when < _DAY]
    if len(recent) >= _CHANGES_AT_ONCE and call.now - recent[-1] < _BETWEEN_CHANGES:
        raise Refused(
            "LimitExceededException",
            "Subscriber limit exceeded: Encryption mode changes are limited in the 24h window "
            f"ending at {_iso(recent[0] + _DAY)}. After the first 4 change, each subsequent change "
            "in the same window can be performed at most once every 21600 seconds. Number of "
            f"updates today: {len(recent)}. Last change at {_iso(recent[-1])}.",
        )
    return (*recent, call.now)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _show(call: ServiceCall, description: dict[str, Any]) -> None:
    """Tell in the description of a table how it is encrypted."""
    arn, tables = _arn(call, description["TableName"]), _tables(call)
    if arn not in tables:
        return  # made unseen
    description.pop("SSEDescription", None)
    table = tables[arn]
    if table is None:
        return
    encryption: dict[str, Any] = {
        "Status": "ENABLED",
        "SSEType": "KMS",
        "KMSMasterKeyArn": table.key_arn,
    }
    table = tables[arn] = _looked_after(call, table)
    if table.lost is not None and description["TableStatus"] == "ACTIVE":
        description["TableStatus"] = "INACCESSIBLE_ENCRYPTION_CREDENTIALS"
        encryption["InaccessibleEncryptionDateTime"] = table.lost
    description["SSEDescription"] = encryption


def _looked_after(call: ServiceCall, table: Table) -> Table:
    """Notice that the key of a table has gone, or is back."""
    if _key_is_usable(call, table) and _grant_is_there(call, table):
        return replace(table, seen=call.now, lost=None)
    if table.lost is None and call.now - table.seen >= _UNTIL_NOTICED:
        return replace(table, lost=call.now)
    return table


def _key_is_usable(call: ServiceCall, table: Table) -> bool:
    key = _key(call, table)
    return key is not None and key.state is KeyState.ENABLED


def _grant_is_there(call: ServiceCall, table: Table) -> bool:
    key = _key(call, table)
    return key is not None and key.grants.get(table.grant_id) is not None


def _key(call: ServiceCall, table: Table) -> Key | None:
    _, _, _, region, account, resource = table.key_arn.split(":")
    return call.backend.region(account, region).keys.get(resource.removeprefix("key/"))


def _tables(call: ServiceCall) -> dict[str, Table | None]:
    return call.backend.service_state(Tables).tables


def _arn(call: ServiceCall, name: str) -> str:
    if name.startswith("arn:"):
        return name
    return f"arn:{call.partition}:dynamodb:{call.region}:{call.account}:table/{name}"


def _context(arn: str) -> dict[str, str]:
    return {
        "aws:dynamodb:tableName": arn.partition("/")[2],
        "aws:dynamodb:subscriberId": arn.split(":")[4],
    }


def _service(call: ServiceCall) -> str:
    return f"dynamodb.{call.region}.amazonaws.com"


def _kms(call: ServiceCall) -> KmsCaller:
    return KmsCaller.forwarded(call, "dynamodb", "dynamodb.amazonaws.com")


_MODEL = "com.amazonaws.services.kms.model"
_ONE = dict.fromkeys(("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"), _of_one)
OVERLAY = Overlay(
    {
        "CreateTable": _create,
        "UpdateTable": _update,
        "DescribeTable": _describe,
        "DeleteTable": _delete,
        **_ONE,
        "BatchGetItem": _of_many,
        "BatchWriteItem": _of_many,
        "TransactGetItems": _of_transaction,
        "TransactWriteItems": _of_transaction,
        "ExecuteStatement": _of_statements,
        "BatchExecuteStatement": _of_statements,
        "ExecuteTransaction": _of_statements,
    },
    {
        "DisabledException": Refusal(
            "ValidationException", f"KMS key disabled error: {_MODEL}.DisabledException: {{told}}"
        ),
        "AccessDeniedException": Refusal(
            "AccessDeniedException",
            f"KMS key access denied error: {_MODEL}.AWSKMSException: {{told}}",
        ),
        "ValidationException": Refusal(
            "InternalServerError",
            f"KMS internal error: {_MODEL}.AWSKMSException: {{told}}",
            status=500,
        ),
        "ThrottlingException": Refusal("ThrottlingException"),
        "*": Refusal("ValidationException", f"KMS validation error: {_MODEL}.{{code}}: {{told}}"),
    },
)
