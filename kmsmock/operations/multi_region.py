"""The operations for multi-Region keys: ReplicateKey and UpdatePrimaryRegion."""

from __future__ import annotations

from kmsmock.aws import errors
from kmsmock.aws.operations import KeyNaming, per_second, write_event
from kmsmock.aws.regions import is_known_region, partition_of
from kmsmock.keys.key import Key
from kmsmock.keys.multi_region import add_replica, make_primary
from kmsmock.keys.states import REPLICABLE, USABLE
from kmsmock.operations import tags
from kmsmock.operations.key_lookup import by_id_or_arn
from kmsmock.operations.key_policies import get_policy_ids, read_policy
from kmsmock.operations.keys import TAGGING, require_key_quota
from kmsmock.operations.registry import Call, Locator, Response, Target, operation
from kmsmock.operations.response_members import build_key_metadata
from kmsmock.state.scheduled_work import finish_creation_when_due, finish_update_when_due
from kmsmock.timing.dates import add_or_last


def _require_primary(call: Call, key: Key) -> None:
    if key.multi_region is None or key.is_replica:
        raise errors.UnsupportedOperationException(
            f"{key.arn} is not a multi-region primary key.",
            explanation="Create the key with MultiRegion=True, and call this on the primary key.",
        )


@operation(
    "ReplicateKey",
    Target("kms:ReplicateKey", by_id_or_arn("KeyId"), REPLICABLE),
    Target("kms:CreateKey", region_from="ReplicaRegion"),
    TAGGING,
    precheck=_require_primary,
    trail=write_event(
        *("KeyId", "ReplicaRegion", "Policy", "Description", "BypassPolicyLockoutSafetyCheck"),
        "Tags",
        shows=("ReplicaKeyMetadata", "ReplicaPolicy", "ReplicaTags"),
        defaults={"BypassPolicyLockoutSafetyCheck": False},
    ),
    quota=per_second(5, "ReplicaRegion", {"CreateKey": 2}),
    puts_policy=True,
)
def replicate_key(call: Call, primary: Key) -> Response:
    """Create a replica of a multi-Region primary key in another Region."""
    parameters = call.parameters
    family = primary.multi_region
    assert family is not None
    region_name = parameters["ReplicaRegion"]
    _require_region(primary, region_name)
    if region_name in family.members:
        raise errors.AlreadyExistsException(
            "You can create only one replica of each primary key in each AWS Region."
        )
    backend = call.backend
    region = backend.region(primary.account, region_name)
    new_tags = tags.merge_tags(parameters.get("Tags", []), {})
    policy = read_policy(call)
    require_key_quota(region)
    replica = Key(
        account=primary.account,
        region_name=region_name,
        key_id=primary.key_id,
        spec=primary.spec,
        usage=primary.usage,
        origin=primary.origin,
        policy=policy,
        creation_date=call.now,
        source=primary.source,
        description=parameters.get("Description", ""),
    )
    replica.tags = new_tags
    replica.policy_ids = get_policy_ids(call, policy)
    add_replica(family, replica)
    region.add_key(replica)
    due = add_or_last(call.now, backend.delays.replica)
    finish_creation_when_due(backend, replica, due)
    response = {
        "ReplicaKeyMetadata": build_key_metadata(replica),
        "ReplicaPolicy": policy,
    }
    if "Tags" in parameters:
        response["ReplicaTags"] = parameters["Tags"]
    return response


def _require_region(primary: Key, region_name: str) -> None:
    if region_name == primary.region_name:
        raise errors.ValidationException(
            f"{region_name} cannot have a replica because it contains the primary."
        )
    if not is_known_region(region_name):
        raise errors.ValidationException(
            f"Region {region_name} is not a valid Region or multi-Region keys are not supported "
            f"in Region {region_name}."
        )
    if partition_of(region_name) != partition_of(primary.region_name):
        raise errors.ValidationException(
            "The replica key Region must be in the same AWS partition as the primary key Region."
        )


def _get_next_primary(call: Call) -> Key | None:
    """Return the replica that is to become the primary; None if the request names no replica."""
    key = call.keys[0]
    if key.multi_region is None or key.is_replica:
        return None
    replica = key.multi_region.members.get(call.parameters["PrimaryRegion"])
    return None if replica is key else replica


def _require_current_primary(call: Call, key: Key, replica: Key | None = None) -> None:
    if key.multi_region is None:
        raise errors.UnsupportedOperationException(
            f"{key.arn} is not a multi-Region primary key.",
            explanation="It is a single-Region key; MultiRegion is fixed when a key is created.",
        )
    if key.is_replica:
        raise errors.KMSInvalidStateException(
            f"{key.arn} is not a multi-Region primary key.",
            explanation=f"The primary key is {key.multi_region.primary.arn}.",
        )


@operation(
    "UpdatePrimaryRegion",
    Target("kms:UpdatePrimaryRegion", by_id_or_arn("KeyId"), USABLE),
    Target("kms:UpdatePrimaryRegion", Locator(_get_next_primary, KeyNaming.RELATED_KEY), USABLE),
    precheck=_require_current_primary,
    trail=write_event("KeyId", "PrimaryRegion"),
    quota=per_second(5, "PrimaryRegion", {"UpdatePrimaryRegion": 1}),
)
def update_primary_region(call: Call, primary: Key, replica: Key | None = None) -> None:
    """Make a replica the primary key, and the primary key a replica."""
    family = primary.multi_region
    assert family is not None
    if call.parameters["PrimaryRegion"] == primary.region_name:
        return
    if replica is None:
        raise errors.ValidationException(
            f"{primary.key_id} does not have a replica key in the specified Region.",
            explanation=f"It has keys in: {', '.join(family.members)}.",
        )
    make_primary(family, replica)
    due = add_or_last(call.now, call.backend.delays.primary_region)
    for key in (primary, replica):
        finish_update_when_due(call.backend, key, due)
