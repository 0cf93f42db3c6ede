"""Connected objects without sockets: messages go to the application of a server directly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kmsmock import KMSMock
from tests.remote.in_process import Direct, connect_directly


@pytest.fixture
def direct() -> Direct:
    return Direct(region="us-east-1")


@pytest.fixture
def kms(direct: Direct) -> Iterator[Any]:
    """Give the connected object."""
    with connect_directly(direct) as kms:
        yield kms


@pytest.fixture
def served(direct: Direct) -> KMSMock:
    """Give the control object in the process of the server."""
    return direct.application.kms


@pytest.fixture
def reconnect(direct: Direct) -> Callable[[], Any]:
    return lambda: connect_directly(direct)
