"""The servers that run in this process: while it forks, none of their threads is there.

A thread that runs while the process forks can leave a lock behind in the child, and Python 3.12 and
later warn about it.
"""

from __future__ import annotations

import weakref
from typing import Protocol


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


def add(server: RunningServer) -> None:
    """Add a server that has a port now."""
    _servers.add(server)


def remove(server: RunningServer) -> None:
    """Remove a server that has given up its port."""
    _servers.discard(server)


def interrupt_all() -> None:
    """Stop the threads of all servers, before a fork."""
    for server in list(_servers):
        if server.is_running:
            server.interrupt()
            _interrupted.append(server)


def resume_all() -> None:
    """Start the threads again, after a fork."""
    while _interrupted:
        _interrupted.pop().start()


def abandon_all() -> None:
    """Close the sockets of all servers, in a forked child."""
    _interrupted.clear()
    for server in list(_servers):
        server.abandon()
