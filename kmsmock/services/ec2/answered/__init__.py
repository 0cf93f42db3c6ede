"""The operations of EC2 on encrypted volumes, snapshots and images.

Each module puts its operations into the table of `registry`.

Source: Amazon EC2 API Reference.
"""

from __future__ import annotations

from kmsmock.services.ec2.answered import (
    account_settings,
    attachments,
    copies,
    image_copies,
    image_sharing,
    images,
    sharing,
    snapshots,
    tags,
    volume_copies,
    volume_creation,
    volumes,
)
from kmsmock.services.ec2.answered.registry import OPERATIONS, SHOWN_STATES
from kmsmock.services.registry import Service

SERVICE = Service(
    OPERATIONS,
    unknown_operation="The action {name} is not valid for this web service.",
    validates_parameters=True,
    shown_states=SHOWN_STATES,
)

__all__ = [
    "OPERATIONS",
    "SERVICE",
    "account_settings",
    "attachments",
    "copies",
    "image_copies",
    "image_sharing",
    "images",
    "sharing",
    "snapshots",
    "tags",
    "volume_copies",
    "volume_creation",
    "volumes",
]
