"""The operations of the KMS API, a module for each topic; importing the package registers all."""

from __future__ import annotations

from kmsmock.operations import (
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
    shared_secrets,
    signing,
    tags,
)
from kmsmock.operations.registry import OPERATIONS, Operation

__all__ = [
    "OPERATIONS",
    "Operation",
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
    "shared_secrets",
    "signing",
    "tags",
]
