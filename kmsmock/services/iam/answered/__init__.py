"""Identity and Access Management, as far as access to keys depends on it.

Each module puts its operations into the table of `registry`.

Source: AWS Identity and Access Management API Reference.
"""

from __future__ import annotations

from kmsmock.services.iam.answered import (
    access_keys,
    groups,
    identity_policies,
    managed_policies,
    roles,
    simulation,
    tags,
    users,
)
from kmsmock.services.iam.answered.finding import require_good_names
from kmsmock.services.iam.answered.registry import OPERATIONS
from kmsmock.services.registry import Service

SERVICE = Service(OPERATIONS, require_good_names)

__all__ = [
    "OPERATIONS",
    "SERVICE",
    "access_keys",
    "groups",
    "identity_policies",
    "managed_policies",
    "roles",
    "simulation",
    "tags",
    "users",
]
