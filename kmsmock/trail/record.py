"""The records of one call: one for each account and Region that gets a copy."""

from __future__ import annotations

from typing import Any

from kmsmock.aws import arns
from kmsmock.aws.operations import OPERATION_FACTS, AliasPosition
from kmsmock.aws.principals import PrincipalKind
from kmsmock.aws.regions import kms_host
from kmsmock.aws.services import find_calling_service
from kmsmock.keys.key import Key
from kmsmock.ledger.call_record import Call
from kmsmock.timing.dates import format_time
from kmsmock.trail.event_ids import derived_id, event_id
from kmsmock.trail.member_format import format_value
from kmsmock.trail.request_parameters import is_hidden, request_parameters
from kmsmock.trail.response_elements import (
    additional_event_data,
    find_changed_key,
    response_elements,
)
from kmsmock.trail.user_identity import (
    aws_internal,
    caller_identity,
    cross_account_identity,
    get_network_key,
    get_request_source,
    service_name,
)

Record = dict[str, Any]

VERSION = "1.11"
SOURCE = "kms.amazonaws.com"
#: The errorCode of AccessDeniedException.
ACCESS_DENIED = "AccessDenied"
_LONGEST_MESSAGE = 1024
#: What current clients negotiate with AWS.
_TLS = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_256_GCM_SHA384"}
_KEY_EXCHANGE = "x25519"


def make_record(event: Call, account: str) -> Record:
    """Make the record for the caller's account, or for the owner of a key that a service used."""
    name, region = event.operation, event.region
    service = service_name(event)
    source, user_agent = get_request_source(event)
    record: Record = {
        "eventVersion": VERSION,
        "userIdentity": caller_identity(event),
        "eventTime": format_time(event.at),
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
            "clientProvidedHostHeader": kms_host(region),
            "keyExchange": _KEY_EXCHANGE,
        }
    return record


def list_other_owners(event: Call) -> tuple[str, ...]:
    """Return the other accounts that own a key of the call.

    They get no copy of a call that was denied.
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
    """Return whether the record has a sharedEventID: it has copies, or a service made the call."""
    return (
        event.principal.kind is PrincipalKind.SERVICE
        or _used_internal_endpoint(event)
        or bool(list_other_owners(event))
    )


def make_owner_record(event: Call, account: str) -> Record:
    """Make the record for the key owner in another account, with less detail about the caller."""
    record = make_record(event, account)
    record["userIdentity"] = cross_account_identity(event)
    record.pop("tlsDetails", None)
    return record


# --- records in other Regions -------------------------------------------------------------------


def make_primary_record(event: Call) -> Record:
    """Make the record of UpdatePrimaryRegion in the Region of the new primary key."""
    key = event.rare.second_key
    assert key is not None
    record = _record_in_other_region(event, event.operation, key.region_name)
    record["requestParameters"] = {**record["requestParameters"], "keyId": key.arn}
    record["responseElements"] = {"keyId": key.arn}
    record.pop("resources")
    return record


def make_replica_record(event: Call) -> Record:
    """Make the record of CreateKey, as part of ReplicateKey, in the Region of the replica key."""
    record = _record_in_other_region(event, "CreateKey", event.parameter("ReplicaRegion"))
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
        "tags": format_value("Tags", event.parameter("Tags")),
    }
    record["requestParameters"] = {k: v for k, v in parameters.items() if v is not None}
    record["responseElements"] = {"keyMetadata": format_value("KeyMetadata", metadata)}
    record["resources"] = [_resource(metadata["AWSAccountId"], metadata["Arn"])]
    return record


def _record_in_other_region(event: Call, name: str, region: str) -> Record:
    record = make_record(event, event.account)
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
    if event.key is not None and find_calling_service(event.principal.via).hides_denied_key:
        for key in event.keys:
            message = message.replace(f"on resource: {key.arn} ", "on this resource ")
    record["errorMessage"] = message[:_LONGEST_MESSAGE]


def _add_endpoint(record: Record, event: Call) -> None:
    """Add the VPC endpoint of the call, if any."""
    if _used_internal_endpoint(event):
        internal = aws_internal(event.region)
        record["vpcEndpointId"] = record["vpcEndpointAccountId"] = internal
        return
    endpoint = get_network_key(event, "aws:SourceVpce")
    if endpoint is not None and service_name(event) is None:
        record["vpcEndpointId"] = endpoint
        record["vpcEndpointAccountId"] = get_network_key(event, "aws:VpceAccount") or event.account


def _used_internal_endpoint(event: Call) -> bool:
    """Return whether a service made the call by an internal endpoint, as EC2 does for some."""
    return event.operation in find_calling_service(event.principal.via).internal_endpoint


def _resources(event: Call) -> list[dict[str, str]]:
    if event.key is None or is_hidden(event):
        return []
    members = OPERATION_FACTS[event.operation].trail
    keys: tuple[Key, ...] = event.keys if members.is_read_only else (find_changed_key(event),)
    resources = [_resource(key.account, key.arn) for key in keys]
    if members.alias_position is not None:
        arn = arns.alias_arn(event.region, event.account, event.parameter("AliasName"))
        index = 0 if members.alias_position is AliasPosition.FIRST else len(resources)
        resources.insert(index, _resource(event.account, arn))
    return resources


def _resource(account: str, arn: str) -> dict[str, str]:
    return {"accountId": account, "type": "AWS::KMS::Key", "ARN": arn}
