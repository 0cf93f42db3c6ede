"""What the edge asks of a mock: answers to requests, from the state that the mock holds.

Everything heavy is imported when a mock is made, since plugins import this with every pytest run.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from kmsmock.options import MockOptions

if TYPE_CHECKING:
    from kmsmock.api_call import Answer, ApiCall
    from kmsmock.services.beside import PendingCall

#: When the clock of a seeded mock starts, unless told otherwise.
_SEEDED_START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Answering:
    """One mock as the edge sees it. options: how it is to be."""

    def __init__(self, options: MockOptions) -> None:
        from kmsmock.backend import Backend
        from kmsmock.dispatch import answer

        self.options = options
        #: What there is from the beginning.
        self._document: Mapping[str, Any] | None = None
        start_time, world = options["start_time"], options["world"]
        if world is not None:
            from kmsmock.worlds.files import read_document
            from kmsmock.worlds.world import time_of

            self._document = read_document(world)
            start_time = start_time or time_of(self._document)
        if start_time is None and options["seed"] is not None:
            start_time = _SEEDED_START
        self._backend = Backend(options, start_time)
        self._load_document()
        #: Answers an `ApiCall`: for the interception, and for other ways in.
        self.answer: Callable[[ApiCall], Answer] = functools.partial(answer, self._backend)

    @property
    def services(self) -> Collection[str]:
        """The names of the AWS services that are answered."""
        return self.options["services"]

    @property
    def wire(self) -> bool:
        """Whether requests are answered as real HTTP: as an option, or since a fault is armed."""
        return self.options["wire"] or self._backend.faults.are_armed

    def answer_service(self, **call: Any) -> Answer:
        """Answer a request to another service than KMS."""
        from kmsmock.services.answering import answer

        return answer(self._backend, **call)

    def begin(self, **call: Any) -> tuple[PendingCall | None, Answer | None]:
        """Do the part with KMS of a service that something else answers; gives what is refused."""
        from kmsmock.services.beside import begin

        return begin(self._backend, **call)

    def _load_document(self) -> None:
        if self._document is not None:
            self._load(self._document, self.options["world"])

    def _load(self, document: Mapping[str, Any], source: Any) -> None:
        from kmsmock.worlds.errors import WorldError
        from kmsmock.worlds.world import load_world

        try:
            load_world(self._backend, document, self.options["account_id"], self.options["region"])
        except WorldError as error:
            if not isinstance(source, Mapping):
                error.source = os.fspath(source)
            # The way through the document is in the message.
            raise error.with_traceback(None) from None
