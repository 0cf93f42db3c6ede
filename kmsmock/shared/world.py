"""The shared world, in the process that controls the workers, and the shares that tests have of it.

Its methods take and return values that a channel between processes can carry.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import threading
from collections.abc import Callable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from kmsmock.analysis.notable_calls import describe_calls
from kmsmock.aws.disruptions import Loss, LostConnection
from kmsmock.dispatch import answer
from kmsmock.process.contexts import SCOPES, Context, working_for
from kmsmock.process.watchers import notify, watchers
from kmsmock.protocols.answering import answer_http
from kmsmock.protocols.messages import Forwarded, HttpRequest, HttpResponse
from kmsmock.server.control_plane import PREFIX, ControlPlane
from kmsmock.server.served_mock import make_mock
from kmsmock.shared.control import AccountRegions, SharedKMS

if TYPE_CHECKING:
    from kmsmock.aws.api_call import Answer, ApiCall
    from kmsmock.responder import Responder

#: A request: method, target, headers, body.
Request = tuple[str, str, dict[str, str], bytes]


class Sender(NamedTuple):
    """Who sends a request."""

    #: The node id of the running test.
    test: str | None
    #: Whether the test itself is running, and not a fixture that lasts longer.
    is_test: bool
    #: The Region of clients that name none; None for requests that have one themselves.
    region: str | None
    #: Whether the process that runs the test has signed the request, and not a child of it.
    is_signed_here: bool


class World(Protocol):
    """The interface of a shared world, which workers call."""

    def begin(self, name: str) -> tuple[int, str]:
        """Begin a share; return its number and its account. name: of the test or the fixture."""
        ...

    def send(self, share: int, request: Request, sender: tuple[Any, ...]) -> tuple[Any, ...]:
        """Answer an HTTP request of a test. sender: the members of a `Sender`.

        Returns the values that `read_answer` reads.
        """
        ...

    def skip_sleep(self, share: int, seconds: float, is_random: bool, is_retry: bool) -> bool:  # noqa: FBT001 - a channel has no keywords
        """Move the clock instead of a sleep, as `ActiveMock.skip_sleep` does."""
        ...

    def has_issued(self, access_key: str) -> bool:
        """Return whether an access key is one of the world."""
        ...

    def describe(self, share: int, test: str | None) -> str:
        """Describe what calls of a failed test say, as lines."""
        ...

    def end(self, share: int) -> list[str]:
        """End a share; return lines about faults that did not fire. Its keys stay."""
        ...


class SharedWorld:
    """A world, and the shares that tests have of it. options: of its mock.

    Raises ValueError, TypeError and OSError for options that it cannot have.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._kms = make_mock(options)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._shares: dict[int, _Share] = {}
        #: The accounts of tests, so that no two of them have the same one.
        self._accounts = {self._kms.options["account_id"]}

    def begin(self, name: str) -> tuple[int, str]:
        """Begin a share; see `World`."""
        with self._lock:
            number, account = next(self._numbers), self._choose_account(name)
        share = self._shares[number] = _Share(self._kms, name, account)
        share.begin()
        return number, account

    def _choose_account(self, name: str) -> str:
        """Return an account for a test: the same in each run, unless another test has it."""
        accounts = (_derive_account(name, attempt) for attempt in itertools.count())
        account = next(each for each in accounts if each not in self._accounts)
        self._accounts.add(account)
        return account

    def send(self, share: int, request: Request, sender: tuple[Any, ...]) -> tuple[Any, ...]:
        """Answer a request; see `World`."""
        return write_answer(self._shares[share].answer(HttpRequest(*request), Sender(*sender)))

    def skip_sleep(self, share: int, seconds: float, is_random: bool, is_retry: bool) -> bool:  # noqa: FBT001 - as above
        """Move the clock instead of a sleep; see `World`."""
        responder = self._shares[share].responder
        return responder.skip_sleep(seconds, is_random=is_random, is_retry=is_retry)

    def has_issued(self, access_key: str) -> bool:
        """Return whether an access key is one of the world."""
        return self._kms.backend.identities.credentials.has_issued(access_key)

    def describe(self, share: int, test: str | None) -> str:
        """Describe what calls of a failed test say; see `World`."""
        return self._shares[share].describe(test)

    def end(self, share: int) -> list[str]:
        """End a share; see `World`. One that has ended before has no lines."""
        ended = self._shares.pop(share, None)
        return [] if ended is None else ended.end()

    def close(self) -> None:
        """End all shares that are left."""
        for number in list(self._shares):
            self.end(number)


def _derive_account(name: str, attempt: int) -> str:
    digest = hashlib.sha256(f"{name} {attempt}".encode(errors="replace")).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**12:012d}"


class _Share:
    """What a test has of the world: an account, records and faults. name: of the test."""

    def __init__(self, world: Any, name: str, account: str) -> None:
        backend = world.backend
        own = AccountRegions(backend.regions, {account: None})
        #: What the requests of fixtures that last longer than a test are made for.
        self._fixtures = Context(name, SCOPES[0], test=name)
        #: The test that has sent the last request of a test.
        self._test = self._fixtures
        #: Lines about the faults of earlier tests that did not fire.
        self._unfired: list[str] = []
        self._region = backend.default_region
        #: A mock that has the state of the world, and records of its own.
        self.responder: Responder = copy(world._responder)  # noqa: SLF001 - of this package
        self.responder.backend = backend.share(account, own, lambda: self._region)
        self.responder.backend.faults.are_checked = True
        self.responder.answer = functools.partial(answer, self.responder.backend)
        self.responder.options = {**world.options, "account_id": account}
        self.responder.kms = SharedKMS(self.responder, own)
        self._control = ControlPlane(self.responder.kms, allow_remote=False)

    def begin(self) -> None:
        """Notify the watchers, such as the report."""
        with working_for(self._fixtures), self.responder.backend.lock:
            notify(watchers.began, self.responder.kms)

    def answer(self, request: HttpRequest, sender: Sender) -> Forwarded:
        """Answer a request of a test, or of a fixture that it uses."""
        self._region = sender.region or self._region
        with working_for(self._find_context(sender)):
            if request.target.startswith(PREFIX):
                with self.responder.backend.lock:
                    return Forwarded(self._control.answer(request))
            noting = _Noting(self.responder)
            checks = not sender.is_signed_here
            response = answer_http(noting, request, checks_signatures=checks)
            return Forwarded(response, noting.explanation, noting.is_retried)

    def _find_context(self, sender: Sender) -> Context:
        """Return what a request is made for; the faults of a test end when another one begins."""
        if not sender.is_test:
            self._fixtures.test = sender.test
            return self._fixtures
        before = self._test
        if before is self._fixtures or before.test != sender.test:
            name = sender.test or self._fixtures.name
            self._test = Context(name, SCOPES[-1], test=sender.test)
            self._unfired += self._end_faults(lambda owner: owner is before)
        return self._test

    def _end_faults(self, has_ended: Callable[[Context], bool]) -> list[str]:
        with self.responder.backend.lock:
            return self.responder.backend.faults.end(has_ended)

    def describe(self, test: str | None) -> str:
        """Describe what calls of a failed test say."""
        with self.responder.backend.lock:
            return describe_calls((self.responder.backend,), test)

    def end(self) -> list[str]:
        """Disarm the faults; return lines about those that did not fire."""
        with working_for(self._fixtures), self.responder.backend.lock:
            notify(watchers.ended, self.responder.kms)
            return [*self._unfired, *self._end_faults(lambda _: True)]


class _Noting:
    """A responder that notes what explains its answer, and whether clients retry the request."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder
        self.backend = responder.backend
        self.services = responder.services
        self.answer: Callable[[ApiCall], Answer] = self._answer
        self.explanation: str | None = None
        self.is_retried: bool | None = True

    def _answer(self, call: ApiCall) -> Answer:
        return self._note(self._responder.answer(call))

    def answer_service(self, **call: Any) -> Answer:
        """Answer a request to another service than KMS."""
        return self._note(self._responder.answer_service(**call))

    def _note(self, answer: Answer) -> Answer:
        self.explanation = getattr(answer.result, "explanation", None)
        self.is_retried = getattr(answer.result, "is_retried", True)
        return answer


def write_answer(forwarded: Forwarded) -> tuple[Any, ...]:
    """Return the answer to a request as values that a channel can carry."""
    answer = forwarded.answer
    if isinstance(answer, LostConnection):
        return (answer.how.name, answer.is_retried)
    plain = (int(answer.status), dict(answer.headers), answer.body)
    return (*plain, forwarded.explanation, forwarded.is_retried)


def read_answer(values: tuple[Any, ...]) -> Forwarded:
    """Return the answer that `write_answer` has written."""
    if len(values) == 2:
        how, is_retried = values
        return Forwarded(LostConnection(Loss[how], is_retried))
    status, headers, body, explanation, is_retried = values
    return Forwarded(HttpResponse(status, headers, body), explanation, is_retried)
