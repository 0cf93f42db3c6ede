"""Those who want to know what mocks did, before it is forgotten. Nobody does, as a rule."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol


class Watcher(Protocol):
    """What is told of mocks; each method is given the control object."""

    def began(self, kms: Any) -> None:
        """Hear that a mock was started, or begins anew after `ended`."""
        ...

    def ended(self, kms: Any) -> None:
        """Hear that a mock ends, or is about to be emptied; its state is still there."""
        ...

    def goes_back(self, kms: Any) -> None:
        """Hear that a mock is about to go back to a saved state."""
        ...

    def went_back(self, kms: Any) -> None:
        """Hear that it has."""
        ...


watchers: list[Watcher] = []


@contextlib.contextmanager
def emptying(kms: Any) -> Iterator[None]:
    """Tell the watchers that a mock begins anew inside the block."""
    for watcher in watchers:
        watcher.ended(kms)
    yield
    for watcher in watchers:
        watcher.began(kms)


@contextlib.contextmanager
def going_back(kms: Any) -> Iterator[None]:
    """Tell the watchers that a mock goes back to a saved state inside the block."""
    for watcher in watchers:
        watcher.goes_back(kms)
    yield
    for watcher in watchers:
        watcher.went_back(kms)
