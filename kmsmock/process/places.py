"""Lines of users' code, for messages."""

from __future__ import annotations

import os
import sys
from typing import Any, NamedTuple


class Place(NamedTuple):
    """A line of code. line: from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        try:
            file = os.path.relpath(self.file)
        except (OSError, ValueError):  # the working directory was deleted, or is on another drive
            file = self.file
        return f"{file}:{self.line}"


#: The packages whose code starts mocks for users.
_NOT_USERS = (
    *("kmsmock", "moto", "pluggy", "_pytest", "pytest", "unittest", "wrapt"),
    *("asyncio", "concurrent", "contextlib", "functools", "threading"),
)


def find_place() -> Place | None:
    """Return the innermost line of the user's code; None if pytest's is reached before."""
    frame: Any = sys._getframe(1)  # noqa: SLF001 - inspect.stack takes milliseconds
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package not in _NOT_USERS:
            return Place(frame.f_code.co_filename, frame.f_lineno)
        if package in ("_pytest", "pluggy"):
            return None
        frame = frame.f_back
    return None
