"""Warnings about code of users, which name their line and not one of this package."""

from __future__ import annotations

import sys
import warnings
from typing import Any

#: The packages between the code of a user and a warning.
_NOT_USERS = ("kmsmock", "boto3", "botocore", "aiobotocore", "s3transfer", "moto")


def warn_caller(text: str) -> None:
    """Warn of something, at the innermost line that is of none of the packages in between."""
    level = 2
    frame: Any = sys._getframe(1)  # noqa: SLF001 - inspect.stack takes milliseconds
    while frame is not None and _package_of(frame) in _NOT_USERS:
        frame = frame.f_back
        level += 1
    warnings.warn(text, stacklevel=2 if frame is None else level)


def _package_of(frame: Any) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]
