"""The servers that run in this process: while it forks, none of their threads is there.

A thread that runs while the process forks can leave a lock behind in the child, and Python 3.12 and
later warn about it.
"""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from types import FrameType
from typing import Protocol

from kmsmock.process.pending_calls import AfterForks, is_inside


class RunningServer(Protocol):
    """The interface of a server."""

    @property
    def is_running(self) -> bool:
        """Whether requests are answered."""
        ...

    def start(self) -> None:
        """Begin to answer requests, with the connections from before an interruption."""
        ...

    def interrupt(self) -> None:
        """Stop the thread; connections stay."""
        ...

    def abandon(self) -> None:
        """Close what this process has of the sockets."""
        ...


#: All servers of this process that have a port.
_servers: weakref.WeakSet[RunningServer] = weakref.WeakSet()
#: Those whose threads were stopped for a fork.
_interrupted: list[RunningServer] = []
#: The frame that forks the process.
_forking: list[FrameType] = []


def add(server: RunningServer) -> None:
    """Add a server that has a port now."""
    _servers.add(server)


def remove(server: RunningServer) -> None:
    """Remove a server that has given up its port."""
    _servers.discard(server)


def interrupt_all(frame: FrameType | None) -> None:
    """Stop the threads of all servers, before a fork. frame: that forks the process."""
    _forking[:] = [] if frame is None else [frame]
    for server in list(_servers):
        if server.is_running:
            server.interrupt()
            _interrupted.append(server)
    if _interrupted:
        _after_forks().prepare()


def resume_in_other_thread() -> None:
    """Start the threads again after a fork by another thread than the main thread.

    The main thread, which makes pending calls, can be waiting for something.
    """
    if threading.current_thread() is not threading.main_thread():
        _resume()


def abandon_all() -> None:
    """Close the sockets of all servers, in a forked child."""
    _interrupted.clear()
    _forking.clear()
    for server in list(_servers):
        server.abandon()


@functools.cache
def _after_forks() -> AfterForks:
    return AfterForks(_resume_or_wait)


def _resume_or_wait() -> None:
    """Start the threads again, unless another hook of the fork still runs."""
    running = sys._getframe(1).f_back  # noqa: SLF001 - inspect imports a lot
    if not (_forking and is_inside(running, _forking[0])):
        _resume()


def _resume() -> None:
    _forking.clear()
    while _interrupted:
        _interrupted.pop().start()
