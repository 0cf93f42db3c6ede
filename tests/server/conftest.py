"""One server for all tests that need no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.server.processes import EXTRA, Served, serving


@pytest.fixture(scope="session")
def server() -> Iterator[Served]:
    for name in EXTRA:
        pytest.importorskip(name, reason="the extra server is not installed")
    with serving() as served:
        yield served
