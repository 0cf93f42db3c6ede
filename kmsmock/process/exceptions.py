"""Exceptions that reach a test: whether the frames of clients matter, their notes and their causes.

Imported in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_ATTRIBUTE = "kmsmock_hides_frames"


def hide_frames_of(error: BaseException) -> None:
    """Mark an exception of a client as one whose frames inside of the client do not matter.

    It is one that a mock has answered with, or whose note says what to change.
    """
    vars(error)[_ATTRIBUTE] = True


def hides_frames(error: BaseException) -> bool:
    """Return whether the frames of an exception inside of the client do not matter."""
    return _ATTRIBUTE in vars(error)


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
