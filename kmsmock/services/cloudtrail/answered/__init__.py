"""CloudTrail: the records of KMS calls, looked up and delivered by trails.

Each module puts its operations into the table of `registry`.

Source: AWS CloudTrail API Reference.
"""

from __future__ import annotations

from kmsmock.aws.errors import (
    UnrecognizedClientException,
    UnsupportedOperationException,
    ValidationException,
)
from kmsmock.services.cloudtrail.answered import event_history, event_selectors, tags, trails
from kmsmock.services.cloudtrail.answered.registry import OPERATIONS
from kmsmock.services.registry import Service


def _not_valid(explanation: str) -> UnrecognizedClientException:
    return UnrecognizedClientException(
        "The security token included in the request is invalid.", explanation=explanation
    )


SERVICE = Service(
    OPERATIONS,
    event_history.require_good_request,
    unauthenticated=_not_valid,
    not_emulated=UnsupportedOperationException,
    invalid=ValidationException,
)

__all__ = ["OPERATIONS", "SERVICE", "event_history", "event_selectors", "tags", "trails"]
