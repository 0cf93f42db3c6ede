"""The responder of a mock: it answers the requests of clients while the mock is active.

Imported in every pytest run, so slow imports are inside of functions.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from kmsmock.options import MockOptions
from kmsmock.process.active_mocks import active, get_state, is_started
from kmsmock.process.block_settings import MockSetting
from kmsmock.process.watchers import notifying, watchers

if TYPE_CHECKING:
    from kmsmock.aws.api_call import Answer, ApiCall
    from kmsmock.aws.principals import Principal
    from kmsmock.protocols.messages import Forwarded
    from kmsmock.services.beside import PendingCall

#: The time at which the clock of a mock with a seed starts by default.
_SEEDED_START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class ConfiguredMock:
    """What the process that uses a mock knows of it, wherever its state is.

    options: all options. keywords: those that were passed. kms: its control object, set afterwards.
    """

    #: Whether it is the mock of a server, which is not started, and answers until that ends.
    is_served = False

    def __init__(self, options: MockOptions, keywords: Mapping[str, Any]) -> None:
        _install_interception()
        self.kms: Any = None
        self.options = options
        #: Whether all clients are answered by moto while it is active.
        self.follows_moto: bool = options["with_moto"]
        #: In a forked child, where the process answers that has the mock; None for its own.
        self.parent_url: str | None = None
        #: Sends requests to the process that has the state; None if this one has it.
        self.forward: Callable[..., Forwarded] | None = None
        #: What other processes that the test starts get.
        self.processes: str = options["processes"]
        #: The names of the AWS services that the mock answers.
        self.services = options["services"]
        #: What its arguments say about requests that nothing answers.
        self.block = MockSetting.read(keywords)

    def __deepcopy__(self, memo: object) -> ConfiguredMock:
        """Return the same mock; botocore copies requests, whose context has it."""
        return self

    def leave_to_parent(self, url: str) -> None:
        """Leave calls to the process that has forked this one. url: where it answers."""
        from kmsmock.interception.kms_http import send

        self.parent_url, self.forward = url, functools.partial(send, url)
        self.options = {**self.options, "wire": True}  # they go there as HTTP requests

    # --- active or not -----------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        """Whether the mock answers clients, now or once inner mocks have ended."""
        return id(self) in map(id, active)

    @property
    def is_started(self) -> bool:
        """Whether the mock has been started and not stopped; it may be paused or suspended."""
        return is_started(self)

    @property
    def state(self) -> str:
        """Whether the mock is ``active``, ``suspended``, ``paused`` or ``ended``."""
        return get_state(self)

    # --- what is configured --------------------------------------------------------------

    @property
    def region(self) -> str | None:
        """The option ``region``; None if the mock has none."""
        return self.options["region"]

    def find_region(self) -> str:
        """Return the Region of clients that name none, at present."""
        from kmsmock.interception.configuration import find_default_region

        return find_default_region(self.region)

    def find_variables(self) -> Mapping[str, str]:
        """Return the environment variables to set while the mock answers."""
        from kmsmock.interception.configuration import find_missing_variables

        return find_missing_variables(self.region)


class Responder(ConfiguredMock):
    """A mock as `kmsmock.interception` uses it.

    options: all options. has_own_ordering: see `Consistency`. backend: the state of the mock.
    """

    def __init__(
        self, options: MockOptions, keywords: Mapping[str, Any], *, has_own_ordering: bool
    ) -> None:
        super().__init__(options, keywords)
        from kmsmock.dispatch import answer
        from kmsmock.state.backend import Backend

        #: The world with the initial state.
        self._document: Mapping[str, Any] | None = None
        start_time, world = options["start_time"], options["world"]
        if world is not None:
            from kmsmock.worlds.files import read_document
            from kmsmock.worlds.world import get_time

            self._document = read_document(world)
            start_time = start_time or get_time(self._document)
        if start_time is None and options["seed"] is not None:
            start_time = _SEEDED_START
        self.backend = Backend(
            options, start_time, self.find_region, has_own_ordering=has_own_ordering
        )
        self._load_document()
        #: Answers an `ApiCall` of a client.
        self.answer: Callable[[ApiCall], Answer] = functools.partial(answer, self.backend)

    # --- requests ----------------------------------------------------------------------

    def answers_http(self, operation: str) -> bool:
        """Return whether calls of an operation of KMS are answered as HTTP requests.

        Either all are, by the option ``wire``, or those that armed faults can hit, so that botocore
        retries them.
        """
        faults = self.backend.faults
        return self.options["wire"] or (faults.are_armed and faults.can_hit(operation))

    def answer_service(self, **call: Any) -> Answer:
        """Answer a request to another service than KMS."""
        from kmsmock.services.dispatch import answer

        return answer(self.backend, **call)

    def begin(self, **call: Any) -> tuple[PendingCall | None, Answer | None]:
        """Make the first KMS calls of a service whose request something else answers.

        Returns the calls to continue with afterwards, and an error response if KMS has denied one.
        """
        from kmsmock.services.beside import begin

        return begin(self.backend, **call)

    def find_account(self, access_key: str | None, region: str) -> str:
        """Return the account of the caller with an access key; the default one if it is unknown."""
        return self._find_caller(access_key, region).account

    def call_kms(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        service: str,
        access_key: str | None,
        account: str,
        region: str,
    ) -> Any:
        """Call KMS because of a request to a service that moto answers; return the answer.

        service: that calls with the identity of its caller, as boto3 names it. account: in which it
        calls, as its root user if the caller is of another one. Raises the `ServiceError` of KMS.
        """
        from kmsmock.aws.api_call import ApiCall
        from kmsmock.aws.api_model import parse_request
        from kmsmock.aws.installed_model import get_operation_model
        from kmsmock.services.kms_caller import KmsCaller
        from kmsmock.services.registry import ServiceCall

        body, model = json.dumps(parameters), get_operation_model(operation)
        parameters = parse_request(ApiCall(operation, body, access_key, region, model))
        backend = self.backend
        with backend.lock:
            principal, now = self._find_caller(access_key, region), backend.run_due_work()
            if principal.account != account:
                principal = backend.identities.root(account)
            call = ServiceCall(backend, principal, region, now, parameters, access_key or "")
            return KmsCaller.forwarded(call, service).call(operation, **parameters)

    def _find_caller(self, access_key: str | None, region: str) -> Principal:
        from kmsmock.aws.regions import partition_of
        from kmsmock.identities.credentials import CredentialsError

        identities = self.backend.identities
        try:
            return identities.caller(access_key, partition_of(region), self.backend.clock.now())
        except CredentialsError:  # moto has admitted the request
            return identities.administrator

    def skip_sleep(self, seconds: float, *, is_random: bool, is_retry: bool = False) -> bool:
        """Move the clock instead of a sleep; return False if sleeps are real.

        is_random: whether the time is different each time; then it does not move the clock of a
        mock with a seed. is_retry: whether a request is sent again afterwards. If a request quota
        has throttled it, it is sent in the next second, so that a test has the same result each
        time, and also with a seed.
        """
        if self.options["real_sleeps"]:
            return False
        backend, is_seeded = self.backend, self.options["seed"] is not None
        if is_retry and backend.quotas.is_throttling(backend.clock.now()):
            backend.clock.advance(seconds=1 if is_seeded else max(seconds, 1))
        elif not is_random or not is_seeded:
            backend.clock.advance(seconds=seconds)
        return True

    # --- state -------------------------------------------------------------------------

    def reset(self) -> None:
        """Restore the initial state: nothing, or the option ``world``."""
        # Watchers are only notified of started mocks.
        notification = notifying(self.kms, watchers.ended, watchers.began)
        with notification if self.is_started else contextlib.nullcontext():
            self.backend.clear()
            self._load_document()

    def load(self, world: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        """Add a world to the state: all of it, or nothing. Raises WorldError and OSError."""
        from kmsmock.worlds.files import read_document

        self._load(read_document(world), world)

    def _load_document(self) -> None:
        if self._document is not None:
            self._load(self._document, self.options["world"])

    def _load(self, document: Mapping[str, Any], source: Any) -> None:
        from kmsmock.worlds.errors import WorldError
        from kmsmock.worlds.world import load_world

        try:
            load_world(
                self.backend, document, self.options["account_id"], self.backend.default_region
            )
        except WorldError as error:
            if not isinstance(source, Mapping):
                error.source = os.fspath(source)
            # The message has the path in the document, so the traceback adds nothing.
            raise error.with_traceback(None) from None

    def has_issued(self, access_key: str) -> bool:
        """Return whether an access key is one of the mock."""
        return self.backend.identities.credentials.has_issued(access_key)


def _install_interception() -> None:
    # If this is its first import, the interception is installed now; later calls have no effect.
    import botocore.session  # noqa: F401

    from kmsmock.interception import install

    install()
