"""The calls as CloudTrail shows them.

Source: AWS CloudTrail User Guide, "CloudTrail record contents".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kmsmock.ledger.events import Calls, Event

_READ_ONLY_PREFIXES = ("Describe", "Get", "List")
_READ_ONLY = frozenset(
    {
        *("Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyPair"),
        *("GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPairWithoutPlaintext"),
        *("GenerateMac", "GenerateRandom", "Sign", "Verify", "VerifyMac"),
        *("DeriveSharedSecret", "Encapsulate", "Decapsulate"),
    }
)


class Trail:
    """Records in CloudTrail's shape, made from the calls when they are looked at."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @property
    def events(self) -> list[dict[str, Any]]:
        """All records, oldest first."""
        return [_record(event) for event in self._calls]

    def lookup(self, event_name: str | None = None) -> list[dict[str, Any]]:
        """Give the records of an operation."""
        return [record for record in self.events if event_name in (None, record["eventName"])]

    def write_jsonl(self, path: str | Path) -> None:
        """Write one record a line."""
        lines = "".join(json.dumps(record) + "\n" for record in self.events)
        Path(path).write_text(lines, encoding="utf-8")


def _record(event: Event) -> dict[str, Any]:
    operation = event.operation
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": {"arn": event.caller, "accountId": event.account},
        "eventTime": event.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "kms.amazonaws.com",
        "eventName": operation,
        "awsRegion": event.region,
        "requestID": event.request_id,
        "eventID": event.request_id,
        "readOnly": operation in _READ_ONLY or operation.startswith(_READ_ONLY_PREFIXES),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": event.account,
    }
    if event.encryption_context:
        record["requestParameters"] = {"encryptionContext": dict(event.encryption_context)}
    if event.key_arn is not None:
        account = event.key_arn.split(":")[4]
        record["resources"] = [
            {"accountId": account, "type": "AWS::KMS::Key", "ARN": event.key_arn}
        ]
    if event.error_code is not None:
        record["errorCode"] = event.error_code.removesuffix(
            "Exception" if event.error_code == "AccessDeniedException" else ""
        )
    return record
