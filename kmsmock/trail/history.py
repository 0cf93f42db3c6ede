"""Records as event history lists them, each in an envelope that can be searched.

Source: AWS CloudTrail API Reference, LookupEvents and Event.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from kmsmock.aws import arns
from kmsmock.aws.operations import OPERATION_FACTS
from kmsmock.trail.record import Record

_KEY = "AWS::KMS::Key"
#: Parameters by which a call names a key.
_NAMING = ("keyId", "sourceKeyId", "destinationKeyId")


def username(record: Record) -> str | None:
    """Name who called: user, role session, federated user or root; None for services."""
    identity = record["userIdentity"]
    kind, arn = identity.get("type"), identity.get("arn")
    if kind == "Root":
        return "root"
    return None if arn is None else arns.name_in(arn)


def access_key_id(record: Record) -> str | None:
    """Give the access key that a call was signed with."""
    key: str | None = record["userIdentity"].get("accessKeyId")
    return key


def resources(record: Record) -> list[dict[str, str]]:
    """List what a call was about, which is not what the record itself lists.

    Reading calls have the keys by the names that the caller used; those that change something
    have id and ARN of what they changed.
    """
    if not record["readOnly"]:
        return [
            {"ResourceType": _KEY, "ResourceName": name}
            for resource in record.get("resources", ())
            for name in (_short(resource["ARN"]), resource["ARN"])
        ]
    parameters = record["requestParameters"] or {}
    shows_type = OPERATION_FACTS[record["eventName"]].trail.shows_key_type
    kind = {"ResourceType": _KEY} if shows_type else {}
    names = dict.fromkeys(parameters[name] for name in _NAMING if name in parameters)
    return [{**kind, "ResourceName": name} for name in names]


def _short(arn: str) -> str:
    return arns.Arn.of(arn).key_or_alias or arn


def envelope(record: Record, at: datetime) -> dict[str, Any]:
    """Show a record as LookupEvents lists it. at: when the call was made."""
    listed = {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": "true" if record["readOnly"] else "false",
        "AccessKeyId": access_key_id(record),
        "EventTime": at.replace(microsecond=0),
        "EventSource": record["eventSource"],
        "Username": username(record),
        "Resources": resources(record),
        "CloudTrailEvent": json.dumps(record, separators=(",", ":")),
    }
    return {name: value for name, value in listed.items() if value is not None}


def _resource_values(member: str) -> Callable[[Record], set[str | None]]:
    return lambda record: {resource.get(member) for resource in resources(record)}


#: Attribute of LookupEvents -> the values that a record has of it.
ATTRIBUTES: dict[str, Callable[[Record], set[str | None]]] = {
    "EventId": lambda record: {record["eventID"]},
    "EventName": lambda record: {record["eventName"]},
    "ReadOnly": lambda record: {"true" if record["readOnly"] else "false"},
    "Username": lambda record: {username(record)},
    "ResourceType": _resource_values("ResourceType"),
    "ResourceName": _resource_values("ResourceName"),
    "EventSource": lambda record: {record["eventSource"]},
    "AccessKeyId": lambda record: {access_key_id(record)},
}
