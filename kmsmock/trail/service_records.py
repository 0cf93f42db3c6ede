"""The records of service events.

Source: AWS KMS Developer Guide, "Logging AWS KMS API calls with CloudTrail", the pages of
RotateKey, DeleteKey, DeleteExpiredKeyMaterial and SynchronizeMultiRegionKey.
"""

from __future__ import annotations

from typing import Any

from kmsmock.ledger.service_events import (
    DELETE_EXPIRED,
    DELETE_KEY,
    ROTATE_KEY,
    SYNCHRONIZE,
    ServiceEvent,
)
from kmsmock.timing.dates import format_time
from kmsmock.trail.event_ids import derived_id
from kmsmock.trail.record import SOURCE, VERSION, Record
from kmsmock.trail.response_elements import deletion_data
from kmsmock.trail.user_identity import aws_internal, internal_identity

#: The events whose responseElements have the key ARN.
_SHOWING_KEY = (DELETE_KEY, SYNCHRONIZE)


def make_service_record(event: ServiceEvent) -> Record:
    """Make the record of a service event, for the account and Region of the key."""
    internal = aws_internal(event.region)
    # CloudTrail records a synchronization as an API call.
    is_call = event.name == SYNCHRONIZE
    basis = (
        event.name,
        event.key_arn,
        event.at.isoformat(),
        str(event.calls_before),
        _id(event.material_id),
    )
    record: Record = {
        "eventVersion": VERSION,
        "userIdentity": internal_identity(event.account, event.region),
        "eventTime": format_time(event.at),
        "eventSource": SOURCE,
        "eventName": event.name,
        "awsRegion": event.region,
        "sourceIPAddress": internal,
        "userAgent": internal,
        "requestParameters": None,
        "responseElements": {"keyId": event.key_arn} if event.name in _SHOWING_KEY else None,
    }
    data = deletion_data(event.key) if event.name == DELETE_KEY else {}
    if data:
        record["additionalEventData"] = data
    if is_call:
        record["requestID"] = derived_id(*basis, "request")
    record["eventID"] = derived_id(*basis)
    record["readOnly"] = False
    record["resources"] = [
        {"accountId": event.account, "type": "AWS::KMS::Key", "ARN": event.key_arn}
    ]
    record["eventType"] = "AwsApiCall" if is_call else "AwsServiceEvent"
    record["managementEvent"] = True
    record["recipientAccountId"] = event.account
    details = _details(event)
    if details:
        record["serviceEventDetails"] = details
    record["eventCategory"] = "Management"
    return record


def _details(event: ServiceEvent) -> dict[str, Any]:
    if event.name == ROTATE_KEY:
        return {
            "rotationType": event.rotation_type,
            "keyOrigin": event.key.origin.value,
            "previousKeyMaterialId": _id(event.previous_material_id),
            "currentKeyMaterialId": _id(event.material_id),
            "keyId": event.key.key_id,
        }
    if event.name == DELETE_EXPIRED:
        details = {"keyId": event.key.key_id}
        if event.key.shows_material_id:
            details["keyMaterialId"] = _id(event.material_id)
        return details
    return {}


def _id(material_id: bytes | None) -> str:
    return "" if material_id is None else material_id.hex()
