"""The operations that create, describe, enable, disable and delete KMS keys."""

from __future__ import annotations

from kmsmock.aws import arns, errors
from kmsmock.aws.operations import CHANGED_KEY_ARN, PageSizes, per_second, read_event, write_event
from kmsmock.identities.service_linked_roles import MULTI_REGION_ROLE, require_role
from kmsmock.keys.custom_key_store import CustomKeyStore, StoreType
from kmsmock.keys.key import USAGE_TRACKING_START, Key, KeyManager, MultiRegionKey
from kmsmock.keys.region import KmsRegion
from kmsmock.keys.specs import KEY_SPECS, SYMMETRIC_DEFAULT, KeySpec, KeyUsage, Origin
from kmsmock.keys.states import (
    DELETABLE,
    KEY_STATE,
    NOT_PENDING_DELETION,
    SWITCHABLE,
    KeyState,
)
from kmsmock.operations import tags
from kmsmock.operations.key_lookup import by_any_identifier, by_id_or_arn
from kmsmock.operations.key_policies import get_policy_ids, read_policy
from kmsmock.operations.registry import Call, Response, Target, operation
from kmsmock.operations.response_members import build_key_metadata, build_page
from kmsmock.state.scheduled_work import delete_when_due, rotate_if_missed
from kmsmock.timing.passing_states import Shows
from kmsmock.trail.event_ids import event_id

#: Source: AWS KMS Developer Guide, "Resource quotas".
KEYS_QUOTA = 100_000
LONGEST_DESCRIPTION = 8192
#: Origin -> the type of custom key store that its keys are in.
STORE_ORIGINS = {
    Origin.AWS_CLOUDHSM: StoreType.AWS_CLOUDHSM,
    Origin.EXTERNAL_KEY_STORE: StoreType.EXTERNAL_KEY_STORE,
}


def has_tags(call: Call) -> bool:
    """Return whether a call that creates a key has tags for it."""
    return bool(call.parameters.get("Tags"))


def _build_all_keys_arn(call: Call) -> str:
    """Return the resource of kms:TagResource for a new key: all keys of the account and Region.

    Source: AWS KMS Developer Guide, "Controlling access to tags".
    """
    region = call.parameters.get("ReplicaRegion", call.region.name)
    return arns.key_arn(region, call.region.account, "*")


#: The permission that a call needs to create a key with tags.
TAGGING = Target(
    "kms:TagResource",
    resource=_build_all_keys_arn,
    when=has_tags,
    region_from="ReplicaRegion",
    omits_resource=True,
)


@operation(
    "CreateKey",
    Target("kms:CreateKey"),
    TAGGING,
    trail=write_event(
        *("Description", "KeyUsage", "Origin", "KeySpec", "CustomerMasterKeySpec", "MultiRegion"),
        *("Policy", "BypassPolicyLockoutSafetyCheck", "Tags", "CustomKeyStoreId", "XksKeyId"),
        shows=("KeyMetadata",),
        defaults={
            "BypassPolicyLockoutSafetyCheck": False,
            "KeyUsage": "ENCRYPT_DECRYPT",
            "Origin": "AWS_KMS",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        },
        synonyms=("KeySpec", "CustomerMasterKeySpec"),
    ),
    quota=per_second(5),
    puts_policy=True,
)
def create_key(call: Call) -> Response:
    """Create a KMS key; the key material of asymmetric keys is generated on first use."""
    parameters = call.parameters
    spec, usage = _read_spec_and_usage(call)
    origin = Origin(parameters.get("Origin", "AWS_KMS"))
    multi_region = parameters.get("MultiRegion", False)
    require_supported(call.region.partition, spec, origin, multi_region=multi_region)
    store = _find_custom_key_store(call, spec, origin, multi_region=multi_region)
    xks_key_id = _read_xks_key_id(call, origin, store)
    new_tags = tags.merge_tags(parameters.get("Tags", []), {})
    policy = read_policy(call)
    require_key_quota(call.region)

    backend = call.backend
    key = Key(
        account=call.region.account,
        region_name=call.region.name,
        key_id=backend.new_multi_region_key_id() if multi_region else backend.new_uuid(),
        spec=spec,
        usage=usage,
        origin=origin,
        policy=policy,
        creation_date=call.now,
        source=backend.source,
        description=parameters.get("Description", ""),
    )
    key.tags = new_tags
    key.policy_ids = get_policy_ids(call, policy)
    if origin is not Origin.EXTERNAL:
        key.materials.append(key.new_material())
    if multi_region:
        key.multi_region = MultiRegionKey(key)
        require_role(backend.identities, key.account, call.region.partition, MULTI_REGION_ROLE)
    if store is not None:
        key.custom_key_store = store
        key.xks_key_id = xks_key_id
        if xks_key_id is not None:
            store.xks_key_ids.add(xks_key_id)
    call.region.add_key(key)
    call.keys.append(key)
    return {"KeyMetadata": build_key_metadata(key)}


def require_key_quota(region: KmsRegion) -> None:
    """Require that the account can have another key in the Region (LimitExceededException)."""
    count = region.key_counts[KeyManager.CUSTOMER]
    if count >= KEYS_QUOTA:
        raise errors.LimitExceededException(
            f"Key quota for this account in this region is {KEYS_QUOTA} but the current usage is "
            f"{count}."
        )


def _read_spec_and_usage(call: Call) -> tuple[KeySpec, KeyUsage]:
    parameters = call.parameters
    if "KeySpec" in parameters and "CustomerMasterKeySpec" in parameters:
        raise errors.ValidationException(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. "
            "CustomerMasterKeySpec is deprecated."
        )
    name = parameters.get("KeySpec") or parameters.get("CustomerMasterKeySpec")
    spec = KEY_SPECS[name] if name else SYMMETRIC_DEFAULT
    usage_name = parameters.get("KeyUsage")
    if usage_name is None and spec is not SYMMETRIC_DEFAULT:
        raise errors.ValidationException(
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption "
            "keys.",
            explanation=f"{spec.name} keys can have: {', '.join(u.value for u in spec.usages)}.",
        )
    usage = KeyUsage(usage_name) if usage_name else KeyUsage.ENCRYPT_DECRYPT
    if usage not in spec.usages:
        raise errors.ValidationException(
            f"KeyUsage {usage.value} is not compatible with KeySpec {spec.name}",
            explanation=f"{spec.name} keys can have: {', '.join(u.value for u in spec.usages)}.",
        )
    return spec, usage


def require_supported(partition: str, spec: KeySpec, origin: Origin, *, multi_region: bool) -> None:
    """Require a key spec that exists in the partition, with this origin and multi-Region setting.

    Raises UnsupportedOperationException or ValidationException.
    """
    if not spec.is_offered_in(partition):
        where = "only" if spec.china_only else "everywhere but"
        raise errors.UnsupportedOperationException(
            f"KeySpec {spec.name} is not supported in this Region",
            explanation=f"AWS offers it {where} in cn-north-1 and cn-northwest-1.",
        )
    if origin is Origin.EXTERNAL and not spec.importable:
        raise errors.ValidationException(
            f"KeySpec {spec.name} is not supported for Origin EXTERNAL"
        )
    if origin in STORE_ORIGINS and (multi_region or spec is not SYMMETRIC_DEFAULT):
        raise errors.UnsupportedOperationException(
            explanation="A custom key store holds single-Region symmetric encryption keys only."
        )


def _find_custom_key_store(
    call: Call, spec: KeySpec, origin: Origin, *, multi_region: bool
) -> CustomKeyStore | None:
    store_id = call.parameters.get("CustomKeyStoreId")
    required_type = STORE_ORIGINS.get(origin)
    if store_id is None:
        if required_type is not None:
            raise errors.ValidationException.in_own_words(
                f"CustomKeyStoreId is required when Origin is {origin.value}."
            )
        return None
    if multi_region or spec is not SYMMETRIC_DEFAULT:
        raise errors.UnsupportedOperationException(
            explanation="A custom key store holds single-Region symmetric encryption keys only."
        )
    store = call.region.custom_key_stores.get(store_id)
    if store is None:
        raise errors.CustomKeyStoreNotFoundException(
            explanation=f"There is no custom key store {store_id!r} in this account and Region."
        )
    if store.store_type is not required_type:
        raise errors.ValidationException.in_own_words(
            f"Origin {origin.value} cannot be used with a custom key store of type "
            f"{store.store_type.value}."
        )
    if not store.is_connected:
        raise errors.CustomKeyStoreInvalidStateException(
            explanation=store.describe_state(call.backend.passing)
        )
    if store.proxy_failure is not None:
        raise errors.CustomKeyStoreInvalidStateException(store.proxy_failure)
    return store


def _read_xks_key_id(call: Call, origin: Origin, store: CustomKeyStore | None) -> str | None:
    xks_key_id: str | None = call.parameters.get("XksKeyId")
    if (xks_key_id is not None) != (origin is Origin.EXTERNAL_KEY_STORE):
        raise errors.ValidationException.in_own_words(
            "XksKeyId is required when Origin is EXTERNAL_KEY_STORE, and not permitted otherwise."
        )
    if store is not None and xks_key_id in store.xks_key_ids:
        raise errors.XksKeyAlreadyInUseException(
            explanation=f"Another KMS key of the store is associated with {xks_key_id!r}."
        )
    return xks_key_id


@operation(
    "DescribeKey",
    Target("kms:DescribeKey", by_any_identifier("KeyId"), grant_order=3),
    trail=read_event("KeyId"),
    quota=per_second(2000),
    shows=Shows(KEY_STATE, lambda call, _: [call.keys[0].arn]),
)
def describe_key(call: Call, key: Key) -> Response:
    """Return the metadata of a key in any state; creates an AWS managed key named by its alias."""
    return {"KeyMetadata": build_key_metadata(key)}


@operation(
    "ListKeys",
    Target("kms:ListKeys"),
    trail=read_event("ResourceOwners", "Limit", "Marker"),
    quota=per_second(500),
    pages=PageSizes(100, 1000),
)
def list_keys(call: Call) -> Response:
    """List the keys of the account in the Region, oldest first.

    Differs from AWS: keys shared through AWS RAM are not emulated, so no other owner has any.
    """
    owners = call.parameters.get("ResourceOwners", ["SELF"])
    keys = call.region.keys.values() if "SELF" in owners else ()
    return build_page(call, "Keys", keys, lambda key: {"KeyId": key.key_id, "KeyArn": key.arn})


@operation(
    "EnableKey",
    Target("kms:EnableKey", by_id_or_arn("KeyId"), SWITCHABLE),
    trail=write_event("KeyId"),
    quota=per_second(5),
)
def enable_key(call: Call, key: Key) -> None:
    """Enable a key; a rotation that was due while it was disabled is carried out at once."""
    key.status = KeyState.ENABLED
    rotate_if_missed(call.backend, key, call.now)


@operation(
    "DisableKey",
    Target("kms:DisableKey", by_id_or_arn("KeyId"), SWITCHABLE),
    trail=write_event("KeyId"),
    quota=per_second(5),
)
def disable_key(call: Call, key: Key) -> None:
    """Disable a key, so that it cannot be used until it is enabled."""
    key.status = KeyState.DISABLED


@operation(
    "UpdateKeyDescription",
    Target("kms:UpdateKeyDescription", by_id_or_arn("KeyId"), NOT_PENDING_DELETION),
    trail=write_event("KeyId", "Description"),
    quota=per_second(5),
)
def update_key_description(call: Call, key: Key) -> None:
    """Replace the description of a key."""
    key.description = call.parameters["Description"]


def _require_window(call: Call, key: Key) -> None:
    if not 7 <= call.parameters.get("PendingWindowInDays", 30) <= 30:
        raise errors.ValidationException("PendingWindowInDays must be between 7 and 30")


@operation(
    "ScheduleKeyDeletion",
    Target("kms:ScheduleKeyDeletion", by_id_or_arn("KeyId"), DELETABLE),
    precheck=_require_window,
    trail=write_event(
        "KeyId",
        "PendingWindowInDays",
        shows=(CHANGED_KEY_ARN, "DeletionDate", "KeyState", "PendingWindowInDays"),
    ),
    quota=per_second(15),
)
def schedule_key_deletion(call: Call, key: Key) -> Response:
    """Start the waiting period of a key, after which it is deleted."""
    window_days: int = call.parameters.get("PendingWindowInDays", 30)
    key.schedule_deletion(call.now, window_days)
    response: Response = {
        "KeyId": key.arn,
        "KeyState": key.status.value,
        "PendingWindowInDays": window_days,
    }
    if key.deletion_date is not None:
        response["DeletionDate"] = key.deletion_date
        delete_when_due(call.backend, key)
    return response


def _require_pending_deletion(call: Call, key: Key) -> None:
    if not key.is_pending_deletion:
        raise errors.KMSInvalidStateException(
            f"{key.arn} is not pending deletion.",
            explanation="The key is not scheduled for deletion, so there is nothing to cancel.",
        )


@operation(
    "CancelKeyDeletion",
    Target("kms:CancelKeyDeletion", by_id_or_arn("KeyId")),
    precheck=_require_pending_deletion,
    trail=write_event("KeyId"),
    quota=per_second(5),
)
def cancel_key_deletion(call: Call, key: Key) -> Response:
    """Cancel the deletion of a key, which is disabled afterwards."""
    key.cancel_deletion()
    return {"KeyId": key.arn}


@operation(
    "GetKeyLastUsage",
    Target("kms:GetKeyLastUsage", by_id_or_arn("KeyId")),
    trail=read_event("KeyId"),
    quota=per_second(5),
)
def get_key_last_usage(call: Call, key: Key) -> Response:
    """Return the last successful cryptographic operation with a key.

    KeyId is the key id, as in answers that Cloud Custodian's tests recorded
    (`tests/data/placebo/test_kms_last_usage`) and in the guide's examples.
    """
    usage = key.last_usage
    return {
        "KeyId": key.key_id,
        "KeyCreationDate": key.creation_date,
        "TrackingStartDate": max(key.creation_date, USAGE_TRACKING_START),
        "KeyLastUsage": {}
        if usage is None
        else {
            "Operation": usage.operation,
            "Timestamp": usage.at,
            "CloudTrailEventId": event_id(
                usage.request_id, usage.operation, key.account, key.region_name
            ),
            "KmsRequestId": usage.request_id,
        },
    }
