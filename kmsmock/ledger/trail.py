"""The calls as CloudTrail shows them.

Source: AWS CloudTrail User Guide, "CloudTrail record contents".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kmsmock.ledger.calls import Calls
from kmsmock.ledger.events import Event, ServiceEvent
from kmsmock.ledger.shown import SHOWN

#: Service event -> how it calls the key material.
_CURRENT_IN = {
    "RotateKey": "currentKeyMaterialId",
    "DeleteExpiredKeyMaterial": "keyMaterialId",
}


class Trail:
    """Records in CloudTrail's shape, made from the calls when they are looked at."""

    def __init__(self, calls: Calls, service_events: Iterable[ServiceEvent] = ()) -> None:
        self._calls = calls
        self._service_events = service_events

    @property
    def events(self) -> list[dict[str, Any]]:
        """All records, oldest first."""
        records = [(event.at, _record(event)) for event in self._calls]
        records += [(event.at, _service_record(event)) for event in self._service_events]
        return [record for _, record in sorted(records, key=lambda entry: entry[0])]

    def lookup(self, event_name: str | None = None) -> list[dict[str, Any]]:
        """Give the records of an operation."""
        return [record for record in self.events if event_name in (None, record["eventName"])]

    def write_jsonl(self, path: str | Path) -> None:
        """Write one record a line."""
        lines = "".join(json.dumps(record) + "\n" for record in self.events)
        Path(path).write_text(lines, encoding="utf-8")


def _service_record(event: ServiceEvent) -> dict[str, Any]:
    """Show what the service did by itself."""
    record: dict[str, Any] = {
        "eventVersion": "1.11",
        "userIdentity": {"accountId": event.account, "invokedBy": "AWS Internal"},
        "eventTime": event.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "kms.amazonaws.com",
        "eventName": event.name,
        "awsRegion": event.region,
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "readOnly": False,
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": event.account,
        "resources": [{"accountId": event.account, "type": "AWS::KMS::Key", "ARN": event.key_arn}],
    }
    details = {
        "rotationType": event.kind,
        "keyOrigin": event.origin,
        "previousKeyMaterialId": event.previous and event.previous.hex(),
        _CURRENT_IN.get(event.name, ""): event.current and event.current.hex(),
        "keyId": event.key_arn.rpartition("/")[2],
    }
    if event.current is not None:
        record["serviceEventDetails"] = {k: v for k, v in details.items() if v is not None}
    return record


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
        "readOnly": SHOWN[operation].is_read_only,
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
