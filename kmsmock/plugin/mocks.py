"""The mocks of the fixtures, each with a state of its own or a share of the world of all workers.

Loaded in every pytest run, so it imports nothing slow.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from kmsmock.plugin.configuration import SHARED
from kmsmock.plugin.marks import fail_for_mark
from kmsmock.plugin.shared import get_shared
from kmsmock.process.active_mock import ActiveMock
from kmsmock.process.active_mocks import active, get_first_use, list_started
from kmsmock.process.contexts import get_running_test

if TYPE_CHECKING:
    from kmsmock.control import KMSMock
    from kmsmock.serving.server import KmsServer

#: Hides the functions of this module in the tracebacks that pytest shows.
__tracebackhide__ = True


def run_mock(node: Any) -> Iterator[KMSMock]:
    """Run an isolated mock with the options in the marks of a node, or a share of the world."""
    shared = get_shared(node)
    if shared is not None:
        yield from shared.run_mock(node)
        return
    from kmsmock.mock import KMSMocker

    mocker = KMSMocker({"isolated": True})
    try:
        kms = mocker.start()
    except (TypeError, ValueError, OSError) as reason:
        fail_for_mark(node, str(reason))
    try:
        kms.backend.faults.are_checked = True
        yield kms
    finally:
        mocker.stop()


def run_server(kms: KMSMock) -> Iterator[KmsServer]:
    """Run a server with the mock of a fixture."""
    from kmsmock.serving.server import KmsServer

    server = KmsServer(next(mock for mock in list_started() if mock.kms is kms))
    yield server
    server.stop()


def require_own_state(item: pytest.Item, mock: ActiveMock) -> None:
    """Fail a test whose fixture kms would roll back a mock that is in the world of all workers."""
    if mock.backend is not None:
        return
    fixture = get_first_use(mock).owner.name
    pytest.fail(
        f"{item.nodeid}: kms would restore {fixture} to its state from before the test, "
        f"and with {SHARED} all tests share one world, which is not rolled back: use either that "
        "fixture, whose keys stay, or kms, which has an account of its own; "
        "@pytest.mark.kms(isolated=True) gives the test a mock of its own",
        pytrace=False,
    )


def describe_calls_of_test(own: Iterable[KMSMock]) -> str:
    """Return what the calls of the running test say, which has failed; empty for nothing.

    own: the mocks that were started in the test, also if they have ended.
    """
    from kmsmock.analysis.notable_calls import describe_calls

    here = [mock.backend for mock in active if mock.backend is not None]
    texts = [describe_calls((*here, *(kms.backend for kms in own)), get_running_test())]
    for mock in list(active):
        if mock.backend is None:
            with contextlib.suppress(ConnectionError):  # that is what the test has failed for
                texts.append(mock.describe_calls())  # type: ignore[attr-defined] # of the world
    return "\n".join(dict.fromkeys(line for text in texts for line in text.splitlines()))
