"""The rotation operations: automatic and on-demand rotation, and the list of rotations."""

from __future__ import annotations

from typing import Any, NamedTuple

from kmsmock.aws import errors
from kmsmock.aws.operations import REQUESTED_KEY_ID, PageSizes, per_second, read_event, write_event
from kmsmock.keys import rotation
from kmsmock.keys.key import Key
from kmsmock.keys.material import KeyMaterial
from kmsmock.keys.specs import Origin
from kmsmock.keys.states import USABLE, KeyState
from kmsmock.operations.key_lookup import by_id_or_arn
from kmsmock.operations.registry import Call, Response, Target, operation
from kmsmock.operations.response_members import build_page
from kmsmock.state.scheduled_work import finish_rotation_when_due, rotate_when_due
from kmsmock.timing.passing_states import Shows


def _require_primary(call: Call, key: Key) -> None:
    if key.is_replica:
        raise errors.UnsupportedOperationException(
            f"{key.arn} is a multi-region replica key which is not valid for "
            f"{call.operation.name}.",
            explanation="Rotate the primary key; its replicas follow.",
        )


def _require_own_material(call: Call, key: Key) -> None:
    key.require_origin(Origin.AWS_KMS)
    _require_primary(call, key)


def _require_no_store(call: Call, key: Key) -> None:
    if key.custom_key_store is not None:
        key.require_origin(Origin.AWS_KMS)


def _require_rotatable(call: Call, key: Key) -> None:
    _require_no_store(call, key)
    _require_primary(call, key)


def _require_symmetric(key: Key) -> None:
    if not key.spec.is_symmetric_encryption:
        raise errors.UnsupportedOperationException(
            explanation=f"KMS does not rotate {key.spec.name} keys. Rotate manually: create "
            "another key and point the alias to it (UpdateAlias)."
        )


@operation(
    "EnableKeyRotation",
    Target("kms:EnableKeyRotation", by_id_or_arn("KeyId"), USABLE),
    precheck=_require_own_material,
    trail=write_event("KeyId", "RotationPeriodInDays"),
    quota=per_second(15),
)
def enable_key_rotation(call: Call, key: Key) -> None:
    """Enable automatic rotation of a key, by default every 365 days."""
    _require_symmetric(key)
    schedule = rotation.enable(key, call.now, call.parameters.get("RotationPeriodInDays"))
    if schedule is not None:
        rotate_when_due(call.backend, key, schedule)
        call.backend.service_events.note_synchronization(key, call.now, during_call=True)


@operation(
    "DisableKeyRotation",
    Target("kms:DisableKeyRotation", by_id_or_arn("KeyId"), USABLE),
    precheck=_require_own_material,
    trail=write_event("KeyId"),
    quota=per_second(5),
)
def disable_key_rotation(call: Call, key: Key) -> None:
    """Disable automatic rotation of a key; without rotation this changes nothing."""
    if key.rotation is not None:
        key.rotation = None
        call.backend.service_events.note_synchronization(key, call.now, during_call=True)


@operation(
    "GetKeyRotationStatus",
    Target("kms:GetKeyRotationStatus", by_id_or_arn("KeyId", cross_account=True)),
    precheck=_require_no_store,
    trail=read_event("KeyId"),
    quota=per_second(1000),
    shows=Shows(
        rotation.ON_DEMAND_ROTATION, lambda call, _: [rotation.get_family_id(call.keys[0])]
    ),
)
def get_key_rotation_status(call: Call, key: Key) -> Response:
    """Return whether automatic rotation of a key is enabled, and the date of the next one.

    The API Reference says that it is always enabled for AWS managed keys; a new one was recorded
    with false, so here it is false until the first rotation.
    """
    schedule = rotation.get_schedule(key)
    is_enabled = (
        schedule is not None
        and key.status is not KeyState.PENDING_DELETION
        and not rotation.is_before_first_of_aws(key)
    )
    response: dict[str, Any] = {"KeyRotationEnabled": is_enabled, "KeyId": key.arn}
    if is_enabled and schedule is not None:
        response["RotationPeriodInDays"] = schedule.period.days
        response["NextRotationDate"] = schedule.next_date
    started = rotation.get_on_demand_start(key)
    if started is not None:
        response["OnDemandRotationStartDate"] = started
    return response


@operation(
    "RotateKeyOnDemand",
    Target("kms:RotateKeyOnDemand", by_id_or_arn("KeyId"), USABLE),
    precheck=_require_rotatable,
    trail=write_event("KeyId", shows=(REQUESTED_KEY_ID,)),
    quota=per_second(5),
)
def rotate_key_on_demand(call: Call, key: Key) -> Response:
    """Start an on-demand rotation; the new key material is created some time after the response."""
    _require_symmetric(key)
    if rotation.start_on_demand(key, call.now):
        finish_rotation_when_due(call.backend, key, call.now)
    return {"KeyId": key.arn}


class _Entry(NamedTuple):
    sequence: int
    material: KeyMaterial


def _find_listed_key(call: Call, _: object) -> list[str]:
    # Only the first page counts, so that no rotation ends between two pages of a list.
    return [] if "Marker" in call.parameters else [rotation.get_family_id(call.keys[0])]


@operation(
    "ListKeyRotations",
    Target("kms:ListKeyRotations", by_id_or_arn("KeyId")),
    precheck=_require_no_store,
    trail=read_event("KeyId", "IncludeKeyMaterial", "Limit", "Marker"),
    quota=per_second(100),
    pages=PageSizes(100, 1000),
    shows=Shows(
        rotation.ON_DEMAND_ROTATION,
        _find_listed_key,
        lacks="The list is without the on-demand rotation that is in progress.",
    ),
)
def list_key_rotations(call: Call, key: Key) -> Response:
    """List the rotations of a key, oldest first, or all of its key materials.

    The list is empty for keys whose key material KMS does not show: asymmetric and HMAC keys.
    """
    include = call.parameters.get("IncludeKeyMaterial")
    if include is not None and not key.spec.is_symmetric_encryption:
        raise errors.ValidationException(
            "Input parameter includeKeyMaterial can only be used with symmetric keys."
        )
    all_material = include == "ALL_KEY_MATERIAL"
    listed = [
        _Entry(sequence, material)
        for sequence, material in enumerate(key.materials if key.shows_material_id else (), 1)
        if all_material or material.rotation_date is not None
    ]
    return build_page(
        call, "Rotations", listed, lambda entry: _build_rotation_entry(key, entry.material)
    )


def _build_rotation_entry(key: Key, material: KeyMaterial) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "KeyId": key.arn,
        "KeyMaterialId": material.id.hex(),
        "KeyMaterialState": material.state.value,
    }
    if key.origin is Origin.EXTERNAL:
        entry["ImportState"] = "IMPORTED" if material.is_present else "PENDING_IMPORT"
        if material.description is not None:
            entry["KeyMaterialDescription"] = material.description
        if material.is_present:
            entry["ExpirationModel"] = material.expiration_model
            if material.valid_to is not None:
                entry["ValidTo"] = material.valid_to
    if material.rotation_date is not None and material.rotation_type is not None:
        entry["RotationDate"] = material.rotation_date
        entry["RotationType"] = material.rotation_type.value
    return entry
