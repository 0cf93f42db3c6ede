"""The operations of Organizations that read: roots, units, accounts, and their policies.

Each module registers its operations with `registry`.

Source: AWS Organizations API Reference.
"""

from __future__ import annotations

from kmsmock.aws.errors import UnsupportedOperationException, ValidationException
from kmsmock.services.organizations.answered import accounts, policies, structure
from kmsmock.services.organizations.answered.registry import OPERATIONS
from kmsmock.services.registry import Service

SERVICE = Service(
    OPERATIONS, not_emulated=UnsupportedOperationException, invalid=ValidationException
)

__all__ = ["OPERATIONS", "SERVICE", "accounts", "policies", "structure"]
