"""The schedule of automatic rotation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kmsmock.misuse.public_object import PublicObject


@dataclass(slots=True)
class RotationSchedule(PublicObject):
    """An enabled automatic rotation: its period, in whole days, and the next rotation date.

    is_missed: whether that date passed while the key was disabled or pending deletion; KMS then
    rotates once the key is enabled.
    """

    period: timedelta
    next_date: datetime
    is_missed: bool = False
