"""A service's calls to KMS when another store, such as moto, answers the service.

What the service does with KMS before it stores is done before the request goes out, and what it
does afterwards, when the response comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from kmsmock.aws.api_call import Answer
from kmsmock.aws.arns import NotAnArnError
from kmsmock.aws.errors import ServiceError
from kmsmock.aws.principals import Principal
from kmsmock.aws.services import AWS_SERVICES
from kmsmock.identities.credentials import (
    CredentialsError,
    ExpiredCredentialsError,
    UnsignedRequestError,
)
from kmsmock.process.moto_changes import set_changes_nothing
from kmsmock.services.flows import Flow
from kmsmock.services.kms_errors import ErrorTemplates, translate_error
from kmsmock.services.members import AnswerMembers, MissingMemberError
from kmsmock.services.readable import read_parameters
from kmsmock.services.registry import ServiceCall
from kmsmock.services.store_reader import Store, forget_earlier_store, is_read
from kmsmock.state.backend import Backend
from kmsmock.timing.passing_states import Shows

#: What the store gets otherwise than the client has sent it, for protocols whose requests are
#: forms: names of members in the form, such as ``Filter.1.Name``, and their values; None for a
#: member that the store does not get.
Changes = Mapping[str, str | None]
#: A request or an answer does not have what the steps need: then the store's word holds.
_UNREADABLE = (MissingMemberError, NotAnArnError)

#: What is done around a call: before storing up to the one ``yield``, which returns the store's
#: answer, and then after storing. It yields the `Changes` of the request, if any. Where the store
#: refuses, the ``yield`` raises `NotStoredError`. What the generator returns, if not None, is
#: answered instead; when it returns before the ``yield``, nothing is stored.
Steps = Generator[Any, dict[str, Any], Any]
BesideHandler = Callable[[ServiceCall], Steps]


class NotStoredError(Exception):
    """The store has refused the call. code: of its error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class BesideStore:
    """What is done for a service beside another store."""

    #: Operation name -> handler.
    operations: Mapping[str, BesideHandler]
    #: The service's own errors for those of KMS.
    errors: ErrorTemplates
    #: Request members that name keys, which the store does not get since it does not know the keys.
    hidden: Sequence[str] = ()
    #: Whether requests with credentials that are not valid here are handled too, because the store
    #: decides about credentials; the caller is then the session that has expired, or for deleted
    #: credentials the root user of the default account. Other services refuse them.
    trusts_store: bool = False
    #: Operations that write, but change nothing about what encrypts any resource; see
    #: `kmsmock.services.store_reader`.
    data_operations: Collection[str] = ()
    #: Operation name -> the states that its answer shows, if they can be passing ones; found before
    #: the handler completes the answer.
    shown_states: Mapping[str, Shows] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for operation, shows in self.shown_states.items():
            shows.register(operation)


class PendingCall:
    """A call that the store has not answered yet."""

    def __init__(
        self, service: str, operation: str, part: BesideStore, call: ServiceCall, steps: Steps
    ) -> None:
        self._service = service
        self._part = part
        self._operation = operation
        self._call = call
        self._steps = steps
        #: What the store gets otherwise than the client has sent it.
        self.changes: Changes = dict.fromkeys(part.hidden)

    def __deepcopy__(self, _: Any) -> PendingCall:
        # botocore copies the context of requests for which it signs URLs.
        return self

    def begin(self) -> Answer | None:
        """Do what comes before storing; return the answer when nothing is to be stored."""
        return self._resume(None)

    def finish(self, answer: dict[str, Any]) -> Answer | None:
        """Do what comes after storing; return the answer that replaces the store's, if any.

        answer: of the store, parsed; it may be changed in place.
        """
        return self._resume(answer)

    def abandon(self, code: str) -> dict[str, Any] | None:
        """End the call that the store has refused; return what is answered instead, if anything.

        code: of the store's error.
        """
        with self._call.backend.lock:
            try:
                self._steps.throw(NotStoredError(code))
            except (NotStoredError, *_UNREADABLE):
                return None
            except StopIteration as end:
                answer: dict[str, Any] | None = end.value
                return answer
        return None

    def _send(self, answer: dict[str, Any]) -> None:
        """Do what comes after storing. answer: of the store; it is changed in place."""
        members = AnswerMembers(answer)
        self._look(members)
        try:
            self._steps.send(members)
        finally:
            members.write_to(answer)

    def _look(self, answer: dict[str, Any]) -> None:
        """Count an answer of the store, which is yet to be completed, as a look."""
        shows, call = self._part.shown_states.get(self._operation), self._call
        if shows is not None:
            resources = shows.find_resources(call, answer)
            call.backend.passing.look(shows.state, self._operation, resources, call.now)

    def _resume(self, answer: dict[str, Any] | None) -> Answer | None:
        backend = self._call.backend
        with backend.lock:
            try:
                if answer is None:
                    self.changes = {**self.changes, **(next(self._steps) or {})}
                else:
                    self._send(answer)
            except StopIteration as end:
                if end.value is not None:
                    return Answer(self._call.request_id, end.value)
            except _UNREADABLE:
                return None  # The store decides what is missing.
            except CredentialsError as refusal:
                refused = refusal.error_of(self._service, self._call.parameters)
                return Answer(self._call.request_id, refused)
            except ServiceError as error:
                translated = translate_error(error, self._call, self._part.errors)
                return Answer(self._call.request_id, translated)
        return None


def begin(
    backend: Backend,
    model: Any,
    parameters: Mapping[str, Any],
    *,
    access_key: str | None,
    region: str,
    is_secure: bool = True,
    store: Store | None = None,
) -> tuple[PendingCall | None, Answer | None]:
    """Admit a request, and do what the service does with KMS before it stores.

    model: the operation in botocore's model. parameters: as boto3 takes them. is_secure, store: see
    `ServiceCall`. Return the call to finish after storing, None for an operation that does not
    involve KMS; and the service's answer, usually an error, when nothing is to be stored.
    Credentials that are not valid are refused for every operation. Unsigned requests are left to
    the store if the service can take them, but no KMS calls can be made for them.
    """
    service, operation = model.service_model.service_name, model.name
    part = _load(service)
    handler = part.operations.get(operation)
    with backend.lock:
        try:
            principal, now = backend.admit(access_key, region)
        except CredentialsError as refusal:
            is_unsigned = isinstance(refusal, UnsignedRequestError)
            is_of_store = is_unsigned and AWS_SERVICES[service].takes_unsigned
            if not part.trusts_store and not is_of_store:
                return None, Answer(backend.new_uuid(), refusal.error_of(service))
            principal, now = _find_caller_of_store(backend, refusal), backend.clock.now()
        forget_earlier_store(backend, store)
        changes_nothing = is_read(operation) or operation in part.data_operations
        set_changes_nothing(changes_nothing=changes_nothing)
        if handler is None:
            return None, None
        request_id = backend.new_uuid()
        try:
            members = read_parameters(service, parameters, model.input_shape)
        except ServiceError as error:
            return None, Answer(request_id, error)
        call = ServiceCall(
            backend,
            principal,
            region,
            now,
            members,
            access_key,
            request_id,
            is_secure,
            store=store,
        )
        pending = PendingCall(service, operation, part, call, handler(call))
        return pending, pending.begin()


def _find_caller_of_store(backend: Backend, refusal: CredentialsError) -> Principal:
    """Return the caller that a request with such credentials has if the store accepts them.

    It is the session that has expired, or the root user of the default account.
    """
    if isinstance(refusal, ExpiredCredentialsError) and refusal.principal is not None:
        return refusal.principal
    return backend.identities.root(backend.identities.administrator.account)


def until_stored(
    flow: Flow, get_changes: Callable[[], Changes] | None = None
) -> Generator[Any, dict[str, Any], dict[str, Any]]:
    """Do the first half of a flow and wait for the store; return the store's answer.

    For ``yield from`` in a handler's steps. A flow whose resource is not stored is cancelled.
    get_changes: returns the changes of the request, once the first half is done.
    """
    flow.request()
    try:
        answer = yield None if get_changes is None else get_changes()
    except NotStoredError:
        flow.cancel()
        raise
    return answer


def _load(service: str) -> BesideStore:
    """Import the `BesideStore` of a service whose row has a module ``beside``."""
    module = AWS_SERVICES[service].beside
    assert module is not None
    loaded: BesideStore = import_module(module).BESIDE
    return loaded
