"""Creating, describing, switching and deleting KMS keys."""

from __future__ import annotations

from kmsmock.aws import arns, errors
from kmsmock.aws.operations import KEY, PageSizes, per_second, reads, writes
from kmsmock.keys.custom_key_store import CustomKeyStore, StoreType
from kmsmock.keys.key import Key, KeyManager, MultiRegionKey
from kmsmock.keys.region import KmsRegion
from kmsmock.keys.specs import KEY_SPECS, SYMMETRIC_DEFAULT, KeySpec, KeyUsage, Origin
from kmsmock.keys.states import KeyState
from kmsmock.operations import tags
from kmsmock.operations.key_policies import policy_ids, read_policy
from kmsmock.operations.locating import key_at, key_only
from kmsmock.operations.registry import (
    DELETABLE,
    NOT_PENDING_DELETION,
    SWITCHABLE,
    Call,
    Response,
    Target,
    operation,
)
from kmsmock.operations.views import key_metadata, page
from kmsmock.state.scheduled_work import delete_when_due, rotate_if_missed
from kmsmock.trail.event_ids import event_id

#: Source: AWS KMS Developer Guide, "Resource quotas".
KEYS_QUOTA = 100_000
LONGEST_DESCRIPTION = 8192
#: Origin of keys in custom key stores -> the type of their store.
STORE_ORIGINS = {
    Origin.AWS_CLOUDHSM: StoreType.AWS_CLOUDHSM,
    Origin.EXTERNAL_KEY_STORE: StoreType.EXTERNAL_KEY_STORE,
}


def has_tags(call: Call) -> bool:
    """Tell whether a call gives tags to what it makes."""
    return bool(call.parameters.get("Tags"))


def _any_key(call: Call) -> str:
    """Give what tags of a new key are asked for on: all keys of the account in the Region.

    Source: AWS KMS Developer Guide, "Controlling access to tags".
    """
    region = call.parameters.get("ReplicaRegion", call.region.name)
    return arns.key_arn(region, call.region.account, "*")


#: The permission to give tags to a new key.
TAGGING = Target(
    "kms:TagResource",
    resource=_any_key,
    when=has_tags,
    region_from="ReplicaRegion",
    is_unnamed=True,
)


@operation(
    "CreateKey",
    Target("kms:CreateKey"),
    TAGGING,
    trail=writes(
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
    """Make a KMS key; material of key pairs is only made when it is first needed."""
    parameters = call.parameters
    spec, usage = _spec_and_usage(call)
    origin = Origin(parameters.get("Origin", "AWS_KMS"))
    multi_region = parameters.get("MultiRegion", False)
    require_possible(call.region.partition, spec, origin, multi_region=multi_region)
    store = _custom_key_store(call, spec, origin, multi_region=multi_region)
    xks_key_id = _xks_key_id(call, origin, store)
    new_tags = tags.checked(parameters.get("Tags", []), {})
    policy = read_policy(call)
    require_room(call.region)

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
    key.policy_ids = policy_ids(call, policy)
    if origin is not Origin.EXTERNAL:
        key.materials.append(key.new_material())
    if multi_region:
        key.multi_region = MultiRegionKey(key)
    if store is not None:
        key.custom_key_store = store
        key.xks_key_id = xks_key_id
        if xks_key_id is not None:
            store.xks_key_ids.add(xks_key_id)
    call.region.add_key(key)
    call.keys.append(key)
    return {"KeyMetadata": key_metadata(key)}


def require_room(region: KmsRegion) -> None:
    """Refuse another customer managed key above the quota; raises LimitExceededException."""
    count = region.key_counts[KeyManager.CUSTOMER]
    if count >= KEYS_QUOTA:
        raise errors.LimitExceededException(
            f"Key quota for this account in this region is {KEYS_QUOTA} but the current usage is "
            f"{count}."
        )


def _spec_and_usage(call: Call) -> tuple[KeySpec, KeyUsage]:
    parameters = call.parameters
    if "KeySpec" in parameters and "CustomerMasterKeySpec" in parameters:
        raise errors.ValidationException(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. "
            "CustomerMasterKeySpec is deprecated."
        )
    name = parameters.get("KeySpec") or parameters.get("CustomerMasterKeySpec")
    spec = KEY_SPECS[name] if name else SYMMETRIC_DEFAULT
    given = parameters.get("KeyUsage")
    if given is None and spec is not SYMMETRIC_DEFAULT:
        raise errors.ValidationException(
            "You must specify a KeyUsage value for all KMS keys except for symmetric encryption "
            "keys.",
            explanation=f"{spec.name} keys can have: {', '.join(u.value for u in spec.usages)}.",
        )
    usage = KeyUsage(given) if given else KeyUsage.ENCRYPT_DECRYPT
    if usage not in spec.usages:
        raise errors.ValidationException(
            f"KeyUsage {usage.value} is not compatible with KeySpec {spec.name}",
            explanation=f"{spec.name} keys can have: {', '.join(u.value for u in spec.usages)}.",
        )
    return spec, usage


def require_possible(partition: str, spec: KeySpec, origin: Origin, *, multi_region: bool) -> None:
    """Refuse a key spec that is not offered there, or not with this origin or in all Regions."""
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


def _custom_key_store(
    call: Call, spec: KeySpec, origin: Origin, *, multi_region: bool
) -> CustomKeyStore | None:
    store_id = call.parameters.get("CustomKeyStoreId")
    wanted = STORE_ORIGINS.get(origin)
    if store_id is None:
        if wanted is not None:
            raise errors.ValidationException(
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
    if store.store_type is not wanted:
        raise errors.ValidationException(
            f"Origin {origin.value} cannot be used with a custom key store of type "
            f"{store.store_type.value}."
        )
    if not store.is_connected:
        raise errors.CustomKeyStoreInvalidStateException(explanation=store.state_description)
    if store.proxy_failure is not None:
        raise errors.CustomKeyStoreInvalidStateException(store.proxy_failure)
    return store


def _xks_key_id(call: Call, origin: Origin, store: CustomKeyStore | None) -> str | None:
    xks_key_id: str | None = call.parameters.get("XksKeyId")
    if (xks_key_id is not None) != (origin is Origin.EXTERNAL_KEY_STORE):
        raise errors.ValidationException(
            "XksKeyId is required when Origin is EXTERNAL_KEY_STORE, and not permitted otherwise."
        )
    if store is not None and xks_key_id in store.xks_key_ids:
        raise errors.XksKeyAlreadyInUseException(
            explanation=f"Another KMS key of the store is associated with {xks_key_id!r}."
        )
    return xks_key_id


@operation(
    "DescribeKey",
    Target("kms:DescribeKey", key_at("KeyId"), grant_order=3),
    trail=reads("KeyId"),
    quota=per_second(2000),
)
def describe_key(call: Call, key: Key) -> Response:
    """Show the metadata of a key, in any state; an AWS managed key is made on first sight."""
    return {"KeyMetadata": key_metadata(key)}


@operation(
    "ListKeys",
    Target("kms:ListKeys"),
    trail=reads("ResourceOwners", "Limit", "Marker"),
    quota=per_second(500),
    pages=PageSizes(100, 1000),
)
def list_keys(call: Call) -> Response:
    """List the keys of the account in the Region, oldest first.

    Keys shared through AWS RAM are not emulated, so other owners have none to show.
    """
    owners = call.parameters.get("ResourceOwners", ["SELF"])
    keys = call.region.keys.values() if "SELF" in owners else ()
    return page(call, "Keys", keys, lambda key: {"KeyId": key.key_id, "KeyArn": key.arn})


@operation(
    "EnableKey",
    Target("kms:EnableKey", key_only("KeyId"), SWITCHABLE),
    trail=writes("KeyId"),
    quota=per_second(5),
)
def enable_key(call: Call, key: Key) -> None:
    """Make a key usable; a rotation that it missed is made up for at once."""
    key.status = KeyState.ENABLED
    rotate_if_missed(call.backend, key, call.now)


@operation(
    "DisableKey",
    Target("kms:DisableKey", key_only("KeyId"), SWITCHABLE),
    trail=writes("KeyId"),
    quota=per_second(5),
)
def disable_key(call: Call, key: Key) -> None:
    """Make a key unusable for a while."""
    key.status = KeyState.DISABLED


@operation(
    "UpdateKeyDescription",
    Target("kms:UpdateKeyDescription", key_only("KeyId"), NOT_PENDING_DELETION),
    trail=writes("KeyId", "Description"),
    quota=per_second(5),
)
def update_key_description(call: Call, key: Key) -> None:
    """Give a key another description."""
    key.description = call.parameters["Description"]


def _require_window(call: Call, key: Key) -> None:
    if not 7 <= call.parameters.get("PendingWindowInDays", 30) <= 30:
        raise errors.ValidationException("PendingWindowInDays must be between 7 and 30")


@operation(
    "ScheduleKeyDeletion",
    Target("kms:ScheduleKeyDeletion", key_only("KeyId"), DELETABLE),
    first=_require_window,
    trail=writes(
        "KeyId",
        "PendingWindowInDays",
        shows=(KEY, "DeletionDate", "KeyState", "PendingWindowInDays"),
    ),
    quota=per_second(15),
)
def schedule_key_deletion(call: Call, key: Key) -> Response:
    """Start the waiting period of a key; it is gone when that is over."""
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
            explanation="The key is not scheduled for deletion, so nothing can be cancelled.",
        )


@operation(
    "CancelKeyDeletion",
    Target("kms:CancelKeyDeletion", key_only("KeyId")),
    first=_require_pending_deletion,
    trail=writes("KeyId"),
    quota=per_second(5),
)
def cancel_key_deletion(call: Call, key: Key) -> Response:
    """End the waiting period of a key, which is disabled afterwards."""
    key.cancel_deletion()
    return {"KeyId": key.arn}


@operation(
    "GetKeyLastUsage",
    Target("kms:GetKeyLastUsage", key_only("KeyId")),
    trail=reads("KeyId"),
    quota=per_second(5),
)
def get_key_last_usage(call: Call, key: Key) -> Response:
    """Show the last successful cryptographic use of a key."""
    usage = key.last_usage
    return {
        "KeyId": key.arn,
        "KeyCreationDate": key.creation_date,
        "TrackingStartDate": key.creation_date,
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
