"""Warnings that are shown once in a run, however often their cause is repeated."""

from __future__ import annotations

from kmsmock.misuse.caller_warnings import warn_caller

#: The texts that were shown.
_shown: set[str] = set()


def warn_once(text: str) -> None:
    """Warn, unless the same text was shown before; one turned into an error does not count."""
    if text in _shown:
        return
    warn_caller(text)
    _shown.add(text)


def forget_warnings() -> None:
    """Show warnings again that were shown before, since a new run of pytest begins."""
    _shown.clear()
