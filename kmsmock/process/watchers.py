"""Observers of mocks: reports, budgets, the leak check, hints.

Imported with every pytest run, so it imports nothing that takes time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

Listener = Callable[..., None]


class Watcher:
    """An observer of every mock of this process; a subclass overrides the events that it needs.

    kms: the control object of a mock. backend: the state of a mock, which is ``kms.backend``. What
    a method raises reaches the test, after the other observers have been notified.
    """

    def began(self, kms: Any) -> None:
        """Handle that a mock was started, or goes on empty after a reset."""

    def called(self, backend: Any, event: Any, seconds: float) -> None:
        """Handle that a call of KMS was answered and recorded, with success or an error.

        event: the record, a `Call`. seconds: the real time that the call took. The lock of the
        mock is held. Calls that services make are among them.
        """

    def handed_out(self, backend: Any, event: Any, plaintexts: Mapping[str, bytes]) -> None:
        """Handle that KMS has answered a client with plaintexts.

        event: the record of the call. plaintexts: by the member of the answer, such as
        ``PrivateKeyPlaintext``.
        """

    def restoring(self, kms: Any) -> None:
        """Handle that a mock is about to go back to a checkpoint; its state is still there."""

    def restored(self, kms: Any) -> None:
        """Handle that it has, or that it goes on as it was because the checkpoint is none."""

    def ended(self, kms: Any) -> None:
        """Handle that a mock stops, or is about to be emptied; its state is still there."""


class Watchers:
    """The observers that are on, as one list of listeners for each event.

    A list has the methods of those observers that override the event. So an event that nobody
    listens to costs no more than to see that its list is empty.
    """

    def __init__(self) -> None:
        self.began: list[Listener] = []
        self.called: list[Listener] = []
        self.handed_out: list[Listener] = []
        self.restoring: list[Listener] = []
        self.restored: list[Listener] = []
        self.ended: list[Listener] = []

    def add(self, watcher: Watcher) -> None:
        """Notify an observer from now on."""
        for event, listeners in vars(self).items():
            if getattr(type(watcher), event) is not getattr(Watcher, event):
                listeners.append(getattr(watcher, event))

    def remove(self, watcher: Watcher) -> None:
        """Notify an observer no longer; nothing happens when it was not notified."""
        for event, listeners in vars(self).items():
            listener = getattr(watcher, event)
            if listener in listeners:
                listeners.remove(listener)


#: All observers. There are none for `called` and `handed_out` unless a report, a budget or the leak
#: check is on.
watchers = Watchers()


def notify(listeners: Sequence[Listener], *event: Any) -> None:
    """Call all listeners, in the order in which they were added.

    All are called, also when one raises; what the last of these raises is raised.
    """
    with ExitStack() as stack:
        for listener in reversed(listeners):
            stack.callback(listener, *event)


@contextmanager
def notifying(kms: Any, before: Sequence[Listener], after: Sequence[Listener]) -> Iterator[None]:
    """Notify the one list of listeners before the block, the other one after it in any case."""
    try:
        notify(before, kms)
        yield
    finally:
        notify(after, kms)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Notify an observer inside the block."""
    watchers.add(watcher)
    try:
        yield
    finally:
        watchers.remove(watcher)
