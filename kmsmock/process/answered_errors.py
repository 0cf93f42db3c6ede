"""Which exceptions of AWS clients a mock has answered with."""

from __future__ import annotations

_ATTRIBUTE = "kmsmock_answered"


def mark_as_answered(error: BaseException) -> None:
    """Mark an exception of a client as one that a mock has answered with."""
    setattr(error, _ATTRIBUTE, True)


def is_answered(error: BaseException) -> bool:
    """Return whether a mock has answered with an exception."""
    return hasattr(error, _ATTRIBUTE)
