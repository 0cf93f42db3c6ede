"""Calls of a shared world over a channel of execnet, which any gateway of pytest-xdist has.

A call is a message ``(number, method, arguments)``, its answer ``(number, value, problem)``. Both
ends receive in the thread that execnet has for the gateway, so that they do while a test runs.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any, Protocol

from kmsmock.shared.world import Request, World

#: What is received when the other end is gone.
_END = "end"
_METHODS = ("begin", "send", "skip_sleep", "has_issued", "describe", "end")


class Channel(Protocol):
    """The interface of execnet's channel."""

    def send(self, item: Any) -> None:
        """Send a message. Raises OSError if the other end is gone."""
        ...

    def setcallback(self, callback: Callable[[Any], None], endmarker: object) -> None:
        """Call a function with each message, and at last with the end marker."""
        ...


class WorldLostError(ConnectionError):
    """The process that controls the workers, and has the shared world, does not answer any more."""


class Served:
    """A worker's end of the channel in the process that has the world.

    The shares of a worker that ends, or is lost, end with it.
    """

    def __init__(self, world: World, channel: Channel) -> None:
        self._world = world
        self._channel = channel
        self._shares: set[int] = set()
        channel.setcallback(self._receive, endmarker=_END)

    def _receive(self, message: Any) -> None:
        if message == _END:
            for share in sorted(self._shares):
                self._world.end(share)
            return
        number, method, arguments = message
        value, problem = None, None
        try:
            value = self._call(method, arguments)
        except Exception as error:  # noqa: BLE001 - the worker learns of it, and the channel stays
            problem = f"{type(error).__name__}: {error}"
        try:
            self._channel.send((number, value, problem))
        except OSError:  # the worker has been lost meanwhile
            return

    def _call(self, method: str, arguments: tuple[Any, ...]) -> Any:
        assert method in _METHODS
        value = getattr(self._world, method)(*arguments)
        if method == "begin":
            self._shares.add(value[0])
        elif method == "end":
            self._shares.discard(arguments[0])
        return value


class _Waiting:
    """A call that waits for its answer."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        #: Value and problem; None if the other end is gone.
        self.answer: tuple[Any, str | None] | None = None


class RemoteWorld:
    """The shared world, as a worker calls it, from any thread. channel: to its controller."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._numbers = itertools.count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._is_lost = False
        channel.setcallback(self._receive, endmarker=_END)

    def begin(self, name: str) -> tuple[int, str]:
        """Begin a share; see `World`."""
        number, account = self._call("begin", name)
        return number, account

    def send(self, share: int, request: Request, sender: tuple[Any, ...]) -> tuple[Any, ...]:
        """Answer a request; see `World`."""
        return tuple(self._call("send", share, request, sender))

    def skip_sleep(self, share: int, seconds: float, is_random: bool, is_retry: bool) -> bool:  # noqa: FBT001
        """Move the clock instead of a sleep; see `World`."""
        return bool(self._call("skip_sleep", share, seconds, is_random, is_retry))

    def has_issued(self, access_key: str) -> bool:
        """Return whether an access key is one of the world."""
        return bool(self._call("has_issued", access_key))

    def describe(self, share: int, test: str | None) -> str:
        """Describe what calls of a failed test say; see `World`."""
        return str(self._call("describe", share, test))

    def end(self, share: int) -> list[str]:
        """End a share; see `World`."""
        return list(self._call("end", share))

    def _call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the world. Raises WorldLostError, and RuntimeError for its errors."""
        number, waiting = next(self._numbers), _Waiting()
        self._waiting[number] = waiting
        try:
            # Nothing arrives any more after the end, which may have been before this call.
            if not self._is_lost:
                self._channel.send((number, method, arguments))
                waiting.arrived.wait()
        except OSError:
            waiting.answer = None
        finally:
            del self._waiting[number]
        if waiting.answer is None:
            raise WorldLostError("the controller of this worker, which has the world, is gone")
        value, problem = waiting.answer
        if problem is not None:
            raise RuntimeError(f"the shared world has failed: {problem}")
        return value

    def _receive(self, message: Any) -> None:
        if message == _END:
            self._is_lost = True
            for waiting in list(self._waiting.values()):
                waiting.arrived.set()
            return
        number, value, problem = message
        waiting = self._waiting[number]
        waiting.answer = (value, problem)
        waiting.arrived.set()
