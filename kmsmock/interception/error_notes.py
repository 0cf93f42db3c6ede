"""The explanations of errors, attached as notes (PEP 678) to the exceptions of AWS clients."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import botocore.exceptions

from kmsmock.process.active_mocks import active
from kmsmock.process.exceptions import add_note, hide_frames_of

_MAX_NOTES = 64
_MAX_STATES = 5
#: The header of responses with the request id.
ID_HEADER = "x-amzn-requestid"
#: Request id, or id of a parsed response -> the response, which keeps its id from being used again,
#: and the note for an exception that a client has not raised yet; the oldest first.
_Notes = OrderedDict[Any, tuple[Any, str | None]]
#: Those for ClientErrors.
_notes: _Notes = OrderedDict()
#: Those for WaiterErrors, by the ids of the responses that waiters may end with.
_notes_of_waiters: _Notes = OrderedDict()


def keep_explanation(request_id: str, explanation: str | None) -> None:
    """Store the explanation of an error of a mock, if it has one, until the client raises it."""
    _keep(request_id, None, explanation)


def keep_note(parsed: dict[str, Any], note: str) -> None:
    """Store a note for an error until the client raises it. parsed: botocore's parsed response."""
    _keep(id(parsed), parsed, note)


def keep_note_of_waiter(parsed: dict[str, Any], note: str | None) -> None:
    """Store a note for the WaiterError of a waiter that a response of a mock may end."""
    _keep(id(parsed), parsed, note, _notes_of_waiters)


def _keep(key: Any, parsed: Any, note: str | None, notes: _Notes = _notes) -> None:
    notes[key] = (parsed, note)
    if len(notes) > _MAX_NOTES:
        notes.popitem(last=False)  # in one step, since other threads keep notes, too


def _attach_note(error: Any) -> None:
    """Attach the note that belongs to a ClientError."""
    metadata = error.response.get("ResponseMetadata", {})
    # botocore reads the id from the headers, but not for a body that it cannot read.
    request_id = metadata.get("RequestId") or metadata.get("HTTPHeaders", {}).get(ID_HEADER)
    kept = _notes.pop(request_id, None)
    if kept is not None:
        hide_frames_of(error)
        # Waiters catch the error, and raise a WaiterError with its response.
        keep_note_of_waiter(error.response, kept[1])
    else:
        kept = _notes.pop(id(error.response), None)
    if kept is not None and kept[1] is not None:
        add_note(error, kept[1])


def _attach_note_of_waiter(error: Any) -> None:
    """Attach the note that belongs to a WaiterError, or the states in the last answer."""
    kept = _notes_of_waiters.pop(id(error.last_response), None)
    if kept is None and not active:
        return
    hide_frames_of(error)
    note = _describe_states(error.last_response) if kept is None else kept[1]
    if note is not None:
        add_note(error, note)


def _describe_states(response: Any) -> str | None:
    """Describe which states a response shows; None for one that shows none."""
    states = dict.fromkeys(f"{name} {state!r}" for name, state in _iterate_states(response))
    shown = ", ".join(islice(states, _MAX_STATES))
    return f"The last answer has {shown}." if shown else None


def _iterate_states(value: Any) -> Iterator[tuple[str, str]]:
    """Yield name and value of the members of a response that are states."""
    for item in value if isinstance(value, list) else ():
        yield from _iterate_states(item)
    for name, member in value.items() if isinstance(value, dict) else ():
        if isinstance(member, str) and name.endswith(("State", "Status")):
            yield name, member
        else:
            yield from _iterate_states(member)


def install() -> None:
    """Patch botocore's ClientError and WaiterError to attach notes when they are created."""
    _patch(botocore.exceptions.ClientError, _attach_note, _notes)
    _patch(botocore.exceptions.WaiterError, _attach_note_of_waiter)


def _patch(kind: Any, attach: Callable[[Any], None], notes: _Notes | None = None) -> None:
    """Let a class of exceptions attach notes; if these are given, only while there are any.

    Without wrapt, whose import takes longer than that of this package.
    """
    original = kind.__init__

    @functools.wraps(original)
    def initialize(error: Any, *args: Any, **kwargs: Any) -> None:
        original(error, *args, **kwargs)
        if notes is None or notes:
            attach(error)

    kind.__init__ = initialize
