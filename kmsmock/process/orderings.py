"""In which ordering the nodes of KMS see changes, for all mocks whose consistency the run decides.

The pytest plugin sets it; without it, the seed of each mock decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Ordering:
    """The ordering of a run of pytest, or of a run of one test."""

    def __init__(self) -> None:
        #: The seed that decides; None for that of each mock.
        self.seed: int | str | None = None
        #: Whether all changes are seen at once. They are noted, as if they could be seen late.
        self.is_prompt = False

    def state(self) -> tuple[int | str | None, bool]:
        """Return what `restore` takes."""
        return self.seed, self.is_prompt

    def restore(self, state: tuple[int | str | None, bool]) -> None:
        """Set the ordering."""
        self.seed, self.is_prompt = state


#: The ordering of the process.
ordering = Ordering()
#: Whether calls are answered by nodes that have seen all changes.
sees_all: ContextVar[bool] = ContextVar("sees_all", default=False)


@contextmanager
def seeing_all() -> Iterator[None]:
    """Let calls in the block see all changes: those that helpers of tests make by themselves."""
    before = sees_all.set(True)
    try:
        yield
    finally:
        sees_all.reset(before)
