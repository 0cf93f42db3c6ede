"""The servers that run in this process, which have to know when it forks."""

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
servers: weakref.WeakSet[RunningServer] = weakref.WeakSet()


def interrupt_all() -> list[RunningServer]:
    """Stop the threads of all servers; return these servers."""
    running = [server for server in servers if server.is_running]
    for server in running:
        server.interrupt()
    return running


def abandon_all() -> None:
    """Close the sockets of all servers, in a forked child."""
    for server in list(servers):
        server.abandon()
    servers.clear()
