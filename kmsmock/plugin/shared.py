"""``--kms-shared``: all workers of pytest-xdist use one world, and each test an account in it.

The process that controls the workers has the world; a run without workers has it in its own.
Workers reach it over a channel of their gateway, also from other hosts.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from kmsmock.plugin.configuration import SHARED
from kmsmock.plugin.fault_check import note_unfired
from kmsmock.plugin.marks import merge_marks
from kmsmock.process.active_mocks import enter, leave

if TYPE_CHECKING:
    from kmsmock.control import KMSMock
    from kmsmock.shared.world import SharedWorld, World

#: Hides the functions of this module in the tracebacks that pytest shows.
__tracebackhide__ = True
#: What a worker gets from its controller: its end of the channel, and the version of kmsmock.
_CHANNEL, _VERSION = "kmsmock_world", "kmsmock_version"
#: Arguments of marks with which a test can use the shared world.
_COMMON = ("isolated", "block_real_kms", "block_real_aws")
#: Option -> why it cannot be combined with a shared world.
_REFUSED = {
    "seed": "the order of the calls of several workers is different each time, so a seed makes "
    "nothing the same again: leave the seed out",
    "consistency": "which changes are seen late depends on the order of all calls, which is "
    "different each time: leave eventual consistency out",
    "with_moto": "keys that end with moto's data would be removed from the world of all tests: "
    "leave kms_with_moto out",
    "leak_check": "the plaintexts are in the process that controls the workers, and not where the "
    "output of tests is: leave kms_leak_check out",
}
_shared: pytest.StashKey[Shared] = pytest.StashKey()


def begin_sharing(config: pytest.Config, configured: Mapping[str, Any]) -> None:
    """Prepare the shared world of a run with the option.

    configured: the options of the run. Raises pytest.UsageError for options that it cannot have.
    """
    if not config.getoption(SHARED):
        return
    for name, why in _REFUSED.items():
        if configured.get(name) not in (None, False, "strong"):
            raise pytest.UsageError(f"kmsmock: {SHARED}: {why}")
    config.stash[_shared] = Shared(config)
    config.add_cleanup(config.stash[_shared].close)


def share_with_worker(node: Any) -> None:
    """Let a worker of xdist reach the world. node: as in ``pytest_configure_node``."""
    shared = node.config.stash.get(_shared, None)
    if shared is not None:
        shared.serve(node)


def describe_sharing(config: pytest.Config) -> str:
    """Return what the header of the run says about the world; empty if it is not shared."""
    return ", one world for all tests, each with an account" if _shared in config.stash else ""


class Shared:
    """The shared world of a run, which is made when it is first used."""

    def __init__(self, config: pytest.Config) -> None:
        self._input: Mapping[str, Any] = getattr(config, "workerinput", {})
        self._own: SharedWorld | None = None

    @functools.cached_property
    def _world(self) -> World:
        if _CHANNEL not in self._input:
            return self._get_own()
        from kmsmock import __version__
        from kmsmock.shared.channel import RemoteWorld

        version = self._input[_VERSION]
        if version != __version__:
            raise pytest.UsageError(
                f"kmsmock: {SHARED}: this worker has version {__version__}, and the process that "
                f"controls it {version}: install the same version on all hosts"
            )
        return RemoteWorld(self._input[_CHANNEL])

    def _get_own(self) -> SharedWorld:
        if self._own is None:
            from kmsmock.options import complete
            from kmsmock.shared.world import SharedWorld

            try:
                self._own = SharedWorld(complete({}))
            except (TypeError, ValueError, OSError) as reason:
                raise pytest.UsageError(f"kmsmock: {SHARED}: {reason}") from None
        return self._own

    def serve(self, node: Any) -> None:
        """Give a worker an end of a channel to the world."""
        from kmsmock import __version__
        from kmsmock.shared.channel import Served

        channel = node.gateway.newchannel()
        Served(self._get_own(), channel)
        node.workerinput.update({_CHANNEL: channel, _VERSION: __version__})

    def run_mock(self, node: Any) -> Iterator[KMSMock]:
        """Run a mock with an account of its own in the world. node: of the fixture."""
        from kmsmock.options import complete
        from kmsmock.serving.children import serve_children
        from kmsmock.shared.responder import SharedMock

        serve_children()
        name = node.nodeid or f"the session of {self._input.get('workerid', 'the run')}"
        mock = SharedMock(self._world, name, complete({}))
        use = enter(mock)
        try:
            yield mock.kms
        finally:
            leave(use)
            note_unfired(use.owner, mock.end())

    def close(self) -> None:
        """End what tests have left in the world."""
        if self._own is not None:
            self._own.close()


def get_shared(node: Any) -> Shared | None:
    """Return the shared world for a fixture; None if its mock is to be one of its own.

    It is if marks have options or limits. node: of the fixture.
    """
    shared: Shared | None = node.config.stash.get(_shared, None)
    marks = merge_marks(node)
    if marks.get("isolated") or marks.keys() - set(_COMMON):
        return None
    return shared
