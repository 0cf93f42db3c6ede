"""Records as LookupEvents of CloudTrail's event history returns them.

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
#: Request parameters that name keys.
_KEY_PARAMETERS = ("keyId", "sourceKeyId", "destinationKeyId")


def username(record: Record) -> str | None:
    """Return the name of the user, role session, federated user or root; None for services."""
    identity = record["userIdentity"]
    kind, arn = identity.get("type"), identity.get("arn")
    if kind == "Root":
        return "root"
    return None if arn is None else arns.name_in(arn)


def access_key_id(record: Record) -> str | None:
    """Return the access key id of a record, if it has one."""
    key: str | None = record["userIdentity"].get("accessKeyId")
    return key


def resources(record: Record) -> list[dict[str, str]]:
    """Return the Resources of an event, which differ from the resources of its record.

    Read-only calls have keys by the names in the request; other calls have the id and the ARN of
    each resource.
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
    names = dict.fromkeys(parameters[name] for name in _KEY_PARAMETERS if name in parameters)
    return [{**kind, "ResourceName": name} for name in names]


def _short(arn: str) -> str:
    return arns.Arn.of(arn).key_or_alias or arn


def make_event(record: Record, at: datetime) -> dict[str, Any]:
    """Return a record as an event of LookupEvents. at: when the call was made."""
    members = {
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
    return {name: value for name, value in members.items() if value is not None}


def _resource_values(member: str) -> Callable[[Record], set[str | None]]:
    return lambda record: {resource.get(member) for resource in resources(record)}


#: AttributeKey of LookupEvents -> returns the values of a record.
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
