"""Names and values of API members in CloudTrail's format."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from kmsmock.timing.dates import format_time

#: Members with keys of the caller, which are not changed.
_MAPS = frozenset(
    {
        *("EncryptionContext", "SourceEncryptionContext", "DestinationEncryptionContext"),
        *("EncryptionContextEquals", "EncryptionContextSubset"),
    }
)
#: The order of the members of KeyMetadata in records.
_METADATA = (
    *("AWSAccountId", "KeyId", "Arn", "CreationDate", "Enabled", "Description", "KeyUsage"),
    *("KeyState", "DeletionDate", "PendingDeletionWindowInDays", "ValidTo", "Origin"),
    *("CustomKeyStoreId", "CloudHsmClusterId", "ExpirationModel", "KeyManager"),
    *("CustomerMasterKeySpec", "KeySpec", "EncryptionAlgorithms", "SigningAlgorithms"),
    *("MacAlgorithms", "KeyAgreementAlgorithms", "EncapsulationAlgorithms", "MultiRegion"),
    *("MultiRegionConfiguration", "XksKeyConfiguration", "CurrentKeyMaterialId"),
)
_position = {name: number for number, name in enumerate(_METADATA)}.__getitem__


@lru_cache(maxsize=256)
def lower_first(name: str) -> str:
    """Lower the first letter of a member's name: ``keyId``, ``aWSAccountId``."""
    return name[0].lower() + name[1:]


def format_value(name: str, value: Any) -> Any:
    """Return the value of a member in CloudTrail's format. name: of the member in the API."""
    if type(value) is str:
        return value
    if isinstance(value, dict):
        if name in _MAPS:
            return dict(value)
        inner = sorted(value, key=_position) if name.endswith("KeyMetadata") else value
        return {lower_first(member): format_value(member, value[member]) for member in inner}
    if isinstance(value, list):
        return [format_value("", item) for item in value]
    if isinstance(value, datetime):
        return format_time(value)
    return value
