"""Names and values of the API as CloudTrail writes them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

#: Members whose keys are the caller's own, and so are left alone.
_MAPS = frozenset(
    {
        *("EncryptionContext", "SourceEncryptionContext", "DestinationEncryptionContext"),
        *("EncryptionContextEquals", "EncryptionContextSubset"),
    }
)
#: The order in which CloudTrail shows the metadata of a key.
_METADATA = (
    *("AWSAccountId", "KeyId", "Arn", "CreationDate", "Enabled", "Description", "KeyUsage"),
    *("KeyState", "DeletionDate", "PendingDeletionWindowInDays", "ValidTo", "Origin"),
    *("CustomKeyStoreId", "CloudHsmClusterId", "ExpirationModel", "KeyManager"),
    *("CustomerMasterKeySpec", "KeySpec", "EncryptionAlgorithms", "SigningAlgorithms"),
    *("MacAlgorithms", "KeyAgreementAlgorithms", "EncapsulationAlgorithms", "MultiRegion"),
    *("MultiRegionConfiguration", "XksKeyConfiguration", "CurrentKeyMaterialId"),
)
_place = {name: place for place, name in enumerate(_METADATA)}.__getitem__


@lru_cache(maxsize=256)
def lowered(name: str) -> str:
    """Give a member's name: ``KeyId`` is keyId, ``AWSAccountId`` is aWSAccountId."""
    return name[0].lower() + name[1:]


def time(moment: datetime) -> str:
    """Write a time as CloudTrail does: ISO 8601, in whole seconds, UTC. moment: in UTC."""
    return f"{moment.isoformat()[:19]}Z"


def shown(name: str, value: Any) -> Any:
    """Give the value of a member, with the names inside it as CloudTrail writes them."""
    if type(value) is str:
        return value
    if isinstance(value, dict):
        if name in _MAPS:
            return dict(value)
        inner = sorted(value, key=_place) if name.endswith("KeyMetadata") else value
        return {lowered(member): shown(member, value[member]) for member in inner}
    if isinstance(value, list):
        return [shown("", item) for item in value]
    if isinstance(value, datetime):
        return time(value)
    return value
