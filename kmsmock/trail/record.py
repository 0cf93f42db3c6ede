"""One call as CloudTrail shows it, in the copy of each account and Region that gets one."""

from __future__ import annotations

from typing import Any

from kmsmock.aws import arns
from kmsmock.aws.operations import OPERATION_FACTS, AliasPlace
from kmsmock.aws.principals import PrincipalKind
from kmsmock.aws.services import calling_service
from kmsmock.keys.key import Key
from kmsmock.ledger.call_record import Call
from kmsmock.trail.elements import additional_event_data, changed_key, response_elements
from kmsmock.trail.identity import (
    aws_internal,
    caller_identity,
    foreign_identity,
    network,
    origin,
    service_name,
)
from kmsmock.trail.ids import derived_id, event_id
from kmsmock.trail.members import shown, time
from kmsmock.trail.parameters import is_hidden, request_parameters

Record = dict[str, Any]

VERSION = "1.11"
SOURCE = "kms.amazonaws.com"
#: What CloudTrail calls AccessDeniedException.
ACCESS_DENIED = "AccessDenied"
_LONGEST_MESSAGE = 1024
#: What a client and AWS agree on when both are of this time.
_TLS = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_256_GCM_SHA384"}
_KEY_EXCHANGE = "x25519"


def record_of(event: Call, account: str) -> Record:
    """Show a call in the log of its caller, or of the account whose key a service used."""
    name, region = event.operation, event.region
    service = service_name(event)
    source, user_agent = origin(event)
    record: Record = {
        "eventVersion": VERSION,
        "userIdentity": caller_identity(event),
        "eventTime": time(event.at),
        "eventSource": SOURCE,
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": source,
    }
    if user_agent:
        record["userAgent"] = user_agent
    if event.failure is not None:
        _add_error(record, event)
    record["requestParameters"] = request_parameters(event)
    record["responseElements"] = response_elements(event)
    data = additional_event_data(event)
    if data:
        record["additionalEventData"] = data
    record["requestID"] = event.request_id
    record["eventID"] = event_id(event.request_id, name, account, region)
    record["readOnly"] = OPERATION_FACTS[name].trail.is_read_only
    resources = _resources(event)
    if resources:
        record["resources"] = resources
    record["eventType"] = "AwsApiCall"
    record["managementEvent"] = True
    record["recipientAccountId"] = account
    if is_shared(event):
        record["sharedEventID"] = derived_id(event.request_id, "shared")
    _add_endpoint(record, event)
    record["eventCategory"] = "Management"
    if service is None:
        record["tlsDetails"] = {
            **_TLS,
            "clientProvidedHostHeader": arns.kms_host(region),
            "keyExchange": _KEY_EXCHANGE,
        }
    return record


def owners(event: Call) -> tuple[str, ...]:
    """Give the accounts of keys that a call was allowed to use, beside the caller's own.

    They get no copy of a call that was refused.
    """
    key = event.key
    if key is None:
        return ()
    second = event.rare.second_key
    account = event.account
    if key.account == account and (second is None or second.account == account):
        return ()
    if event.error_code == "AccessDeniedException" or event.rare.authorized == ():
        return ()
    accounts = (key.account for key in event.keys if key.account != account)
    return tuple(dict.fromkeys(accounts))


def is_shared(event: Call) -> bool:
    """Tell whether a call has a sharedEventID: it has copies, or came from within AWS."""
    return (
        event.principal.kind is PrincipalKind.SERVICE
        or _came_by_internal_endpoint(event)
        or bool(owners(event))
    )


def owner_record(event: Call, account: str) -> Record:
    """Show a call in the log of an owner in another account, who learns less of the caller."""
    record = record_of(event, account)
    record["userIdentity"] = foreign_identity(event)
    record.pop("tlsDetails", None)
    return record


# --- what a call made KMS do in another Region --------------------------------------------------


def primary_record(event: Call) -> Record:
    """Show UpdatePrimaryRegion in the Region of the new primary key."""
    key = event.rare.second_key
    assert key is not None
    record = _elsewhere(event, event.operation, key.region_name)
    record["requestParameters"] = {**record["requestParameters"], "keyId": key.arn}
    record["responseElements"] = {"keyId": key.arn}
    record.pop("resources")
    return record


def replica_record(event: Call) -> Record:
    """Show the CreateKey that ReplicateKey leads to, in the Region of the replica."""
    record = _elsewhere(event, "CreateKey", event.parameter("ReplicaRegion"))
    metadata = (event.rare.response_members or ({},))[0]
    parameters = {
        "description": metadata["Description"],
        "keyUsage": metadata["KeyUsage"],
        "origin": metadata["Origin"],
        "keySpec": metadata["KeySpec"],
        "customerMasterKeySpec": metadata["KeySpec"],
        "multiRegion": True,
        "policy": event.parameter("Policy"),
        "bypassPolicyLockoutSafetyCheck": bool(event.parameter("BypassPolicyLockoutSafetyCheck")),
        "tags": shown("Tags", event.parameter("Tags")),
    }
    record["requestParameters"] = {k: v for k, v in parameters.items() if v is not None}
    record["responseElements"] = {"keyMetadata": shown("KeyMetadata", metadata)}
    record["resources"] = [_resource(metadata["AWSAccountId"], metadata["Arn"])]
    return record


def _elsewhere(event: Call, name: str, region: str) -> Record:
    record = record_of(event, event.account)
    record["userIdentity"]["invokedBy"] = SOURCE
    record["eventName"] = name
    record["awsRegion"] = region
    record["eventID"] = event_id(event.request_id, name, event.account, region)
    for member in ("vpcEndpointId", "vpcEndpointAccountId", "tlsDetails"):
        record.pop(member, None)
    return record


# --- parts of a record --------------------------------------------------------------------------


def _add_error(record: Record, event: Call) -> None:
    assert event.failure is not None
    code, message = event.failure.code, event.failure.message
    record["errorCode"] = ACCESS_DENIED if code == "AccessDeniedException" else code
    if not message:
        return
    if event.key is not None and calling_service(event.principal.via).hides_denied_key:
        for key in event.keys:
            message = message.replace(f"on resource: {key.arn} ", "on this resource ")
    record["errorMessage"] = message[:_LONGEST_MESSAGE]


def _add_endpoint(record: Record, event: Call) -> None:
    """Add the VPC endpoint that the call came through."""
    if _came_by_internal_endpoint(event):
        internal = aws_internal(event.region)
        record["vpcEndpointId"] = record["vpcEndpointAccountId"] = internal
        return
    endpoint = network(event, "aws:SourceVpce")
    if endpoint is not None and service_name(event) is None:
        record["vpcEndpointId"] = endpoint
        record["vpcEndpointAccountId"] = network(event, "aws:VpceAccount") or event.account


def _came_by_internal_endpoint(event: Call) -> bool:
    """Tell whether a call came from a service by an endpoint within AWS; some of EC2's do."""
    return event.operation in calling_service(event.principal.via).internal_endpoint


def _resources(event: Call) -> list[dict[str, str]]:
    if event.key is None or is_hidden(event):
        return []
    members = OPERATION_FACTS[event.operation].trail
    keys: tuple[Key, ...] = event.keys if members.is_read_only else (changed_key(event),)
    resources = [_resource(key.account, key.arn) for key in keys]
    if members.alias_place is not None:
        arn = arns.alias_arn(event.region, event.account, event.parameter("AliasName"))
        place = 0 if members.alias_place is AliasPlace.FIRST else len(resources)
        resources.insert(place, _resource(event.account, arn))
    return resources


def _resource(account: str, arn: str) -> dict[str, str]:
    return {"accountId": account, "type": "AWS::KMS::Key", "ARN": arn}
