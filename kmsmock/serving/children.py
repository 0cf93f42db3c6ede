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
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kmsmock.misuse.caller_warnings import warn_caller
from kmsmock.process import active_mocks, child_processes, running_servers
from kmsmock.process.active_mock import ActiveMock
from kmsmock.process.active_mocks import active, answering
from kmsmock.process.child_processes import Hooks
from kmsmock.process.environment import (
    CHILDREN_ENDPOINT,
    DUMMY,
    add_variables,
    find_profiles,
    hide_for_a_moment,
    is_cleared,
    is_of_children,
    note_own_endpoint,
    set_for_a_moment,
)

if TYPE_CHECKING:
    from kmsmock.aws.disruptions import LostConnection
    from kmsmock.protocols.messages import Forwarded, HttpRequest, HttpResponse
    from kmsmock.serving.loopback import LoopbackServer


#: The variables of an access key.
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
#: For how many seconds a thread waits for others that start or end mocks.
_PATIENCE = 5


def _do_nothing() -> None:
    pass


class _Children:
    """What a process has for its children."""

    def __init__(self) -> None:
        self._server: LoopbackServer | None = None
        #: The thread that sets variables at present.
        self._preparing: int | None = None
        self._is_impossible = False
        #: Where a child that is being forked reaches this process.
        self._url_for_child: str | None = None
        #: What to call when the child of a fork has started.
        self._started: Callable[[], None] = _do_nothing

    def prepare(self, is_starting: bool) -> Callable[[], None]:  # noqa: FBT001 - as hooks are called
        """Set the environment variables by which children reach the mock that answers.

        is_starting: whether a child is being started; otherwise the variables are only read.
        Returns a function to call when the child has started.
        """
        mock, thread = answering[0], threading.get_ident()
        if mock is None or mock.processes == "alone" or self._preparing == thread:
            return _do_nothing
        # Something else can wait for this thread, which only wants to see the environment.
        if not active_mocks.lock.acquire(timeout=_PATIENCE):
            return _do_nothing
        self._preparing = thread
        try:
            return self._set_variables(mock, is_starting=is_starting)
        except Exception as reason:  # noqa: BLE001 - the test wants something else here
            self._say_impossible(reason)
            return _do_nothing
        finally:
            self._preparing = None
            active_mocks.lock.release()

    def start(self, is_starting: bool) -> Callable[[], None]:  # noqa: FBT001 - as hooks are called
        """Prepare the start of a program; it does not find the profile of the machine.

        is_starting: as of `prepare`.
        """
        started = self.prepare(is_starting)
        if not is_starting or CHILDREN_ENDPOINT not in os.environ:
            return started
        restore = hide_for_a_moment(find_profiles(os.environ))

        def end() -> None:
            restore()
            started()

        return end

    def adapt(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Return an environment without the profile of the machine, if it leads to a mock."""
        profiles = find_profiles(environment)
        if not profiles or CHILDREN_ENDPOINT not in environment:
            return environment
        return {name: value for name, value in environment.items() if name not in profiles}

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
        url = mock.parent_url or self._open(is_starting=is_starting)
        variables = {CHILDREN_ENDPOINT: url, **dict.fromkeys(names, url)}
        if find_profiles(os.environ) and not os.environ.get(_CREDENTIALS[0]):
            variables.update(dict.fromkeys(_CREDENTIALS, DUMMY))  # those of the profile are hidden
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
            note_own_endpoint(self._server.url)
        if is_starting:
            self._server.start()
        return self._server.url

    def _say_impossible(self, reason: Exception) -> None:
        if not self._is_impossible:
            self._is_impossible = True
            warn_caller(
                "processes that this one starts cannot reach its mock: "
                f"{type(reason).__name__}: {reason}"
            )

    # --- forks -------------------------------------------------------------------------------

    def before_fork(self) -> None:
        """Open the endpoint for the child, and stop the threads of servers.

        The child would have the locks of these threads, and not them.
        """
        self._started = self.prepare(is_starting=True)  # it can go on as another program
        mock = answering[0]
        self._url_for_child = None
        if mock is not None and mock.processes != "alone" and mock.parent_url is None:
            with suppress(OSError):
                self._url_for_child = self._open(is_starting=True)
        running_servers.interrupt_all()

    def after_in_parent(self) -> None:
        """Remove what was set for the child."""
        self._started()

    def after_in_child(self) -> None:
        """Leave the mocks of the parent to it, and close the child's copies of the sockets."""
        self._server = None
        note_own_endpoint(None)
        running_servers.abandon_all()
        if self._url_for_child is not None:
            active_mocks.leave_all_to_parent(self._url_for_child)


def serve_children() -> None:
    """Let processes that are started from now on reach the mocks of this one."""
    if not child_processes.is_installed():
        children = _Children()
        child_processes.install(
            Hooks(
                children.start,
                children.adapt,
                children.before_fork,
                children.after_in_parent,
                running_servers.resume_all,
                children.after_in_child,
            )
        )


def _answer(request: HttpRequest) -> HttpResponse | LostConnection:
    """Answer a request of a child; called in the thread of the server."""
    from kmsmock.protocols.answering import answer_http
    from kmsmock.serving.refusals import refuse, refuse_without_mock

    own = (mock for mock in active if mock.parent_url is None)
    mocks: list[Any] = [mock for mock in own if mock.processes != "alone"]
    if not mocks:
        return refuse_without_mock(request)
    if mocks[-1].processes == "blocked":
        return refuse(mocks[-1], request)
    if mocks[-1].forward is not None:
        forwarded: Forwarded = mocks[-1].forward(request, is_signed_here=False)
        return forwarded.answer
    return answer_http(mocks[-1], request)
