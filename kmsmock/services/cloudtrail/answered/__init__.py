"""The operations of CloudTrail: lookup of the records of KMS calls, and trails that deliver them.

Each module registers its operations with `registry`.

Source: AWS CloudTrail API Reference.
"""

from __future__ import annotations

from kmsmock.aws.errors import (
    UnsupportedOperationException,
    ValidationException,
)
from kmsmock.services.cloudtrail.answered import event_history, event_selectors, tags, trails
from kmsmock.services.cloudtrail.answered.registry import OPERATIONS
from kmsmock.services.registry import Service

SERVICE = Service(
    OPERATIONS,
    event_history.require_valid_request,
    not_emulated=UnsupportedOperationException,
    invalid=ValidationException,
)

__all__ = ["OPERATIONS", "SERVICE", "event_history", "event_selectors", "tags", "trails"]
