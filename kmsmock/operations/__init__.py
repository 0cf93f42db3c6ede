"""The operations of the KMS API, by topic; importing this package registers them all."""

from __future__ import annotations

from kmsmock.operations import (
    agreement,
    aliases,
    custom_key_stores,
    data_keys,
    encryption,
    grants,
    imported_material,
    key_policies,
    keys,
    multi_region,
    rotation,
    signing,
    tags,
)
from kmsmock.operations.registry import OPERATIONS, Operation

__all__ = [
    "OPERATIONS",
    "Operation",
    "agreement",
    "aliases",
    "custom_key_stores",
    "data_keys",
    "encryption",
    "grants",
    "imported_material",
    "key_policies",
    "keys",
    "multi_region",
    "rotation",
    "signing",
    "tags",
]
