"""The operations of IAM on which access to keys depends.

Each module registers its operations with `registry`.

Source: AWS Identity and Access Management API Reference.
"""

from __future__ import annotations

from kmsmock.services.iam.answered import (
    access_keys,
    account_details,
    groups,
    identity_policies,
    managed_policies,
    roles,
    simulation,
    tags,
    users,
)
from kmsmock.services.iam.answered.lookup import require_valid_names
from kmsmock.services.iam.answered.registry import OPERATIONS
from kmsmock.services.registry import Service

SERVICE = Service(OPERATIONS, require_valid_names)

__all__ = [
    "OPERATIONS",
    "SERVICE",
    "access_keys",
    "account_details",
    "groups",
    "identity_policies",
    "managed_policies",
    "roles",
    "simulation",
    "tags",
    "users",
]
