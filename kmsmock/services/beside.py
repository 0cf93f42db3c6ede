"""A service's part when something else answers and stores: moto, a container, a test double.

What such a service does with KMS before it stores is done before the call goes out, and what it
does with what it has stored, when the answer comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from kmsmock.aws.api_call import Answer
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.services import AWS_SERVICES
from kmsmock.identities.credentials import CredentialsError
from kmsmock.services.flows import Flow
from kmsmock.services.kms_errors import ErrorTemplates, translate_error
from kmsmock.services.registry import ServiceCall
from kmsmock.state.backend import Backend

#: What happens around a call: up to the one ``yield`` before storing, which gives the answer, and
#: then what comes after. Where the one that stores refuses, the ``yield`` raises `NotStoredError`.
#: What is returned, if anything, is answered instead; before the ``yield``, nothing is stored then.
Steps = Generator[None, dict[str, Any], Any]
BesideHandler = Callable[[ServiceCall], Steps]


class NotStoredError(Exception):
    """The one that stores has refused the call. code: of its error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class BesideStore:
    """What a service does when something else stores.

    operations: by name, those in which it has a part. errors: what it makes of errors of KMS.
    hidden: members of requests that name keys, which the one that stores would look for in vain.
    trusts_store: whether requests are looked at whose credentials are no longer good here, because
    the one that stores has the say about them; the caller is then the one that they led to, or the
    root user of the default account.
    """

    operations: Mapping[str, BesideHandler]
    errors: ErrorTemplates
    hidden: Sequence[str] = ()
    trusts_store: bool = False


class PendingCall:
    """One call, on its way to what answers it."""

    def __init__(self, part: BesideStore, call: ServiceCall, steps: Steps) -> None:
        self._part = part
        self._call = call
        self._steps = steps

    def __deepcopy__(self, _: Any) -> PendingCall:
        # botocore copies the context of requests for which it signs URLs.
        return self

    @property
    def hidden(self) -> Sequence[str]:
        """The members that are nothing for the one that stores."""
        return self._part.hidden

    def begin(self) -> Answer | None:
        """Do what comes before storing; gives the answer when nothing is to be stored."""
        return self._go_on(None)

    def finish(self, answer: dict[str, Any]) -> Answer | None:
        """Do what comes after; gives what the service answers with instead.

        answer: as the client gets it; it may be changed.
        """
        return self._go_on(answer)

    def abandon(self, code: str) -> dict[str, Any] | None:
        """Do what is left when nothing was stored; gives what is answered instead, if anything.

        code: of the error of the one that stores.
        """
        with self._call.backend.lock:
            try:
                self._steps.throw(NotStoredError(code))
            except NotStoredError:
                return None
            except StopIteration as end:
                answer: dict[str, Any] | None = end.value
                return answer
        return None

    def _go_on(self, answer: dict[str, Any] | None) -> Answer | None:
        backend = self._call.backend
        with backend.lock:
            try:
                if answer is None:
                    next(self._steps)
                else:
                    self._steps.send(answer)
            except StopIteration as end:
                if end.value is not None:
                    return Answer(self._call.request_id, end.value)
            except ServiceError as error:
                own = translate_error(error, self._call, self._part.errors)
                return Answer(self._call.request_id, own)
        return None


def begin(
    backend: Backend,
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    access_key: str | None,
    region: str,
) -> tuple[PendingCall | None, Answer | None]:
    """Do what a service does with KMS before it stores.

    parameters: as boto3 takes them. Gives what is to go on after storing, None for calls without
    KMS; and the service's answer, mostly an error, when nothing is to be stored.
    """
    part = _load(service)
    handler = part.operations.get(operation)
    if handler is None:
        return None, None
    with backend.lock:
        try:
            principal, now = backend.admit(access_key, region)
        except CredentialsError as refusal:
            if not part.trusts_store:
                return None, None  # for the one that stores to refuse
            identities = backend.identities
            principal = refusal.principal or identities.root(identities.administrator.account)
            now = backend.clock.now()
        request_id = backend.new_uuid()
        call = ServiceCall(backend, principal, region, now, parameters, access_key, request_id)
        pending = PendingCall(part, call, handler(call))
        return pending, pending.begin()


def until_stored(flow: Flow) -> Generator[None, dict[str, Any], dict[str, Any]]:
    """Do the first half of a flow and wait for the answer of what stores; gives that answer.

    For ``yield from`` in a handler's steps. A flow whose resource is not stored is cancelled.
    """
    flow.request()
    try:
        answer = yield
    except NotStoredError:
        flow.cancel()
        raise
    return answer


def _load(service: str) -> BesideStore:
    """Import what a service does beside a store. service: one that is declared to."""
    module = AWS_SERVICES[service].beside
    assert module is not None
    loaded: BesideStore = import_module(module).BESIDE
    return loaded
