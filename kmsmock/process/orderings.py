"""In which ordering the nodes of KMS see changes, for all mocks whose consistency the run decides.

The pytest plugin sets it; without it, the seed of each mock decides.
"""

from __future__ import annotations


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
