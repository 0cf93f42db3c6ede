"""The members responseElements and additionalEventData of CloudTrail records.

Source: AWS KMS Developer Guide, "Logging AWS KMS API calls with CloudTrail", the page of each
operation.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from kmsmock.aws.operations import CHANGED_KEY_ARN, OPERATION_FACTS, REQUESTED_KEY_ID
from kmsmock.aws.principals import PrincipalKind
from kmsmock.keys.key import Key
from kmsmock.ledger.call_record import Call
from kmsmock.trail.member_format import format_value, lower_first
from kmsmock.trail.request_parameters import is_hidden


def response_elements(event: Call) -> dict[str, Any] | None:
    """Return responseElements: the recorded part of the response; None for read-only operations."""
    members = OPERATION_FACTS[event.operation].trail
    if event.failure is not None or not members.elements:
        return None
    is_service = event.principal.kind is PrincipalKind.SERVICE
    if members.shows_response_to_services_only and not is_service:
        return None
    recorded: dict[str, Any] = dict(
        zip(members.response, event.rare.response_members or (), strict=False)
    )
    elements: dict[str, Any] = {}
    for name in members.elements:
        if name == CHANGED_KEY_ARN:
            elements["keyId"] = find_changed_key(event).arn
        elif name == REQUESTED_KEY_ID:
            elements["keyId"] = event.parameter("KeyId")
        elif recorded[name] is not None:
            elements[lower_first(name)] = format_value(name, recorded[name])
    return elements


def find_changed_key(event: Call) -> Key:
    """Find the key that a call changed; for UpdateAlias the new key of the alias."""
    is_on_alias = OPERATION_FACTS[event.operation].trail.alias_position is not None
    key = (event.rare.second_key if is_on_alias else None) or event.key
    assert key is not None
    return key


def additional_event_data(event: Call) -> dict[str, Any]:
    """Return additionalEventData, such as the key material id; empty if there is none."""
    data: dict[str, Any] = {}
    if event.material_id is not None:
        data.update(_materials(event))
    members = OPERATION_FACTS[event.operation].trail
    if members.shows_deleted_grant_id and event.failure is None:
        data["grantId"] = event.grant_id
    key = next((key for key in event.keys if key.custom_key_store is not None), None)
    if key is not None and not is_hidden(event):
        data.update(_key_store_data(event, key))
    data.update(
        (lower_first(name), format_value(name, v))
        for name, v in (event.rare.additional_event_data or {}).items()
    )
    return data


def _key_store_data(event: Call, key: Key) -> dict[str, str]:
    """Describe a key in a custom key store.

    Cryptographic operations show backingKeyId according to "Find the AWS CloudHSM key for a KMS
    key" in the guide; the example on the page of Decrypt is older.
    """
    assert key.custom_key_store is not None
    if OPERATION_FACTS[event.operation].trail.shows_key_store:
        where = {"customKeyStoreId": key.custom_key_store.store_id}
        if key.xks_key_id is not None:
            return {**where, "xksKeyId": key.xks_key_id}
        return {**where, **_backing_key(key)}
    if key.xks_key_id is not None or event.failure is not None:
        return {}
    if event.operation == "CreateKey":
        return {"backingKey": _json(_backing_key(key))}
    return _cluster_data(key) if event.operation == "ScheduleKeyDeletion" else {}


def deletion_data(key: Key) -> dict[str, Any]:
    """Return additionalEventData of DeleteKey: the deleted key of the AWS CloudHSM cluster.

    Empty for keys that are not in such a cluster.
    """
    if key.custom_key_store is None or key.xks_key_id is not None:
        return {}
    status = {**_backing_key(key), "deletionStatus": "SUCCESS"}
    return {**_cluster_data(key), "backingKeysDeletionStatus": _json([status])}


def _materials(event: Call) -> dict[str, str]:
    assert event.material_id is not None
    if len(OPERATION_FACTS[event.operation].key_permissions) == 1:
        return {"keyMaterialId": event.material_id.hex()}
    ids = {"sourceKeyMaterialId": event.material_id.hex()}
    if event.rare.second_material_id is not None:
        return {"destinationKeyMaterialId": event.rare.second_material_id.hex(), **ids}
    return ids


def _cluster_data(key: Key) -> dict[str, str]:
    store = key.custom_key_store
    assert store is not None
    return {
        "customKeyStoreId": store.store_id,
        "clusterId": str(store.settings["CloudHsmClusterId"]),
        "backingKeys": _json([_backing_key(key)]),
    }


def _backing_key(key: Key) -> dict[str, str]:
    """Describe the key in the cluster; since there is none, its id is derived from the key ARN."""
    name = hashlib.blake2b(key.arn.encode(), digest_size=32).digest()
    return {"backingKeyId": name.hex()}


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
