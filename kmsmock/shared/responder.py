"""The mock of a test in a worker: what its clients send goes to the shared world."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable
from typing import Any, NoReturn

from kmsmock.activation.client_cache import Clients
from kmsmock.misuse.caller_warnings import warn_caller
from kmsmock.options import MockOptions
from kmsmock.process.active_mocks import paused
from kmsmock.process.contexts import get_context, get_running_test
from kmsmock.protocols.messages import Forwarded, HttpRequest, HttpResponse
from kmsmock.remote.connection import Connection, Link
from kmsmock.remote.proxies import make_proxy
from kmsmock.responder import ConfiguredMock
from kmsmock.server.control_plane import PREFIX
from kmsmock.shared.control import OWN_MOCK
from kmsmock.shared.world import Sender, World, read_answer

#: The services beside moto of which a warning was given.
_warned: set[str] = set()


class SharedMock(ConfiguredMock):
    """A test's mock in a worker, as `kmsmock.interception` uses it.

    world: that is shared. name: of the test, or of the fixture. options: those of the world.
    """

    def __init__(self, world: World, name: str, options: MockOptions) -> None:
        self._world = world
        self._name = name
        self._process = os.getpid()
        self._has_ended = False
        self._share, account = world.begin(name)
        super().__init__({**options, "account_id": account}, {})
        self.backend = None
        self.forward = self.send
        self.kms = Connection(_Transport(self), _Clients(self), _make_object).kms

    def __repr__(self) -> str:
        return f"<the share of {self._name} in the world of --kms-shared>"

    # --- requests ------------------------------------------------------------------------

    def answers_http(self, operation: str) -> bool:  # noqa: ARG002 - all of them are
        """Return that calls are answered as HTTP requests, which can be sent to the world."""
        return True

    def send(self, request: HttpRequest, *, is_signed_here: bool) -> Forwarded:
        """Send a request to the world.

        Raises ConnectionError if that is lost, RuntimeError after the end of the share, and in a
        forked child that is left alone.
        """
        if self._has_ended:
            raise RuntimeError(f"{self} has ended")
        if os.getpid() != self._process:
            raise RuntimeError(
                f'a forked child cannot use {self}: with processes="alone", it starts a mock itself'
            )
        plain = (request.method, request.target, dict(request.headers), request.body)
        context = get_context()
        region = self.find_region() if request.target.startswith(PREFIX) else None
        sender = Sender(context.test, context.ends_with_test, region, is_signed_here)
        return read_answer(self._world.send(self._share, plain, tuple(sender)))

    def answer(self, *_: object, **__: object) -> NoReturn:
        """Raise AssertionError: the process has no state with which it could answer."""
        raise AssertionError("requests of a shared world are forwarded")

    answer_service = call_kms = find_account = answer

    def begin(self, *, model: Any, **_: object) -> tuple[None, None]:
        """Make no KMS calls for a service that moto answers, and warn of that."""
        service = model.service_model.service_name
        if service not in _warned:
            _warned.add(service)
            warn_caller(
                f"with --kms-shared, {service} makes no KMS calls while moto or another emulator "
                f"answers it: {OWN_MOCK}, with which it does"
            )
        return None, None

    def skip_sleep(self, seconds: float, *, is_random: bool, is_retry: bool = False) -> bool:
        """Move the clock of the world instead of a sleep; return False if sleeps are real."""
        if self.options["real_sleeps"]:
            return False
        if os.getpid() != self._process:  # only the parent can use its channel
            return True
        return self._world.skip_sleep(self._share, seconds, is_random, is_retry)

    def has_issued(self, access_key: str) -> bool:
        """Return whether an access key is one of the world; of a forked child, that it is."""
        return os.getpid() != self._process or self._world.has_issued(access_key)

    # --- the end of the test -----------------------------------------------------------------

    def describe_calls(self) -> str:
        """Describe what the calls of the running test say, which has failed."""
        return self._world.describe(self._share, get_running_test())

    def end(self) -> list[str]:
        """End the share of the test; return lines about faults that did not fire."""
        self._has_ended = True
        return self._world.end(self._share)


def _make_object(link: Link, name: str | None) -> Any:
    """Return the object for one of the world; name: of its class, None for the control object."""
    made = make_proxy(link, name)
    if name is None:
        kind: Any = type(made)
        object.__setattr__(made, "__class__", _add_pause(kind))
    return made


@functools.cache
def _add_pause(kind: Any) -> Any:
    """Return a class with what is about the clients of this process, and not about the world."""
    members = {"__module__": __name__, "pause": lambda _: paused()}
    return type(kind)(kind.__name__, (kind,), members)


class _Transport:
    """Carries the requests of the control object. mock: of the test."""

    #: As the control plane of a server requires it.
    host = "127.0.0.1"
    name = "--kms-shared"

    def __init__(self, mock: SharedMock) -> None:
        self._mock = mock

    def send(self, request: HttpRequest) -> HttpResponse:
        """Return the response to a request. Raises ConnectionError."""
        assert self._mock.forward is not None
        answer = self._mock.forward(request, is_signed_here=True).answer
        assert isinstance(answer, HttpResponse), "no fault hits the control plane"
        return answer

    def close(self) -> None:
        """Do nothing: the channel stays for the next test."""


class _Clients(Clients):
    """Makes clients whose requests the mock of the test forwards."""

    def set_up(self, services: Iterable[str]) -> None:
        """Do nothing: what the mock does not answer is answered as without it."""
