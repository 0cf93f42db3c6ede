"""The schedule of automatic rotation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(slots=True)
class RotationSchedule:
    """An enabled automatic rotation: its period, in whole days, and the next rotation date.

    is_missed: whether that date passed while the key was disabled or pending deletion; KMS then
    rotates once the key is enabled.
    """

    period: timedelta
    next_date: datetime
    is_missed: bool = False
