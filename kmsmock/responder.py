"""What stands behind a mock: it answers the requests of clients while it is active.

Everything heavy is imported when a mock is made, since plugins import this with every pytest run.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from kmsmock.activation.environment import Environment
from kmsmock.options import MockOptions
from kmsmock.process.active_mocks import active
from kmsmock.process.watchers import notify, notifying, watchers

if TYPE_CHECKING:
    from kmsmock.aws.api_call import Answer, ApiCall
    from kmsmock.services.beside import PendingCall

#: When the clock of a seeded mock starts, unless told otherwise.
_SEEDED_START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Responder:
    """One mock as the edge to botocore sees it. options: all of them.

    backend: the state that it answers from. kms: the control object, which is made after it.
    """

    def __init__(self, options: MockOptions) -> None:
        from kmsmock.dispatch import answer
        from kmsmock.state.backend import Backend

        self.kms: Any = None
        self.options = options
        #: The names of the AWS services that are answered.
        self.services = options["services"]
        #: What there is from the beginning.
        self._document: Mapping[str, Any] | None = None
        start_time, world = options["start_time"], options["world"]
        if world is not None:
            from kmsmock.worlds.files import read_document
            from kmsmock.worlds.world import find_time

            self._document = read_document(world)
            start_time = start_time or find_time(self._document)
        if start_time is None and options["seed"] is not None:
            start_time = _SEEDED_START
        self.backend = Backend(options, start_time)
        self._load_document()
        #: Answers an `ApiCall`: for the interception, and for other ways in.
        self.answer: Callable[[ApiCall], Answer] = functools.partial(answer, self.backend)
        self._environment = Environment(options["region"])
        #: How many decorators and blocks, of whatever thread or task, this is to be there for.
        self._users = 0

    # --- requests ----------------------------------------------------------------------

    @property
    def wire(self) -> bool:
        """Whether requests are answered as real HTTP: as an option, or since a fault is armed."""
        return self.options["wire"] or self.backend.faults.are_armed

    def answer_service(self, **call: Any) -> Answer:
        """Answer a request to another service than KMS."""
        from kmsmock.services.dispatch import answer

        return answer(self.backend, **call)

    def begin(self, **call: Any) -> tuple[PendingCall | None, Answer | None]:
        """Do the part with KMS of a service that something else answers; gives what is refused."""
        from kmsmock.services.beside import begin

        return begin(self.backend, **call)

    # --- state -------------------------------------------------------------------------

    def reset(self) -> None:
        """Begin anew, with what the option ``world`` says."""
        # A mock that is not started has no observers.
        emptying = notifying(self.kms, watchers.ended, watchers.began)
        with emptying if self._users else contextlib.nullcontext():
            self.backend.clear()
            self._load_document()

    def load(self, world: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        """Bring in what a world has: all of it, or nothing. Raises WorldError and OSError."""
        from kmsmock.worlds.files import read_document

        self._load(read_document(world), world)

    def _load_document(self) -> None:
        if self._document is not None:
            self._load(self._document, self.options["world"])

    def _load(self, document: Mapping[str, Any], source: Any) -> None:
        from kmsmock.worlds.errors import WorldError
        from kmsmock.worlds.world import load_world

        options = self.options
        try:
            load_world(self.backend, document, options["account_id"], options["region"])
        except WorldError as error:
            if not isinstance(source, Mapping):
                error.source = os.fspath(source)
            # The way through the document is in the message.
            raise error.with_traceback(None) from None

    # --- active or not -----------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        """Whether clients can be answered by this one, or are as soon as it is the innermost."""
        return self in active

    @property
    def is_started(self) -> bool:
        """Whether somebody uses this one; while mocks are paused, it is not active."""
        return self._users > 0

    def join(self) -> None:
        """Be one of those that this mock is active for; the first one starts it."""
        self._users += 1
        if self._users == 1:
            from kmsmock.interception import install

            install()  # unless it was, when botocore was imported
            self._environment.enter()
            active.append(self)
            notify(watchers.began, self.kms)

    def leave(self) -> None:
        """Be no longer one of them; the last one stops it."""
        self._users -= 1
        if self._users:
            return
        try:
            notify(watchers.ended, self.kms)
        finally:
            if self in active:
                active.remove(self)
            self._environment.exit()
            if not active:
                from kmsmock.interception import let_moto_in

                let_moto_in()


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Let calls go, inside the block, where they would have gone without any mock."""
    before = active[:]
    active.clear()
    try:
        yield
    finally:
        active[:] = [*(mock for mock in before if mock.is_started), *active]
