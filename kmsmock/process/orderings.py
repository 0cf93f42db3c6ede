"""In which order changes become visible in this run: the seed of the run, and that of a test.

The pytest plugin sets it; without it, each mock has its own seed.
"""

from __future__ import annotations


class Ordering:
    """The ordering of mocks with eventual consistency that start, or that a test begins with."""

    def __init__(self) -> None:
        #: The seed of all mocks; None for that of each mock.
        self.seed: int | str | None = None
        #: Whether all changes are seen at once. They are noted, as if they could be seen late.
        self.is_prompt = False


#: The ordering of the process.
ordering = Ordering()
