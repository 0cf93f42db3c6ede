"""Answer calls by one of several nodes of KMS, which may not have seen what was changed last.

A call that only reads or uses keys is answered with what its node sees. A call that changes
something must be possible for its node, and then changes the state itself, so that no change is
lost. An answer is late if it would be another one had the node seen all changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kmsmock.aws import errors
from kmsmock.operations.registry import Call, Operation
from kmsmock.process.watchers import notify, watchers
from kmsmock.state.consistency import LateAnswer
from kmsmock.state.late_changes import Change, Kind, Snapshot
from kmsmock.state.node_view import viewing_without

Handle = Callable[[Call, Operation], dict[str, Any]]
Perform = Callable[[Call, Handle], dict[str, Any]]
#: Of more changes than this, those that make an answer late are not looked for one by one.
_MOST_COMPARED = 10
_MOST_NAMED = 3
#: What a failed or an outdated call tells of the rest of the call.
_KNOWN = ("alias", "authorized", "blob", "decision", "grant_id", "keys", "was_authorized")
_NAMES = ("AliasName", "KeyId", "SourceKeyId", "DestinationKeyId")
#: ``{error}`` is what the client has got.
_RETRY = "Try again after {error}, with a short wait, as AWS recommends."
_ADVICE = {
    Kind.KEY: _RETRY,
    Kind.ALIAS: f"{_RETRY} The key id or the ARN of the key needs no alias.",
    Kind.GRANT: "Pass the GrantToken that CreateGrant has returned: GrantTokens=[token].",
}
_WAIT = "Wait, and ask again, until the change is visible."
_STILL_ALLOWS = "A grant that was retired or revoked can be used for a while."


def answer_at_node(call: Call, perform: Perform, handle: Handle) -> dict[str, Any]:
    """Carry out a call as `perform` does, at one of the nodes.

    perform: carries out all steps of a call. handle: its last step, which calls the handler.
    """
    consistency = call.backend.consistency
    node = consistency.begin_call(call.now)
    tokens = call.parameters.get("GrantTokens", ())
    hidden = consistency.list_not_seen(node, call.now, tokens) if consistency.open else ()
    if call.operation.trail.is_read_only:
        return _read(call, perform, handle, hidden) if hidden else perform(call, handle)
    if hidden:
        _require_possible(call, perform, hidden)

    def handle_and_note(call: Call, operation: Operation) -> dict[str, Any]:
        backend = call.backend
        before = Snapshot(call.keys, backend.regions, call.region.last_sequence)
        result = handle(call, operation)
        consistency.note(before.find_changes(operation.name, call.now), node)
        return result

    return perform(call, handle_and_note)


class _Attempt:
    """A call that is carried out to know its outcome.

    call: it gets what is found, such as its keys. handle: see `answer_at_node`; None if the checks
    before it are all.
    """

    def __init__(self, call: Call, perform: Perform, handle: Handle | None) -> None:
        self.call = call
        self.result: dict[str, Any] = {}
        self.error: errors.ServiceError | None = None
        self._handle = handle
        #: Whether all checks before the handler have passed.
        self._has_passed = False
        try:
            self.result = perform(call, self._carry_out)
        except errors.ServiceError as error:
            self.error = error

    def _carry_out(self, call: Call, operation: Operation) -> dict[str, Any]:
        self._has_passed = True
        return {} if self._handle is None else self._handle(call, operation)

    def has_other_outcome(self, other: _Attempt, *, compares_results: bool) -> bool:
        """Return whether another attempt at the same call ended differently."""
        if self._has_passed is not other._has_passed:
            return True
        if not self._has_passed or compares_results:
            mine, its = self.error, other.error
            if mine is None or its is None:
                return mine is not its or self.result != other.result
            return (mine.code, mine.message) != (its.code, its.message)
        return self.call.keys != other.call.keys


def _read(call: Call, perform: Perform, handle: Handle, hidden: Sequence[Change]) -> dict[str, Any]:
    """Answer a call with what its node sees; say so if that is late."""
    compares_results = call.operation.is_repeatable
    compared_handle = handle if compares_results else None
    # First, since it can create an AWS managed key.
    actual = _Attempt(_copy(call), perform, compared_handle)
    with viewing_without(hidden):
        seen = _Attempt(call, perform, handle)
    if seen.has_other_outcome(actual, compares_results=compares_results):
        changes = _find_missed(actual, perform, compared_handle, hidden, call)
        _note_late(call, seen, changes)
    if seen.error is not None:
        raise seen.error
    return seen.result


def _require_possible(call: Call, perform: Perform, hidden: Sequence[Change]) -> None:
    """Require that a node can carry out a call that changes something; raises AWS's error."""
    actual = _Attempt(_copy(call), perform, None)
    with viewing_without(hidden):
        seen = _Attempt(_copy(call), perform, None)
    if seen.error is None:
        return
    for name in _KNOWN:
        setattr(call, name, getattr(seen.call, name))
    if seen.has_other_outcome(actual, compares_results=False):
        _note_late(call, seen, _find_missed(actual, perform, None, hidden, call))
    raise seen.error


def _find_missed(
    actual: _Attempt,
    perform: Perform,
    handle: Handle | None,
    hidden: Sequence[Change],
    call: Call,
) -> list[Change]:
    """Return the changes without which a call has another outcome.

    actual: the call with all changes. call: as its node has seen it. If several changes matter only
    together, it is all of them.
    """
    keys = {id(key) for key in (*actual.call.keys, *call.keys)}
    about = [change for change in hidden if any(id(key) in keys for key in change.keys)]
    candidates = about or list(hidden)
    if len(candidates) > _MOST_COMPARED:
        return candidates
    missed = []
    for change in candidates:
        with viewing_without([change]):
            without = _Attempt(_copy(call), perform, handle)
        if without.has_other_outcome(actual, compares_results=handle is not None):
            missed.append(change)
    return missed or candidates


def _copy(call: Call) -> Call:
    """Return the same call, before anything is known of it."""
    copied = Call(
        call.operation,
        call.principal,
        call.region,
        call.backend,
        call.request_id,
        call.now,
        call.access_key,
        call.user_agent,
    )
    copied.parameters = call.parameters
    return copied


# --- what a late answer says ----------------------------------------------------------------


def _note_late(call: Call, seen: _Attempt, changes: Sequence[Change]) -> None:
    """Count a late answer, and explain it in the error or the record of the call."""
    consistency = call.backend.consistency
    consistency.count_late(changes)
    missed = _name(changes)
    reason = _explain(call, seen, changes, missed)
    error = seen.error
    outcome = "answered"
    if error is None:
        call.note = reason
    else:
        outcome = error.code
        # What is otherwise said of names that do not exist would mislead here.
        further = None if error.code == "NotFoundException" else error.explanation
        error.explanation = f"{reason}\n{further}" if further else reason
    subject = next((str(call.parameters[name]) for name in _NAMES if name in call.parameters), "")
    late = LateAnswer(call.operation.name, subject, outcome, missed, consistency.seed)
    notify(watchers.answered_late, late)


def _name(changes: Sequence[Change]) -> str:
    names = [_describe(change) for change in changes[:_MOST_NAMED]]
    more = len(changes) - _MOST_NAMED
    if more > 0:
        names.append(f"{more} more change{'s' if more > 1 else ''}")
    return " and ".join(names)


def _explain(call: Call, seen: _Attempt, changes: Sequence[Change], missed: str) -> str:
    """Say what a node has not seen, what to do, and when the mock lets it see that."""
    consistency, first = call.backend.consistency, changes[0]
    due = max(max(change.seen_from) for change in changes)
    seconds = max(1, math.ceil((due - call.now).total_seconds()))
    when = f"after kms.clock.advance(seconds={seconds})"
    if consistency.ends_at_looks:
        left = consistency.count_left(first) if first in consistency.open else 0
        answers = f"{left} more such answers" if left > 1 else "one more such answer"
        when = f"{when}, or after {answers}" if left else "from the next call on"
    return (
        f"The node of KMS that answered has not seen {missed} yet, as can happen on "
        f"AWS. {_advise(call, first, seen)} In this mock all nodes see it {when}."
    )


def _describe(change: Change) -> str:
    if change.kind is Kind.GRANT:
        return f"{change.operation} of the grant {change.resource} on {change.keys[0].arn}"
    return f"{change.operation} of {change.resource}"


def _advise(call: Call, change: Change, seen: _Attempt) -> str:
    if seen.error is None:
        is_ended_grant = change.kind is Kind.GRANT and change.grant is None
        return _STILL_ALLOWS if is_ended_grant else _WAIT
    # A service answers with an error of its own.
    error = "this error" if call.principal.is_service else seen.error.code
    return _ADVICE.get(change.kind, _WAIT).format(error=error)
