"""What was answered, as CloudTrail shows it: responseElements and additionalEventData."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from kmsmock.aws.operations import KEY, KEY_AS_GIVEN, OPERATION_FACTS
from kmsmock.aws.principals import PrincipalKind
from kmsmock.keys.key import Key
from kmsmock.ledger.call_record import Call
from kmsmock.trail.members import lowered, shown


def response_elements(event: Call) -> dict[str, Any] | None:
    """Show what an operation that changes something has answered, and which key it changed."""
    members = OPERATION_FACTS[event.operation].trail
    if event.failure is not None or not members.elements:
        return None
    is_service = event.principal.kind is PrincipalKind.SERVICE
    if members.hides_response_of_others and not is_service:
        return None
    kept: dict[str, Any] = dict(
        zip(members.response, event.rare.response_members or (), strict=False)
    )
    elements: dict[str, Any] = {}
    for name in members.elements:
        if name == KEY:
            elements[lowered(KEY)] = changed_key(event).arn
        elif name == KEY_AS_GIVEN:
            elements[lowered(KEY)] = event.parameter(KEY)
        elif kept[name] is not None:
            elements[lowered(name)] = shown(name, kept[name])
    return elements


def changed_key(event: Call) -> Key:
    """Give the key that a call changed: of those on aliases the one that the alias means now."""
    is_on_alias = OPERATION_FACTS[event.operation].trail.alias_place is not None
    key = (event.rare.second_key if is_on_alias else None) or event.key
    assert key is not None
    return key


def additional_event_data(event: Call) -> dict[str, Any]:
    """Show what the service knows beside request and answer; empty when there is nothing."""
    data: dict[str, Any] = {}
    if event.material_id is not None:
        data.update(_materials(event))
    members = OPERATION_FACTS[event.operation].trail
    if members.shows_grant and event.failure is None:
        data["grantId"] = event.grant_id
    key = next((key for key in event.keys if key.custom_key_store is not None), None)
    if key is not None:
        if members.shows_key_store:
            data.update(_store_of(key))
        elif event.operation == "CreateKey" and key.xks_key_id is None:  # no other makes one
            data["backingKey"] = _json(_backing_key(key))
    data.update(
        (lowered(name), shown(name, v))
        for name, v in (event.rare.additional_event_data or {}).items()
    )
    return data


def deletion_data(key: Key) -> dict[str, Any]:
    """Show what became of the key in the cluster behind a deleted KMS key; empty for others."""
    if key.custom_key_store is None or key.xks_key_id is not None:
        return {}
    backing_key = _backing_key(key)
    return {
        **_store_of(key),
        "backingKeys": _json([backing_key]),
        "backingKeysDeletionStatus": _json([{**backing_key, "deletionStatus": "SUCCESS"}]),
    }


def _materials(event: Call) -> dict[str, str]:
    assert event.material_id is not None
    if len(OPERATION_FACTS[event.operation].key_permissions) == 1:
        return {"keyMaterialId": event.material_id.hex()}
    ids = {"sourceKeyMaterialId": event.material_id.hex()}
    if event.rare.second_material_id is not None:
        ids["destinationKeyMaterialId"] = event.rare.second_material_id.hex()
    return ids


def _store_of(key: Key) -> dict[str, Any]:
    store = key.custom_key_store
    assert store is not None
    if key.xks_key_id is not None:
        return {"customKeyStoreId": store.store_id, "xksKeyId": key.xks_key_id}
    return {"customKeyStoreId": store.store_id, "clusterId": store.settings["CloudHsmClusterId"]}


def _backing_key(key: Key) -> dict[str, str]:
    """Name the key in the cluster, which is not there: by what its KMS key is called."""
    name = hashlib.blake2b(key.arn.encode(), digest_size=32).digest()
    return {"keyHandle": str(int.from_bytes(name[:3], "big")), "backingKeyId": name.hex()}


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
