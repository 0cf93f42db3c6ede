"""Restore a mock that lasts longer than a test to its state from before the test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

#: Hides the functions of this module in the tracebacks that pytest shows.
__tracebackhide__ = True


class Rollback:
    """The state of a mock from before a test, which is restored at the end of the test.

    kms: the control object of the mock.
    """

    def __init__(self, kms: Any) -> None:
        self._kms = kms
        self._before = kms.checkpoint()
        #: ARNs of keys and aliases of the test that are part of the state to restore.
        self._unwanted: set[str] = set()

    def restore(self) -> None:
        """Restore the state, with what fixtures have created that last longer than the test."""
        self._kms.restore(self._before)
        self._kms.backend.remove_resources(self._unwanted)

    @contextmanager
    def keep_changes(self) -> Iterator[None]:
        """Keep what the block changes, which is the set-up of a fixture with a wider scope.

        Keys and aliases that the test itself had created before are not kept.
        """
        at_first = self._kms.checkpoint()
        yield
        afterwards = self._kms.checkpoint()
        if not afterwards.is_same_state(at_first):
            self._unwanted |= at_first.list_resources() - self._before.list_resources()
            self._before = afterwards


@contextmanager
def keep_changes_of_fixture(rollbacks: Sequence[Rollback]) -> Iterator[None]:
    """Keep the changes of the block in all mocks that a test restores."""
    if not rollbacks:
        yield
        return
    with rollbacks[0].keep_changes(), keep_changes_of_fixture(rollbacks[1:]):
        yield
