"""The children of a test: other processes that it starts reach its mock over HTTP.

They find it by environment variables that AWS's SDKs read. This process has one endpoint for all
its children; it is opened when the first child is started, and whichever mock answers at that
moment answers a request. So processes that outlive a test, such as the server of multiprocessing's
start method ``forkserver``, are of use for the next one, too.

The port is reserved when the environment is listed, perhaps to copy it, and requests are answered
from the start of a child on. Imported with each mock, so other imports are inside of functions.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kmsmock.misuse.caller_warnings import warn_caller
from kmsmock.process import active_mocks, child_processes, running_servers
from kmsmock.process.active_mocks import ActiveMock, active, answering
from kmsmock.process.child_processes import Hooks
from kmsmock.process.environment import (
    CHILDREN_ENDPOINT,
    add_variables,
    is_cleared,
    is_of_children,
    set_for_a_moment,
)
from kmsmock.process.pending_calls import call_after_return
from kmsmock.process.running_servers import RunningServer

if TYPE_CHECKING:
    from kmsmock.aws.disruptions import LostConnection
    from kmsmock.protocols.messages import HttpRequest, HttpResponse
    from kmsmock.serving.loopback import LoopbackServer


def _do_nothing() -> None:
    pass


class _Children:
    """What a process has for its children."""

    def __init__(self) -> None:
        self._server: LoopbackServer | None = None
        self._is_preparing = False
        self._is_impossible = False
        #: Servers whose threads were stopped before a fork.
        self._interrupted: list[RunningServer] = []
        #: What to call when the child of a fork has started.
        self._started: Callable[[], None] = _do_nothing

    def prepare(self, is_starting: bool) -> Callable[[], None]:  # noqa: FBT001 - as hooks are called
        """Set the environment variables by which children reach the mock that answers.

        is_starting: whether a child is being started; otherwise the variables are only read.
        Returns a function to call when the child has started.
        """
        mock = answering[0]
        if mock is None or self._is_preparing or mock.processes == "alone":
            return _do_nothing
        with active_mocks.lock:
            self._is_preparing = True
            try:
                return self._set_variables(mock, is_starting=is_starting)
            except OSError as reason:
                self._say_impossible(reason)
                return _do_nothing
            finally:
                self._is_preparing = False

    def _set_variables(self, mock: ActiveMock, *, is_starting: bool) -> Callable[[], None]:
        if not is_cleared():
            add_variables(self._find_variables(mock, is_starting=is_starting))
        elif is_starting:
            # The test wants to see its own variables only, before and after.
            found = self._find_variables(mock, is_starting=True)
            return set_for_a_moment({**found, **mock.find_variables()})
        return _do_nothing

    def _find_variables(self, mock: ActiveMock, *, is_starting: bool) -> dict[str, str]:
        from kmsmock.serving.loopback import HOST
        from kmsmock.serving.variables import (
            REGIONS,
            find_free_endpoints,
            list_exceptions_of_proxies,
        )

        names = find_free_endpoints(mock.services, os.environ, is_of_children)
        if not names:
            return {}
        url = self._open(is_starting=is_starting)
        variables = {CHILDREN_ENDPOINT: url, **dict.fromkeys(names, url)}
        region = mock.find_region()
        variables.update({name: region for name in REGIONS if os.environ.get(name) != region})
        return {**variables, **list_exceptions_of_proxies(os.environ, HOST)}

    def _open(self, *, is_starting: bool) -> str:
        """Return the URL of the endpoint. is_starting: whether requests can come from now on."""
        if self._server is None:
            import atexit

            from kmsmock.serving.loopback import LoopbackServer

            self._server = LoopbackServer(_answer)
            atexit.register(self._server.stop)
        if is_starting:
            self._server.start()
        return self._server.url

    def _say_impossible(self, reason: OSError) -> None:
        if not self._is_impossible:
            self._is_impossible = True
            warn_caller(
                f"other processes cannot reach the mock, since no port can be opened: {reason}"
            )

    # --- forks -------------------------------------------------------------------------------

    def before_fork(self) -> None:
        """Stop the threads of servers: the child would have their locks, and not them."""
        self._started = self.prepare(is_starting=True)  # it can go on as another program
        self._interrupted = running_servers.interrupt_all()

    def after_in_parent(self) -> None:
        """Start these threads again, once Python has looked for threads."""
        self._started()
        if self._interrupted:
            call_after_return(self._resume, sys._getframe(1))  # noqa: SLF001 - inspect is slow

    def _resume(self) -> None:
        for server in self._interrupted:
            server.start()
        self._interrupted = []

    def after_in_child(self) -> None:
        """Close the child's copies of the sockets."""
        self._interrupted = []
        self._server = None
        running_servers.abandon_all()


def serve_children() -> None:
    """Let processes that are started from now on reach the mocks of this one."""
    if not child_processes.is_installed():
        children = _Children()
        child_processes.install(
            Hooks(
                children.prepare,
                children.before_fork,
                children.after_in_parent,
                children.after_in_child,
            )
        )


def _answer(request: HttpRequest) -> HttpResponse | LostConnection:
    """Answer a request of a child; called in the thread of the server."""
    from kmsmock.protocols.answering import answer_http
    from kmsmock.serving.refusals import refuse, refuse_without_mock

    mocks: list[Any] = [mock for mock in active if mock.processes != "alone"]
    if not mocks:
        return refuse_without_mock(request)
    if mocks[-1].processes == "blocked":
        return refuse(mocks[-1], request)
    return answer_http(mocks[-1], request)
