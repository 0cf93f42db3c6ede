"""A shared world, and shares of it as workers have them, in the process of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from kmsmock import KMSMock
from kmsmock.options import complete
from kmsmock.process.active_mocks import enter, leave
from kmsmock.serving.children import serve_children
from kmsmock.shared.responder import SharedMock
from kmsmock.shared.world import SharedWorld, World

Open = Callable[..., KMSMock]


@pytest.fixture
def world() -> Iterator[SharedWorld]:
    shared = SharedWorld(complete({}))
    yield shared
    shared.close()


@contextmanager
def share_of(world: World, name: str, **options: Any) -> Iterator[KMSMock]:
    serve_children()
    mock = SharedMock(world, name, complete(options))
    use = enter(mock)
    try:
        yield mock.kms
    finally:
        leave(use)
        mock.end()


@pytest.fixture
def open_share(world: SharedWorld) -> Iterator[Open]:
    """Return ``open_share(name, **options)``, which begins a share; gives its control object."""
    with ExitStack() as stack:
        yield lambda name, **options: stack.enter_context(share_of(world, name, **options))
