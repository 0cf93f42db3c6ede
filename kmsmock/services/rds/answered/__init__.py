"""The operations of RDS on encrypted databases and their snapshots.

Each module puts its operations into the table of `registry`.

Source: Amazon RDS API Reference.
"""

from __future__ import annotations

from kmsmock.services.rds.answered import (
    clusters,
    copies,
    instances,
    restoring,
    sharing,
    snapshots,
    tagging,
)
from kmsmock.services.rds.answered.registry import OPERATIONS, SHOWN_STATES
from kmsmock.services.registry import Service

SERVICE = Service(OPERATIONS, validates_parameters=True, shown_states=SHOWN_STATES)

__all__ = [
    "OPERATIONS",
    "SERVICE",
    "clusters",
    "copies",
    "instances",
    "restoring",
    "sharing",
    "snapshots",
    "tagging",
]
