"""The schedule of automatic rotation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True)
class RotationSchedule:
    """Automatic rotation that is switched on: its period, in whole days, and when it is next due.

    is_missed: whether it fell due while the key could not be used.
    """

    period: timedelta
    next_date: datetime
    is_missed: bool = False
