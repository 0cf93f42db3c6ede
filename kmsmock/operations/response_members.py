"""The structures of KMS's responses: KeyMetadata, AliasListEntry, GrantListEntry, and pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, Protocol, TypeVar

from kmsmock.authorization.grants import Grant
from kmsmock.aws import errors
from kmsmock.aws.arns import root_arn
from kmsmock.aws.paging import InvalidMarkerError, paginate
from kmsmock.keys.key import Key
from kmsmock.keys.region import Alias
from kmsmock.keys.specs import KeyUsage, Origin
from kmsmock.keys.states import KeyState
from kmsmock.operations.registry import Call

#: Key usage -> the member of KeyMetadata that lists the key's algorithms.
ALGORITHMS_MEMBER = {
    KeyUsage.ENCRYPT_DECRYPT: "EncryptionAlgorithms",
    KeyUsage.SIGN_VERIFY: "SigningAlgorithms",
    KeyUsage.GENERATE_VERIFY_MAC: "MacAlgorithms",
    KeyUsage.KEY_AGREEMENT: "KeyAgreementAlgorithms",
    KeyUsage.ENCAPSULATE_DECAPSULATE: "EncapsulationAlgorithms",
}


class Numbered(Protocol):
    """An item with a sequence number in the order of creation, by which lists are paged."""

    @property
    def sequence(self) -> int:
        """The number; later ones are greater."""
        ...


T = TypeVar("T", bound=Numbered)
_SEQUENCE = attrgetter("sequence")


def build_key_metadata(key: Key) -> dict[str, Any]:
    """Return the KeyMetadata of a key."""
    state = key.state
    metadata: dict[str, Any] = {
        "AWSAccountId": key.account,
        "KeyId": key.key_id,
        "Arn": key.arn,
        "CreationDate": key.creation_date,
        "Enabled": state is KeyState.ENABLED,
        "Description": key.description,
        "KeyUsage": key.usage.value,
        "KeyState": state.value,
        "Origin": key.origin.value,
        "KeyManager": key.manager.value,
        "CustomerMasterKeySpec": key.spec.name,
        "KeySpec": key.spec.name,
        ALGORITHMS_MEMBER[key.usage]: list(key.algorithms),
        "MultiRegion": key.multi_region is not None,
    }
    if state is KeyState.PENDING_REPLICA_DELETION:
        metadata["PendingDeletionWindowInDays"] = key.pending_window_days
    elif key.deletion_date is not None:
        metadata["DeletionDate"] = key.deletion_date
    if key.multi_region is not None:
        metadata["MultiRegionConfiguration"] = _build_multi_region_configuration(key)
    if key.origin is Origin.EXTERNAL:
        metadata.update(_build_expiration(key))
    if key.custom_key_store is not None:
        metadata.update(_build_store_members(key))
    if (
        key.shows_material_id
        and key.current_material is not None
        and state is not KeyState.CREATING
    ):
        metadata["CurrentKeyMaterialId"] = key.current_material.id.hex()
    return metadata


def _build_multi_region_configuration(key: Key) -> dict[str, Any]:
    family = key.multi_region
    assert family is not None
    return {
        "MultiRegionKeyType": "REPLICA" if key.is_replica else "PRIMARY",
        "PrimaryKey": {"Arn": family.primary.arn, "Region": family.primary.region_name},
        "ReplicaKeys": [
            {"Arn": replica.arn, "Region": replica.region_name} for replica in family.replicas
        ],
    }


def _build_expiration(key: Key) -> dict[str, Any]:
    """Return ExpirationModel and ValidTo: the earliest expiration of all permanent key material.

    A replica that is being created has them before it has key material.
    """
    if not key.has_all_material and key.status is not KeyState.CREATING:
        return {}
    if key.current_material is None:
        return {}
    dates = [m.valid_to for m in key.materials if m.is_permanent and m.valid_to is not None]
    if dates:
        return {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": min(dates)}
    return {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


def _build_store_members(key: Key) -> dict[str, Any]:
    store = key.custom_key_store
    assert store is not None
    members: dict[str, Any] = {"CustomKeyStoreId": store.store_id}
    if key.xks_key_id is not None:
        members["XksKeyConfiguration"] = {"Id": key.xks_key_id}
    else:
        members["CloudHsmClusterId"] = store.settings["CloudHsmClusterId"]
    return members


def build_alias_entry(alias: Alias) -> dict[str, Any]:
    """Return the AliasListEntry of an alias."""
    return {
        "AliasName": alias.name,
        "AliasArn": alias.arn,
        "TargetKeyId": alias.key.key_id,
        "CreationDate": alias.creation_date,
        "LastUpdatedDate": alias.last_updated_date,
    }


def build_grant_entry(grant: Grant, partition: str) -> dict[str, Any]:
    """Return the GrantListEntry of a grant. partition: of the grant's Region."""
    terms = grant.terms
    constraints = terms.constraints
    shown_constraints = constraints and {
        "EncryptionContextSubset": constraints.subset,
        "EncryptionContextEquals": constraints.equals,
        "SourceArn": constraints.source_arn,
    }
    return _drop_absent(
        {
            "KeyId": grant.key_arn,
            "GrantId": grant.grant_id,
            "Name": terms.name or "",
            "CreationDate": grant.creation_date,
            "GranteePrincipal": terms.grantee_principal,
            "GranteeServicePrincipal": terms.grantee_service_principal,
            "RetiringPrincipal": terms.retiring_principal,
            "RetiringServicePrincipal": terms.retiring_service_principal,
            "IssuingAccount": root_arn(partition, grant.issuing_account),
            "Operations": list(terms.operations),
            "Constraints": _drop_absent(shown_constraints) if shown_constraints else None,
        }
    )


def _drop_absent(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def build_page(
    call: Call, member: str, items: Iterable[T], show: Callable[[T], Any]
) -> dict[str, Any]:
    """Return the response of a list operation: one page, and the marker of the next page.

    member: the response member that has the list. items: all items, in the order of their sequence
    numbers. show: returns the entry of an item. Raises InvalidMarkerException.
    """
    sizes = call.operation.pages
    assert sizes is not None
    parameters = call.parameters
    try:
        entries, marker = paginate(
            call.backend.markers,
            call.operation.name,
            items,
            parameters.get("Marker"),
            parameters.get("Limit", sizes.default),
            show,
            _SEQUENCE,
        )
    except InvalidMarkerError:
        raise errors.InvalidMarkerException(
            explanation=f"Pass the NextMarker of the last {call.operation.name} response."
        ) from None
    if marker is None:
        return {member: entries, "Truncated": False}
    return {member: entries, "NextMarker": marker, "Truncated": True}
