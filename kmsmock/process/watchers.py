"""Watchers, which observe the mocks of the process: reports, budgets, leak check, hints.

Imported in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

Listener = Callable[..., None]


class Watcher:
    """An observer of every mock of the process; a subclass overrides the events that it needs.

    kms: the control object of a mock. backend: the state of a mock, ``kms.backend``. An exception
    in a method reaches the test, after the other watchers have been notified.
    """

    def began(self, kms: Any) -> None:
        """Handle the start of a mock, or its new start after a reset."""

    def called(self, backend: Any, event: Any, seconds: float) -> None:
        """Handle a KMS call that was answered and recorded, with success or an error.

        event: the record, a `Call`. seconds: the real time that the call took. Runs inside of the
        mock's lock, also for calls made by services.
        """

    def decided(self, request: Any, policies: Any, decision: Any, retired: Any) -> None:
        """Handle the decision whether a call is authorized.

        request: the `Request`. policies: the `AppliedPolicies`. decision: the `Decision`. retired:
        the grant that RetireGrant names, or None. While there are listeners, no decision is taken
        from `Allowances`, so that none is missing.
        """

    def handed_out(self, backend: Any, event: Any, plaintexts: Mapping[str, Any]) -> None:
        """Handle plaintexts in a response to a client.

        event: the record of the call. plaintexts: response member, such as
        ``PrivateKeyPlaintext``, -> `SecretBytes`.
        """

    def exceeded(self, budget: Any) -> None:
        """Handle a budget that is exceeded at the end of its block or test."""

    def restoring(self, kms: Any) -> None:
        """Handle the restoring of a checkpoint; the mock still has its state."""

    def restored(self, kms: Any) -> None:
        """Handle a mock after the restoring of a checkpoint, also if that has failed."""

    def delayed(self, change: Any) -> None:
        """Handle a change by a test that some nodes of KMS see late, if the run says so.

        change: a `state.late_changes.Change`.
        """

    def answered_late(self, answer: Any) -> None:
        """Handle an answer of a node of KMS that had not seen a change.

        answer: a `state.consistency.LateAnswer`.
        """

    def ended(self, kms: Any) -> None:
        """Handle the end of a mock, or its reset; the mock still has its state."""


class Watchers:
    """The active watchers: for each event, the methods of those that override it.

    An event without listeners costs one check of an empty list.
    """

    def __init__(self) -> None:
        self.began: list[Listener] = []
        self.called: list[Listener] = []
        self.decided: list[Listener] = []
        self.handed_out: list[Listener] = []
        self.exceeded: list[Listener] = []
        self.restoring: list[Listener] = []
        self.restored: list[Listener] = []
        self.ended: list[Listener] = []
        self.delayed: list[Listener] = []
        self.answered_late: list[Listener] = []

    def add(self, watcher: Watcher) -> None:
        """Add a watcher."""
        for event, listeners in vars(self).items():
            if getattr(type(watcher), event) is not getattr(Watcher, event):
                listeners.append(getattr(watcher, event))

    def remove(self, watcher: Watcher) -> None:
        """Remove a watcher, if it was added."""
        for event, listeners in vars(self).items():
            listener = getattr(watcher, event)
            if listener in listeners:
                listeners.remove(listener)


#: The watchers of the process. `called` and `handed_out` are empty unless a report, a budget or the
#: leak check is active, `decided` unless policy coverage is measured.
watchers = Watchers()


def notify(listeners: Sequence[Listener], *event: Any) -> None:
    """Call all listeners in the order in which they were added, also if one raises.

    If several raise, the exception of the last one is raised.
    """
    with ExitStack() as stack:
        for listener in reversed(listeners):
            stack.callback(listener, *event)


@contextmanager
def notifying(kms: Any, before: Sequence[Listener], after: Sequence[Listener]) -> Iterator[None]:
    """Notify `before` before the block, and `after` after it, also if the block raises."""
    try:
        notify(before, kms)
        yield
    finally:
        notify(after, kms)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Add a watcher for the block."""
    watchers.add(watcher)
    try:
        yield
    finally:
        watchers.remove(watcher)
