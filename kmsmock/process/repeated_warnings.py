"""Warnings that are told once in a run, however often their cause is repeated."""

from __future__ import annotations

from kmsmock.misuse.caller_warnings import warn_caller

#: The texts that were told.
_told: set[str] = set()


def warn_once(text: str) -> None:
    """Warn, unless the same text was told before; one that is turned into an error is not told."""
    if text in _told:
        return
    warn_caller(text)
    _told.add(text)


def forget_warnings() -> None:
    """Tell warnings again that were told before, since a new run of pytest begins."""
    _told.clear()
