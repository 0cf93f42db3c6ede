"""Exceptions that reach a test: which ones a mock has answered with, their notes and their causes.

Imported in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_ATTRIBUTE = "kmsmock_answered"


def mark_as_answered(error: BaseException) -> None:
    """Mark an exception of a client as one that a mock has answered with."""
    setattr(error, _ATTRIBUTE, True)


def is_answered(error: BaseException) -> bool:
    """Return whether a mock has answered with an exception."""
    return hasattr(error, _ATTRIBUTE)


def add_note(error: BaseException, note: str) -> bool:
    """Attach a note to an exception; return whether it was new."""
    notes = getattr(error, "__notes__", ())
    if note in notes:
        return False
    # Python prints notes since 3.11; on 3.10 pytest shows them.
    vars(error)["__notes__"] = [*notes, note]
    return True


def iterate_errors(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, those in it if it is a group, and those that it comes from."""
    seen: set[int] = set()
    left: list[Any] = [error]
    while left:
        each = left.pop()
        # The attribute of a group can have another meaning in an exception that is none.
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        members = getattr(each, "exceptions", ())
        left += members if isinstance(members, (list, tuple)) else ()
        left += (each.__context__, each.__cause__)
